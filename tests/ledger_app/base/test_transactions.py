"""The outermost transaction: what is tried again, what is not, and what becomes of the connection."""

import time

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection

from ledger_app import errors, locks
from ledger_app.base.operations import transactions
from ledger_app.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


class Work:
    """Fails with each of the errors given, then succeeds."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.tries = 0

    def __call__(self):
        self.tries += 1
        User.objects.create(username=f"try-{self.tries}")
        if self.failures:
            raise self.failures.pop(0)
        return self.tries


RETRIED = [
    OperationalError(1213, "Deadlock found when trying to get lock"),
    OperationalError(1205, "Lock wait timeout exceeded"),
    OperationalError(1020, "Record has changed since last read"),
    OperationalError("database is locked"),
    IntegrityError(1062, "Duplicate entry"),
    IntegrityError("UNIQUE constraint failed: ledger_app_line.sequence"),
]


@pytest.mark.parametrize("failure", RETRIED, ids=str)
def test_what_passes_by_itself_is_tried_again_from_the_beginning(failure, naps):
    assert transactions.run(Work(failure)) == 2
    assert list(User.objects.filter(username__startswith="try-").values_list("username", flat=True)) == ["try-2"]
    assert len(naps) == 1


def test_tries_are_bounded_and_nothing_stays_behind(naps):
    work = Work(*RETRIED)
    with pytest.raises(errors.TryAgain) as again:
        transactions.run(work)
    assert work.tries == transactions.TRIES == 5
    assert "unique key" in again.value.sentence
    assert len(naps) == transactions.TRIES - 1
    assert not User.objects.filter(username__startswith="try-").exists()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (IntegrityError(4025, "CONSTRAINT `line_amount_not_zero` failed"), "row_refused"),
        (IntegrityError(1452, "Cannot add or update a child row: a foreign key constraint fails"), "row_linked"),
        (IntegrityError("CHECK constraint failed: line_amount_not_zero"), "row_refused"),
        (IntegrityError(1062, "Duplicate entry '1-2' for key 'account_role_unique'"), "not_unique"),
        (
            IntegrityError("UNIQUE constraint failed: ledger_app_attachment.adjustment_id, ledger_app_attachment.name"),
            "not_unique",
        ),
        (OperationalError(1644, "kakutei: ledger_app_entry refuses this UPDATE"), "row_refused"),
        (IntegrityError("kakutei: ledger_app_entry refuses this UPDATE"), "row_refused"),
        (OperationalError(1142, "UPDATE command denied to user"), None),
        (errors.PeriodFrozen(period="2017-01", book="CARD", reference="r", date="2017-01-01"), None),
        (KeyError("surprise"), None),
    ],
    ids=str,
)
def test_everything_else_is_told_at_once_and_a_constraint_by_its_error(failure, code, naps):
    work = Work(failure)
    with pytest.raises(errors.Refused if code else type(failure)) as raised:
        transactions.run(work)
    if code:
        assert [reason.code for reason in raised.value.reasons] == [code]
    assert work.tries == 1
    assert naps == []
    assert not locks.is_counting()


@pytest.mark.parametrize("code", sorted(transactions.LOST))
def test_a_lost_connection_is_closed_and_never_tried_again(code, monkeypatch, naps):
    closed = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(code))
    work = Work(OperationalError(code, "server has gone away"))
    with pytest.raises(errors.TryAgain) as again:
        transactions.run(work)
    assert (work.tries, closed, naps) == (1, [code], [])
    assert "lost" in again.value.sentence


def test_a_connection_that_the_driver_has_given_up_is_closed_too(monkeypatch):
    closed = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    with pytest.raises(errors.TryAgain):
        transactions.run(Work(InterfaceError(0, "")))
    assert closed == [True]


def test_one_outermost_transaction_holds_no_other():
    with pytest.raises(RuntimeError, match="open already"):
        transactions.run(lambda: transactions.run(lambda: None))
    assert transactions.run(lambda: "free again") == "free again"


def test_a_refusal_crosses_a_process_boundary_with_its_facts():
    import pickle

    refused = errors.Refused([errors.Unbalanced(reference="r-1", sum=3)])
    back = pickle.loads(pickle.dumps(refused))
    assert str(back) == str(refused)
    assert back.reasons[0].facts == {"reference": "r-1", "sum": 3}


@pytest.mark.parametrize("code", [1142, 1419, 1644])
def test_what_will_never_pass_is_not_told_as_try_again(code: int) -> None:
    """A missing right and a trigger's refusal are no trouble that waiting cures."""
    assert transactions.passing_cause(OperationalError(code, "refused")) == ""


@pytest.mark.parametrize("code", [2002, 2003, 2006, 2013])
def test_a_database_that_is_away_may_come_back(code: int) -> None:
    assert transactions.passing_cause(OperationalError(code, "away")) == "lost"


def test_what_joins_within_a_whole_is_a_part_of_its_own_and_its_refusal_undoes_it():
    """Without, what it had written when it was refused would be committed with the rest."""

    def refuse():
        User.objects.create(username="part")
        raise errors.Refused([errors.BookUnknown(book="X")])

    def work():
        with pytest.raises(errors.Refused):
            transactions.join(refuse)
        User.objects.create(username="rest")

    transactions.whole(work)
    assert list(User.objects.filter(username__in=["part", "rest"]).values_list("username", flat=True)) == ["rest"]


def test_outside_the_parts_of_a_whole_no_lock_is_taken():
    users = User.objects.filter(username="nobody")

    def work():
        transactions.run(lambda: locks.own_if_there(users))
        assert not locks.is_counting()
        with pytest.raises(locks.LockOrderBroken):
            locks.own_if_there(users)
        with pytest.raises(RuntimeError):
            transactions.is_locked(lambda: None)
        with pytest.raises(RuntimeError):
            transactions.run(lambda: transactions.run(list))

    transactions.whole(work)
    assert not locks.is_counting()
