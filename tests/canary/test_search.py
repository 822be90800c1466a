"""The search for the canary finds it wherever it is, and leaves out no table: without this, nothing found would say nothing."""

from pathlib import Path

import pytest
from django.db import connection

from tests.canary.conftest import BESIDE, CARD, WRITINGS, Canary, found_in, kept_columns

# The names that migrations keep of themselves, and what a database keeps of its own.
NOT_SEARCHED = {"django_migrations", "sqlite_sequence"}
# What the tests themselves put by, to lay it out again.
OF_TESTS = "kept_"
# A number that the queue draws by chance, whoever asks.
DRAWN = {"django_tasks_database_dbtaskresult.id"}


@pytest.mark.parametrize("text", WRITINGS)
def test_each_writing_is_found_in_a_file_its_name_the_log_and_a_table(
    db: None, canary: Canary, files_dir: Path, text: str
) -> None:
    assert canary.hits() == []
    assert found_in(f"before {text} behind")
    files_dir.mkdir(exist_ok=True)
    (files_dir / "one.csv").write_text(f"a,{text},b\n", encoding="utf-8")
    (files_dir / "two.csv").write_bytes(f"a,{text},b\n".encode("cp932"))
    (files_dir / f"a {text} b.csv").write_text("a\n", encoding="utf-8")
    canary.listen(f"something said {text}\n")
    # Past all that looks at what is written.
    connection.ensure_connection()
    assert connection.connection is not None
    said = f"INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('k', '{text}', '2030-01-01')"
    connection.connection.cursor().execute(said)
    places = [each.partition(":")[0].rpartition("/")[2] for each in canary.hits()]
    assert sorted(places) == sorted(["log", "one.csv", "two.csv", f"a {text} b.csv", "django_session.session_data"])


def test_what_is_not_the_canary_is_not_found(db: None, canary: Canary, files_dir: Path) -> None:
    files_dir.mkdir(exist_ok=True)
    (files_dir / "one.csv").write_text(f"{CARD[:-1]} {BESIDE[:-1]} 4111111111111111\n", encoding="utf-8")
    assert canary.hits() == []


def test_every_table_is_searched(db: None) -> None:
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        searched = {table: set(columns) for table, columns in kept_columns()}
        unsearched = {
            f"{table}.{each.name}"
            for table in there - NOT_SEARCHED
            if not table.startswith(OF_TESTS)
            for each in connection.introspection.get_table_description(cursor, table)
            if each.name not in searched.get(table, set()) and is_text(each)
        }
    assert unsearched - DRAWN == set()


def is_text(column: object) -> bool:
    kind = connection.introspection.get_field_type(column.type_code, column)  # type: ignore[attr-defined]  # of a description
    return kind in {"CharField", "TextField", "JSONField", "BinaryField"}
