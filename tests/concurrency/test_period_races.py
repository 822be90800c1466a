"""A month that is being frozen keeps nobody from the others; and what is found without a lock is right under it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection

from ledger_app import errors, locks
from ledger_app.base.operations import bulk, history, transactions
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.close.queries import proving
from ledger_app.models import Account, Book, Hold, Period
from ledger_app.points.operations import holds
from ledger_app.posting.queries import bases
from ledger_app.values.locked import LockedPeriod
from tests.concurrency.test_ledger_races import (
    WAIT_SECONDS,
    Meeting,
    at_once,
    breaches,
    checker,
    code_of,
    ledger,
    session,
    single_try,
)
from tests.concurrency.test_points_races import place, points, till
from tests.support.lot_samples import at

__all__ = ["checker", "ledger", "points", "session", "single_try", "till"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mariadb]

INSERT = """
    INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)
    SELECT MAX(posting.id) * 1000, MAX(posting.id), MAX(book.id), %s, %s, '', REPEAT('0', 32) FROM ledger_app_posting AS posting, ledger_app_book AS book
"""


@contextmanager
def meanwhile(hold: Callable[[], Any]) -> Iterator[None]:
    """Hold what ``hold`` locks, in a transaction and a session of its own; anyone who waits here gives up after a second."""
    holds_it, done = threading.Event(), threading.Event()

    def work() -> None:
        hold()
        holds_it.set()
        assert done.wait(WAIT_SECONDS)

    thread = threading.Thread(target=lambda: at_once(lambda: transactions.run(work)), daemon=True)
    thread.start()
    try:
        assert holds_it.wait(WAIT_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        yield
    finally:
        done.set()
        thread.join(WAIT_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 20")


def being_frozen(period: Period) -> AbstractContextManager[None]:
    """Hold a period's row as a freeze does."""
    return meanwhile(lambda: locks.own_row(Period, period.pk))


def being_posted_to(ledger: Any, on: date) -> AbstractContextManager[None]:
    """Hold what a posting of a day holds."""
    draft = ledger.draft("r-9", ("cash", 5), ("sales", -5), on=on)
    return meanwhile(lambda: locks.ledger(bases.wanted([draft])))


RANGE = """
    SELECT book_id, name, starts_on, ends_on, state FROM ledger_app_period
     WHERE book_id IN ({ids}) AND starts_on <= %s AND ends_on >= %s
     ORDER BY id {lock}
"""


def by_range(wanted: Any, lock: str) -> dict[int, list[LockedPeriod]]:
    """Read the periods as they were read once: those of a span, under their lock."""
    found: dict[int, list[LockedPeriod]] = {}
    for book_id, *row in locks._rows(RANGE, sorted(wanted.book_ids), lock, wanted.last_on, wanted.first_on):
        found.setdefault(book_id, []).append(LockedPeriod(*row))
    return found


@pytest.mark.parametrize(
    ("frozen", "on"), [("2017-01", date(2017, 2, 10)), ("2017-02", date(2017, 1, 10)), ("2017-01", date(2017, 3, 1))]
)
def test_whoever_posts_to_another_month_waits_for_no_freeze(ledger, single_try, frozen, on):
    with being_frozen(ledger.periods[frozen]):
        assert ledger.sell("r-1", 5, on=on).entry_count == 1
    assert breaches(ledger) == []


def test_by_a_range_they_wait(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "_periods", by_range)
    with being_frozen(ledger.periods["2017-01"]), pytest.raises(errors.TryAgain, match="1205"):
        ledger.sell("r-1", 5, on=date(2017, 2, 10))


def test_whoever_posts_to_two_months_waits_for_no_freeze_of_one_in_between(ledger, single_try):
    drafts = [ledger.draft(f"r-{on}", ("cash", 5), ("sales", -5), on=on) for on in (date(2017, 1, 10), date(2017, 3, 1))]
    with being_frozen(ledger.periods["2017-02"]):
        assert ledger.post(*drafts).entry_count == 2


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_session_that_types_sql_waits_for_its_own_month_and_no_other(ledger, session, isolation):
    ledger.sell("r-1", 5, on=date(2017, 3, 1))
    session.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")
    session.execute("SET SESSION innodb_lock_wait_timeout = 1")
    with being_frozen(ledger.periods["2017-01"]):
        session.execute("START TRANSACTION")
        session.execute(INSERT, ["2017-02-01", "raw-1"])
        session.execute("ROLLBACK")
        with pytest.raises(DatabaseError, match="Lock wait timeout"):
            session.execute(INSERT, ["2017-01-31", "raw-2"])
        session.execute("ROLLBACK")


# What the trigger is not: one that goes through a book's periods from the oldest, and locks on its way the one that is being frozen.
FROM_THE_OLDEST = """
CREATE TRIGGER kakutei_entry_in_open_period BEFORE INSERT ON ledger_app_entry FOR EACH ROW
BEGIN
    DECLARE span_from DATE DEFAULT NULL;
    SELECT starts_on INTO span_from FROM ledger_app_period
     WHERE book_id = NEW.book_id AND starts_on <= NEW.effective_on AND ends_on >= NEW.effective_on AND state <> 'frozen'
     ORDER BY starts_on LIMIT 1 LOCK IN SHARE MODE;
    IF span_from IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kakutei: an entry needs a period that is not frozen';
    END IF;
END
"""


def test_with_a_trigger_that_begins_at_the_oldest_they_wait(ledger, session):
    ledger.sell("r-1", 5, on=date(2017, 3, 1))
    name = "kakutei_entry_in_open_period"
    session.execute("SET SESSION innodb_lock_wait_timeout = 1")
    session.execute(f"SHOW CREATE TRIGGER {name}")
    now = session.fetchone()[2]
    try:
        session.execute(f"DROP TRIGGER {name}")
        session.execute(FROM_THE_OLDEST)
        with being_frozen(ledger.periods["2017-01"]), pytest.raises(DatabaseError, match="Lock wait timeout"):
            session.execute(INSERT, ["2017-02-01", "raw-1"])
    finally:
        session.execute("ROLLBACK")
        session.execute(f"DROP TRIGGER IF EXISTS {name}")
        session.execute(now)


APRIL: dict[str, Any] = {"name": "2017-04", "starts_on": date(2017, 4, 1), "ends_on": date(2017, 4, 30)}


def test_the_next_month_is_opened_while_others_are_posted_to(ledger, single_try):
    with being_posted_to(ledger, date(2017, 3, 31)):
        assert books.open_period(book=ledger.book, caller=ledger.caller, **APRIL).state == "open"


def test_by_the_lock_of_the_book_its_opening_waits(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "opening", lambda book_id, _after, is_apart: locks.own_row(Book, book_id))
    with being_posted_to(ledger, date(2017, 3, 31)), pytest.raises(errors.TryAgain, match="1205"):
        books.open_period(book=ledger.book, caller=ledger.caller, **APRIL)


def test_of_two_that_open_the_same_month_one_does_and_the_other_finds_it(ledger, monkeypatch):
    monkeypatch.setattr(history, "create", Meeting().before(history.create))
    first, second = at_once(*[lambda: books.open_period(book=ledger.book, caller=ledger.caller, **APRIL)] * 2)
    assert first == second
    assert Period.objects.filter(book=ledger.book).count() == 4


@pytest.mark.parametrize("has_periods", [False, True])
def test_of_two_spans_that_overlap_and_touch_nothing_one_is_refused(ledger, single_try, has_periods):
    book = ledger.book
    if not has_periods:
        book = books.open_book(code="NEW", name="New", unit="JPY", exponent=0, time_zone="UTC", caller=ledger.caller)

    def opening(first: int) -> Any:
        days = {"starts_on": date(2017, 6, first), "ends_on": date(2017, 7, first)}
        return lambda: books.open_period(book=book, name=f"from-{first}", caller=ledger.caller, **days)

    assert sorted(code_of(outcome) for outcome in at_once(opening(2), opening(6))) == ["Period", "period_overlaps"]


def test_of_a_span_that_touches_and_one_that_does_not_one_is_refused_where_they_overlap(ledger, single_try):
    def apart() -> Any:
        days = {"starts_on": date(2017, 4, 15), "ends_on": date(2017, 5, 15)}
        return books.open_period(book=ledger.book, name="apart", caller=ledger.caller, **days)

    next_month = lambda: books.open_period(book=ledger.book, caller=ledger.caller, **APRIL)  # noqa: E731
    assert sorted(code_of(outcome) for outcome in at_once(apart, next_month)) == ["Period", "period_overlaps"]


def test_an_entry_that_comes_between_the_proof_and_the_lock_is_in_the_seal(ledger, checker, monkeypatch):
    ledger.sell("r-1", 5)
    prove = proving.Proved.prove

    def and_then_somebody_posts(proved: Any) -> None:
        prove(proved)
        at_once(lambda: ledger.sell("r-0", 7))

    monkeypatch.setattr(proving.Proved, "prove", and_then_somebody_posts)
    seal = periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"debits": 12}, caller=checker, code_version="t")
    assert (seal.entry_count, seal.debit_total) == (2, 12)
    assert breaches(ledger) == []


def test_nobody_waits_for_a_proof(ledger, checker, monkeypatch, single_try):
    """While everything is proved, January itself takes entries; the lock comes after it."""
    ledger.sell("r-1", 5)
    walk = proving.differing_balances

    def and_meanwhile_somebody_posts(book_id: int) -> list[str]:
        (posted,) = at_once(lambda: ledger.sell("r-0", 7))
        assert code_of(posted) == "Posted"
        return walk(book_id)

    monkeypatch.setattr(proving, "differing_balances", and_meanwhile_somebody_posts)
    seal = periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"debits": 12}, caller=checker, code_version="t")
    assert seal.entry_count == 2
    assert breaches(ledger) == []


def two_open_accounts(ledger: Any) -> list[str]:
    def opening(number: int) -> Any:
        wanted = [books.AccountOpening(f"new-{number}-{place}", "cash", "asset") for place in range(3)]
        return lambda: books.open_accounts(book=ledger.book, openings=wanted, caller=ledger.caller)

    return [code_of(outcome) for outcome in at_once(opening(1), opening(2))]


def test_two_that_open_accounts_at_once_get_numbers_of_their_own(ledger, monkeypatch, single_try):
    monkeypatch.setattr(history, "create_all", Meeting().before(history.create_all))
    assert two_open_accounts(ledger) == ["int", "int"]
    assert Account.objects.filter(code__startswith="new-").count() == 6
    assert breaches(ledger) == []


def test_with_the_highest_number_and_one_they_collide(ledger, monkeypatch, single_try):
    meeting, create_all = Meeting(), history.create_all

    def numbered(rows: Any, **named: Any) -> None:
        first = type(rows[0]).objects.latest("id").pk + 1
        for number, row in enumerate(rows, first):
            row.pk = number
        meeting.wait()
        create_all(rows, **named)

    ask = bulk.numbered

    def as_they_are(rows: Any) -> Any:
        # MySQL is asked which numbers it gave, and here it gives none.
        return ask(rows) if not rows or rows[0].pk is None else type(rows[0]).objects.bulk_create(rows)

    monkeypatch.setattr(bulk, "numbered", as_they_are)
    monkeypatch.setattr(history, "create_all", numbered)
    assert sorted(two_open_accounts(ledger)) == ["int", "try_again"]


def test_holds_that_somebody_has_keep_the_sweep_from_no_other(points, till, monkeypatch):
    """Those that are over first are locked, more of them than are looked after at once: the others end all the same."""
    monkeypatch.setattr(holds, "BATCH", 1)
    place(points, till)()
    other = Hold.objects.get()
    points.gain("more", 50, on=date(2017, 1, 5), who="M2")
    wanted = holds.Wanted(points.accounts["M2"].pk, other.target_id, 5, "second", other.expires_at.replace(microsecond=7))
    holds.place(wanted=wanted, caller=till)
    later = type(points.caller)(points.caller.user, at(2017, 6, 1), "task")

    def resolving() -> Any:
        locks.own_row(Hold, other.pk)
        return at_once(lambda: holds.sweep(caller=later))

    assert transactions.run(resolving) == [1]
    assert list(Hold.objects.order_by("id").values_list("state", flat=True)) == ["open", "expired"]
