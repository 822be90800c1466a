"""Two at once in the ledger: with the locks one order comes out; with a lock stubbed out, the race that it prevents appears."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, connections

from ledger_app import errors, locks
from ledger_app.base import proofs
from ledger_app.base.operations import history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing
from ledger_app.models import Book, Entry, Line, Period, Seal, User
from ledger_app.posting.rules import posting
from tests.support import samples
from tests.support.reversing import reverse_entry

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_SECONDS = 30
# How long one waits for the other to come to the same place: with the lock it never comes, and the first goes on alone.
MEET_SECONDS = 3


@pytest.fixture
def ledger():
    return samples.open_ledger(samples.machine_caller())


@pytest.fixture
def checker():
    user = User.objects.create_user(username="finance-1", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    return Caller(user=user, at=samples.AFTER_JANUARY, door="command")


@pytest.fixture
def single_try(monkeypatch):
    """No second try may cover a collision up."""
    monkeypatch.setattr(transactions, "TRIES", 1)


class Meeting:
    """A place in the code where two threads wait for each other, and go on alone where the other cannot come."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def and_meet(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            self.wait()
            return result

        return and_meet

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def meet_and(*arguments: Any, **named: Any) -> Any:
            self.wait()
            return function(*arguments, **named)

        return meet_and

    def wait(self) -> None:
        try:
            self.barrier.wait(MEET_SECONDS)
        except threading.BrokenBarrierError:
            return


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run each work in a thread with a connection of its own; return results and errors in the order of the works."""
    outcomes: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            start.wait(WAIT_SECONDS)
            outcomes[place] = work()
        except Exception as error:  # noqa: BLE001 - what came of it is looked at by the test
            outcomes[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive(), "a thread hangs"
    return outcomes


def code_of(outcome: Any) -> str:
    """Return the code of a refusal, “database” for an error of the database, and the type's name for what went well."""
    if isinstance(outcome, errors.Refused):
        return outcome.reasons[0].code
    if isinstance(outcome, errors.LedgerError):
        return outcome.code
    return "database" if isinstance(outcome, DatabaseError) else type(outcome).__name__


def breaches(ledger: samples.SmallLedger) -> list[str]:
    return [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([ledger.book]))]


def without_locks(monkeypatch):
    """Have ``locks.ledger`` read what it else locks."""
    for kind in ("SHARED", "EXCLUSIVE"):
        monkeypatch.setattr(locks, kind, dict.fromkeys(locks.SHARED, ""))


def unlocked_row(model, pk):
    """Read what ``locks.own_row`` locks."""
    return model.objects.get(pk=pk)


def two_sales(ledger, monkeypatch, references=("r-1", "r-2")):
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))
    return at_once(*(lambda name=name: ledger.sell(name, 10) for name in references))


def test_two_that_post_to_one_account_both_land_in_one_sequence(ledger, monkeypatch, single_try):
    outcomes = two_sales(ledger, monkeypatch)
    assert [code_of(outcome) for outcome in outcomes] == ["Posted", "Posted"]
    lines = Line.objects.filter(account=ledger.accounts["cash"]).order_by("sequence")
    assert list(lines.values_list("sequence", "balance_after")) == [(1, 10), (2, 20)]
    assert breaches(ledger) == []


@pytest.mark.mariadb
def test_without_the_locks_of_balances_two_that_post_collide(ledger, monkeypatch, single_try):
    without_locks(monkeypatch)
    outcomes = two_sales(ledger, monkeypatch)
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Posted", "try_again"]
    assert Line.objects.filter(account=ledger.accounts["cash"]).count() == 1
    assert breaches(ledger) == []


def test_who_collides_tries_again_and_lands(ledger, monkeypatch):
    without_locks(monkeypatch)
    outcomes = two_sales(ledger, monkeypatch)
    assert [code_of(outcome) for outcome in outcomes] == ["Posted", "Posted"]
    assert breaches(ledger) == []


def test_the_same_reference_at_once_is_one_entry_and_one_replay(ledger, monkeypatch, single_try):
    outcomes = two_sales(ledger, monkeypatch, ("r-1", "r-1"))
    assert sorted((outcome.entry_count, outcome.replayed_count) for outcome in outcomes) == [(0, 1), (1, 0)]
    assert Entry.objects.count() == 1
    assert breaches(ledger) == []


@pytest.mark.mariadb
def test_without_locks_the_same_reference_at_once_collides(ledger, monkeypatch, single_try):
    without_locks(monkeypatch)
    outcomes = two_sales(ledger, monkeypatch, ("r-1", "r-1"))
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Posted", "try_again"]
    assert Entry.objects.count() == 1


def test_one_reference_for_two_entries_that_share_no_account_is_refused_by_name(ledger, monkeypatch):
    """They wait for no common lock: the unique key stops the second, and the second try finds what stands there."""
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))
    drafts = [
        ledger.draft("r-1", ("cash", 10), ("sales", -10)),
        ledger.draft("r-1", ("M1-receivable", 10), ("wallet", -10)),
    ]
    outcomes = at_once(*(lambda draft=draft: ledger.post(draft) for draft in drafts))
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Posted", "reference_conflict"]
    assert Entry.objects.count() == 1
    assert breaches(ledger) == []


def two_reversals(ledger, monkeypatch):
    ledger.sell("r-1", 10)
    key = Entry.objects.get().pk
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))

    def reverse(day):
        return reverse_entry(entry_id=key, effective_on=date(2017, 2, day), reason="Twice", caller=ledger.caller)

    outcomes = at_once(lambda: reverse(1), lambda: reverse(2))
    assert Entry.objects.filter(reverses=key).count() == 1
    return sorted(code_of(outcome) for outcome in outcomes)


def test_an_entry_reversed_by_two_at_once_is_reversed_once(ledger, monkeypatch, single_try):
    assert two_reversals(ledger, monkeypatch) == ["Posted", "reference_conflict"]


@pytest.mark.mariadb
def test_without_the_locks_two_reversals_collide(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    without_locks(monkeypatch)
    assert two_reversals(ledger, monkeypatch) == ["Posted", "try_again"]


def freeze(ledger, checker):
    return periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"entries": 0}, caller=checker, code_version="test")


def post_against_freeze(ledger, checker, monkeypatch):
    meeting = Meeting()
    monkeypatch.setattr(posting, "decide", meeting.before(posting.decide))
    monkeypatch.setattr(closing, "facts", meeting.after(closing.facts))
    return at_once(lambda: ledger.sell("r-1", 10), lambda: freeze(ledger, checker))


def test_an_entry_comes_before_the_seal_or_not_at_all(ledger, checker, monkeypatch, single_try):
    outcomes = [code_of(outcome) for outcome in post_against_freeze(ledger, checker, monkeypatch)]
    assert outcomes in (["Posted", "control_differs"], ["period_frozen", "Seal"])
    assert Entry.objects.count() + Seal.objects.count() == 1
    assert breaches(ledger) == []


@pytest.mark.mariadb
def test_without_the_lock_of_the_posting_the_database_refuses_the_entry(ledger, checker, monkeypatch, single_try):
    without_locks(monkeypatch)
    sale, seal = post_against_freeze(ledger, checker, monkeypatch)
    assert (code_of(sale), code_of(seal)) == ("row_refused", "Seal")
    assert breaches(ledger) == []


@pytest.mark.mariadb
def test_without_the_lock_of_the_freeze_an_entry_is_left_out_of_the_seal(ledger, checker, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    outcomes = post_against_freeze(ledger, checker, monkeypatch)
    assert [code_of(outcome) for outcome in outcomes] == ["Posted", "Seal"]
    assert "Period 2017-01 was sealed with 0 entries and has 1." in breaches(ledger)


def two_freezes(ledger, checker, monkeypatch):
    monkeypatch.setattr(closing, "facts", Meeting().after(closing.facts))
    return sorted(code_of(outcome) for outcome in at_once(*[lambda: freeze(ledger, checker)] * 2))


def test_two_freezes_at_once_make_one_seal(ledger, checker, monkeypatch, single_try):
    assert two_freezes(ledger, checker, monkeypatch) == ["Seal", "wrong_state"]
    assert Seal.objects.count() == 1
    assert breaches(ledger) == []


@pytest.mark.mariadb
def test_without_the_lock_two_freezes_both_believe_the_period_open(ledger, checker, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    assert two_freezes(ledger, checker, monkeypatch) == ["Seal", "try_again"]
    assert Seal.objects.count() == 1


def freeze_against_earlier_period(ledger, checker, monkeypatch):
    meeting = Meeting()
    monkeypatch.setattr(closing, "facts", meeting.after(closing.facts))
    monkeypatch.setattr(history, "create", meeting.before(history.create))
    december: dict[str, Any] = {"name": "2016-12", "starts_on": date(2016, 12, 1), "ends_on": date(2016, 12, 31)}
    outcomes = at_once(
        lambda: books.open_period(book=ledger.book, caller=ledger.caller, **december), lambda: freeze(ledger, checker)
    )
    return [code_of(outcome) for outcome in outcomes]


def test_no_period_slips_in_before_one_that_is_being_frozen(ledger, checker, monkeypatch, single_try):
    outcomes = freeze_against_earlier_period(ledger, checker, monkeypatch)
    assert outcomes in (["Period", "earlier_period_open"], ["period_before_seal", "Seal"])


@pytest.mark.mariadb
def test_without_the_lock_of_the_freeze_a_period_slips_in(ledger, checker, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    assert freeze_against_earlier_period(ledger, checker, monkeypatch) == ["Period", "Seal"]


@pytest.fixture
def session() -> Iterator[Any]:
    """A second session of the database, as a person with a client has."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


INSERT = """
    INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)
    SELECT MAX(posting.id) * 1000, MAX(posting.id), MAX(book.id), %s, %s, '', REPEAT('0', 32) FROM ledger_app_posting AS posting, ledger_app_book AS book
"""


@pytest.mark.mariadb
@pytest.mark.parametrize("isolation", ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_what_a_session_saw_before_a_freeze_is_not_believed_after_it(ledger, checker, session, isolation):
    ledger.sell("r-1", 10, on=date(2017, 2, 1))
    session.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")
    # The trigger has looked January up and found it open …
    session.execute("START TRANSACTION")
    session.execute(INSERT, ["2017-01-31", "raw-1"])
    session.execute("ROLLBACK")
    session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT" if isolation == "REPEATABLE READ" else "START TRANSACTION")
    session.execute("SELECT COUNT(*) FROM ledger_app_book")
    # … then frozen by another session …
    periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"entries": 0}, caller=checker, code_version="test")
    # … and the old snapshot does not let anything in.
    with pytest.raises(DatabaseError, match="kakutei"):
        session.execute(INSERT, ["2017-01-31", "raw-2"])
    session.execute(INSERT, ["2017-02-01", "raw-3"])
    with pytest.raises(DatabaseError, match="kakutei"):
        session.execute(INSERT, ["2017-01-31", "raw-4"])
    session.execute("ROLLBACK")
    assert not Entry.objects.filter(reference__in=["raw-2", "raw-4"]).exists()


@pytest.mark.mariadb
def test_a_freeze_waits_for_an_entry_that_is_not_committed_yet(ledger, checker, session):
    ledger.sell("r-1", 10, on=date(2017, 2, 1))
    session.execute("START TRANSACTION")
    session.execute(INSERT, ["2017-01-31", "raw-1"])
    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.extend(at_once(lambda: freeze(ledger, checker))), daemon=True)
    thread.start()
    thread.join(MEET_SECONDS)
    assert thread.is_alive(), "the freeze did not wait"
    session.execute("COMMIT")
    thread.join(WAIT_SECONDS)
    # It has no lines, and so is not what its digest says: the freeze has seen it.
    assert [code_of(each) for each in outcome] == ["entry_differs"]


@pytest.mark.mariadb
def test_an_entry_waits_for_a_freeze_that_is_not_committed_yet(ledger, checker, session):
    ledger.sell("r-1", 10, on=date(2017, 2, 1))
    session.execute("SET SESSION innodb_lock_wait_timeout = 1")

    def freeze_and_let_the_other_try():
        row = locks.own_row(Period, ledger.periods["2017-01"].pk)
        with pytest.raises(DatabaseError, match="Lock wait timeout"):
            session.execute(INSERT, ["2017-01-31", "raw-1"])
        return row

    transactions.run(freeze_and_let_the_other_try)
    assert Entry.objects.count() == 1


def test_many_lanes_at_once_leave_no_gap(ledger):
    def post(lane):
        for number in range(5):
            draft = ledger.draft(
                f"lane-{lane}-{number}", ("M1-receivable" if lane % 2 else "M2-receivable", 3), ("settlement", -3)
            )
            ledger.post(draft, by_chunk=True, lane=lane)

    outcomes = at_once(*(lambda lane=lane: post(lane) for lane in range(4)))
    assert outcomes == [None] * 4
    assert Entry.objects.count() == 20
    assert Book.objects.count() == 1
    assert breaches(ledger) == []


def test_a_month_that_ends_while_it_is_posted_to_is_decided_by_the_lock_alone(ledger, checker, monkeypatch):
    """Many post while finance freezes: what landed is in the seal, what did not was refused, and nothing is in between."""
    late = Caller(user=checker.user, at=datetime(2017, 2, 1, 10, tzinfo=UTC), door="command")

    codes: set[str] = set()

    def post():
        landed = 0
        for number in range(10):
            try:
                landed += ledger.sell(f"r-{threading.get_ident()}-{number}", 1).entry_count
            except errors.Refused as refused:
                codes.update(reason.code for reason in refused.reasons)
        return landed

    def close():
        while True:
            there = Entry.objects.count()
            try:
                return periods.freeze(
                    period_id=ledger.periods["2017-01"].pk, controls={"entries": there}, caller=late, code_version="test"
                )
            except errors.Refused as refused:
                codes.update(reason.code for reason in refused.reasons)

    first, second, seal = at_once(post, post, close)
    assert first + second == Entry.objects.count() == seal.entry_count
    assert codes <= {"period_frozen", "control_differs"}
    assert breaches(ledger) == []
