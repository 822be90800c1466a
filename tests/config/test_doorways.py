"""The time that doors give to operations: the database's, one for all hosts."""

from datetime import UTC, datetime

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from config.doors import callers as doorways
from ledger_app import errors
from ledger_app.base.operations import transactions
from ledger_app.base.queries import clock

AT = datetime(2017, 7, 14, 2, 40, tzinfo=UTC)


@pytest.mark.mariadb
@pytest.mark.django_db
def test_the_time_is_the_database_s_whatever_the_host_believes():
    with connection.cursor() as cursor:
        cursor.execute("SET timestamp = %s", [AT.timestamp()])
        try:
            assert doorways.now() == AT
        finally:
            cursor.execute("SET timestamp = DEFAULT")
    assert doorways.now() > AT


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_between_transactions_a_lost_connection_is_made_anew_to_ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        (number,) = cursor.fetchone()
        with pytest.raises(OperationalError):
            cursor.execute("KILL %s", [number])
    assert doorways.now() > AT
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() != (number,)


@pytest.mark.parametrize("code", sorted(transactions.LOST))
@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away_is_asked_twice(code, monkeypatch):
    asked = []

    def read():
        asked.append(code)
        raise OperationalError(code, "server has gone away")

    monkeypatch.setattr(clock, "read", read)
    with pytest.raises(errors.TryAgain):
        doorways.now()
    assert len(asked) == 2


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_a_lost_connection_ends_it(monkeypatch):
    """What was written in it is gone: a new connection would go on as if it were there."""

    def read():
        raise OperationalError(2006, "server has gone away")

    monkeypatch.setattr(clock, "read", read)
    with pytest.raises(errors.TryAgain), transaction.atomic():
        doorways.now()


@pytest.mark.django_db
def test_a_fault_that_does_not_pass_is_told_as_it_is(monkeypatch):
    def read():
        raise ProgrammingError(1305, "FUNCTION does not exist")

    monkeypatch.setattr(clock, "read", read)
    with pytest.raises(ProgrammingError):
        doorways.now()
