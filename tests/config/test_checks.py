"""The system checks: a database on which wrong data could pass is an error before the first request."""

import pytest
from django.db import connection

from config.checks import check_database

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db]


def ids() -> set[str]:
    return {str(message.id) for message in check_database(databases=["default"])}


def test_the_database_of_the_tests_passes() -> None:
    assert not {found for found in ids() if found.startswith("kakutei.E")}


@pytest.mark.parametrize(
    ("worse", "better", "expected"),
    [
        (
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "E003",
        ),
        ("SET @kept = @@SESSION.sql_mode, SESSION sql_mode = ''", "SET SESSION sql_mode = @kept", "E002"),
        (
            "SET @kept = @@SESSION.sql_mode, SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_BACKSLASH_ESCAPES')",
            "SET SESSION sql_mode = @kept",
            "E004",
        ),
    ],
)
def test_a_session_that_could_let_wrong_data_in_is_an_error(worse: str, better: str, expected: str) -> None:
    with connection.cursor() as cursor:
        try:
            cursor.execute(worse)
            assert f"kakutei.{expected}" in ids()
        finally:
            cursor.execute(better)
