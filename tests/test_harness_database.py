"""The tests' own database: a transactional test leaves nothing, triggers against DELETE or not, and the triggers stay."""

import threading
from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction

from ledger_app.models import User
from tests.support import kept

TABLE = User._meta.db_table
GUARD_ON_SQLITE = f"CREATE TRIGGER guard BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, 'kept'); END"
GUARD_ON_MARIADB = f"CREATE TRIGGER guard BEFORE DELETE ON {TABLE} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'"


@pytest.fixture(scope="module")
def guard(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Guard a table against DELETE for the tests of this file."""
    with django_db_blocker.unblock():
        # What an earlier file stands on is in a transaction, which would take the trigger with it.
        kept.standing.end()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(GUARD_ON_SQLITE if connection.vendor == "sqlite" else GUARD_ON_MARIADB)
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER guard")


def _people() -> int:
    """Count the users but the system's own, which comes with the tables."""
    return User.objects.exclude(username=User.SYSTEM).count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", [1, 2])
def test_each_transactional_test_starts_empty_and_guarded(guard: None, round_number: int) -> None:
    assert _people() == 0
    assert ContentType.objects.exists()
    User.objects.create(username="here")

    def create_elsewhere() -> None:
        User.objects.create(username="elsewhere")
        connection.close()

    thread = threading.Thread(target=create_elsewhere)
    thread.start()
    thread.join()
    assert _people() == 2
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        User.objects.all().delete()


@pytest.mark.mariadb
def test_what_is_marked_mariadb_runs_there_only() -> None:
    assert connection.vendor == "mysql"
