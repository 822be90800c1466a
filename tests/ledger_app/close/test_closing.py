"""``close`` does of the close what needs no person, whenever it runs, and says what is due and what holds up the rest."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ledger_app.base.operations.audit import Caller
from ledger_app.books.rules.periods import ended_at
from ledger_app.close.operations import closing, periods
from ledger_app.close.operations.closing import Closed, close
from ledger_app.close.queries import readiness
from ledger_app.models import Account, Entry, Holder, Period
from ledger_app.posting.operations import entries
from tests.conftest import CallerMaker
from tests.support import kept, lot_samples, samples
from tests.support.lot_samples import Points
from tests.support.samples import SmallLedger

pytestmark = pytest.mark.django_db
END = datetime(2017, 2, 1, tzinfo=UTC)


@kept.fixture
def points(_folder: Any) -> Points:
    """A book in the zone of Tokyo: three lots of two members are due in January, and one in February."""
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 100, on=date(2017, 1, 5))
    found.gain("g-2", 40, on=date(2017, 1, 11))
    found.gain("g-3", 7, on=date(2017, 1, 11), who="M2")
    found.gain("g-4", 9, on=date(2017, 1, 20))
    return found


def run(book: Any, when: datetime) -> Closed:
    return close(book=book, caller=samples.machine_caller(when))


def due(done: Closed) -> list[tuple[str, str]]:
    return [(each.period.name, each.due) for each in done.periods]


def posted() -> list[tuple[str, str]]:
    rows = Entry.objects.filter(posting__origin_kind="expiry").order_by("effective_on", "reference")
    return [(row.reference, row.effective_on.isoformat()) for row in rows]


JANUARY = [
    ("expiry:M1:2017-01-25", "2017-01-25"),
    ("expiry:M1:2017-01-31", "2017-01-31"),
    ("expiry:M2:2017-01-31", "2017-01-31"),
]


def test_an_end_is_midnight_where_the_book_lives() -> None:
    assert ended_at(date(2017, 1, 31), "Asia/Tokyo") == datetime(2017, 1, 31, 15, tzinfo=UTC)
    assert ended_at(date(2017, 3, 25), "Europe/Berlin") == datetime(2017, 3, 25, 23, tzinfo=UTC)
    assert ended_at(date(2017, 3, 26), "Europe/Berlin") == datetime(2017, 3, 26, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "expected"), [(0, ""), (59, ""), (60, "provisional"), (71, "provisional"), (72, "freeze"), (500, "freeze")]
)
def test_provisional_is_due_after_60_hours_and_the_freeze_after_72(ledger: SmallLedger, hours: int, expected: str) -> None:
    done = run(ledger.book, END + timedelta(hours=hours))
    assert due(done) == [("2017-01", expected)]
    assert done.periods[0].provisional_due_at == END + timedelta(hours=60)
    assert done.periods[0].freeze_due_at == END + timedelta(hours=72)


def test_one_that_is_provisional_already_is_not_due_to_be(ledger: SmallLedger, checker: Caller) -> None:
    periods.change(period_id=ledger.periods["2017-01"].pk, name="provisional", caller=checker, version=1)
    assert due(run(ledger.book, END + timedelta(hours=61))) == [("2017-01", "")]
    assert due(run(ledger.book, END + timedelta(hours=72))) == [("2017-01", "freeze")]


def test_nothing_is_asked_of_what_has_not_ended_or_is_frozen(ledger: SmallLedger, checker: Caller) -> None:
    assert run(ledger.book, END - timedelta(seconds=1)) == Closed()
    periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"debits": 0}, caller=checker, code_version="test")
    assert run(ledger.book, END + timedelta(hours=72)) == Closed()


@pytest.mark.parametrize("is_provisional", [False, True])
def test_expiries_that_gate_the_freeze_are_posted_once(
    points: Points, caller_of: CallerMaker, finance: Any, is_provisional: bool
) -> None:
    when = lot_samples.at(2017, 2, 1)
    january = points.book.periods.get(name="2017-01")
    assert not posted()
    if is_provisional:
        periods.change(period_id=january.pk, name="provisional", caller=caller_of(finance, at=when), version=january.version)
    done = run(points.book, when)
    assert (done.expired.entry_count, done.expired.amount, done.expired.refused, done.refused) == (3, 147, [], ())
    # What is due later stays: the last day of no later period has passed.
    assert posted() == JANUARY
    assert readiness.in_the_way(done.periods[0].checks) == []
    again = run(points.book, when)
    assert (again.expired.entry_count, again.periods) == (0, done.periods)
    assert posted() == JANUARY


def test_what_refuses_is_told_and_the_rest_is_done(points: Points) -> None:
    gone, survivor = (Holder.objects.create(name=name, opened_at=END) for name in "xy")
    Holder.objects.filter(pk=gone.pk).update(merged_into=survivor)
    Account.objects.filter(code="M2").update(holder=gone)
    done = run(points.book, lot_samples.at(2017, 2, 1))
    assert posted() == JANUARY[:2]
    assert [reason.code for reason in done.expired.refused] == ["holder_merged"]
    (line,) = readiness.in_the_way(done.periods[0].checks)
    assert (line.code, line.count, str(line.who)) == ("expiry_due", 1, "Engineers")


def test_killed_in_between_it_does_the_rest_when_it_runs_again(points: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    post: Callable[..., Any] = entries.post

    def dying(**given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(entries, "post", dying)
    with pytest.raises(KeyboardInterrupt):
        run(points.book, lot_samples.at(2017, 2, 1))
    monkeypatch.setattr(entries, "post", post)
    assert posted() == []
    run(points.book, lot_samples.at(2017, 2, 1))
    assert posted() == JANUARY


def test_no_more_periods_are_told_than_can_be_read(ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "PERIODS_MOST", 2)
    done = run(ledger.book, END + timedelta(days=90))
    assert (due(done), done.is_more) == ([("2017-01", "freeze"), ("2017-02", "freeze")], True)
    assert set(Period.objects.values_list("state", flat=True)) == {"open"}
