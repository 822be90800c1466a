"""What the policy of a book's close says is carried out by ``close``, and asked by each freeze."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.rules.periods import Unfinished
from ledger_app.close.operations import closing, periods, policies
from ledger_app.close.operations.closing import Closed
from ledger_app.close.operations.policies import PolicyGiven
from ledger_app.close.queries import closing as asked
from ledger_app.close.queries import readiness
from ledger_app.models import AuditRow, Book, ClosePolicy, Period
from ledger_app.values.most import CLOSE_HOURS_MOST, MONTHS_AHEAD_MOST
from tests.conftest import CallerMaker
from tests.support import samples
from tests.support.samples import SmallLedger

pytestmark = pytest.mark.django_db
END = datetime(2017, 2, 1, tzinfo=UTC)
SALE = 700


def refused(work: Callable[[], Any]) -> list[str]:
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def say(book: Book, **given: Any) -> ClosePolicy:
    return policies.set_policy(book=book, given=PolicyGiven(**given), caller=samples.machine_caller()).row


def run(book: Book, when: datetime) -> Closed:
    return closing.close(book=book, caller=samples.machine_caller(when))


def freeze(ledger: SmallLedger, caller: Caller, **controls: int) -> Any:
    return periods.freeze(period_id=ledger.periods["2017-01"].pk, controls=controls, caller=caller, code_version="test")


def state(ledger: SmallLedger) -> str:
    return Period.objects.get(pk=ledger.periods["2017-01"].pk).state


@pytest.mark.parametrize(("after", "is_marked"), [(timedelta(hours=5), True), (timedelta(hours=5, seconds=-1), False)])
def test_a_period_turns_provisional_at_its_time_by_the_system(ledger: SmallLedger, after: timedelta, is_marked: bool) -> None:
    say(ledger.book, provisional_after_hours=5, freeze_after_hours=9)
    done = run(ledger.book, END + after)
    assert (done.marked, state(ledger)) == ((("2017-01",), "provisional") if is_marked else ((), "open"))
    assert AuditRow.objects.filter(action="come_due", actor__username="system").count() == int(is_marked)
    again = run(ledger.book, END + after)
    assert again.marked == ()


def test_without_a_policy_nothing_is_marked_opened_or_waited_for(
    ledger: SmallLedger, caller_of: CallerMaker, finance: Any
) -> None:
    count = Period.objects.count()
    done = run(ledger.book, END + timedelta(hours=500))
    assert (done.marked, done.opened, state(ledger), Period.objects.count()) == ((), (), "open", count)
    assert freeze(ledger, caller_of(finance, at=END), entries=0).number == 1


def test_what_waits_keeps_a_period_open(ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    say(ledger.book, provisional_after_hours=0)
    waits = Unfinished("Batch", "a.csv", "Approved", "Apply it.", "Engineers", "ingestion_app.batch", 1, "approved")
    monkeypatch.setattr(asked, "_unfinished", [lambda period: [waits] if period.name == "2017-01" else []])
    done = run(ledger.book, END + timedelta(hours=80))
    assert (done.marked, state(ledger)) == ((), "open")
    monkeypatch.setattr(asked, "_unfinished", [])
    assert run(ledger.book, END + timedelta(hours=80)).marked == ("2017-01",)


def test_what_finance_reopened_turns_provisional_again(ledger: SmallLedger, caller_of: CallerMaker, finance: Any) -> None:
    say(ledger.book, provisional_after_hours=0)
    when = END + timedelta(hours=1)
    assert run(ledger.book, when).marked == ("2017-01",)
    row = ledger.periods["2017-01"]
    periods.change(period_id=row.pk, name="reopen", caller=caller_of(finance, at=when), reason="A late file.", version=2)
    assert run(ledger.book, when).marked == ("2017-01",)


def test_nobody_who_asks_marks_it_for_the_system(ledger: SmallLedger, caller_of: CallerMaker, finance: Any) -> None:
    say(ledger.book, provisional_after_hours=0)
    caller = caller_of(finance, at=END + timedelta(hours=1))
    assert refused(lambda: periods.change(period_id=ledger.periods["2017-01"].pk, name=periods.COME_DUE, caller=caller)) == [
        "not_permitted"
    ]


@pytest.mark.parametrize(("after", "reasons"), [(timedelta(hours=9), []), (timedelta(hours=8), ["freeze_too_early"])])
def test_nothing_freezes_before_its_time(
    ledger: SmallLedger, caller_of: CallerMaker, finance: Any, after: timedelta, reasons: list[str]
) -> None:
    say(ledger.book, provisional_after_hours=5, freeze_after_hours=9)
    caller = caller_of(finance, at=END + after)
    if not reasons:
        assert freeze(ledger, caller, entries=0).number == 1
        return
    assert refused(lambda: freeze(ledger, caller, entries=0)) == reasons
    period = ledger.periods["2017-01"]
    facts = asked.facts(period, user=finance, at=caller.at, controls=None, proofs=False)
    (line,) = [each for each in readiness.in_the_way(readiness.checks(period, facts, at=caller.at)) if each.code == reasons[0]]
    assert (line.count, "2017-02-01 09:00" in line.sentences[0]) == (1, True), line


def test_a_freeze_needs_every_total_that_the_policy_names(ledger: SmallLedger, checker: Caller) -> None:
    ledger.sell("r-1", SALE)
    say(ledger.book, provisional_after_hours=0, freeze_after_hours=0, controls=("cash", "sales"))
    assert refused(lambda: freeze(ledger, checker, debits=SALE)) == ["control_needed", "control_needed"]
    assert refused(lambda: freeze(ledger, checker, cash=SALE)) == ["control_needed"]
    assert refused(lambda: freeze(ledger, checker, cash=SALE, sales=SALE)) == ["control_differs"]
    assert freeze(ledger, checker, cash=SALE, sales=-SALE).controls == {"cash": SALE, "sales": -SALE}


@pytest.mark.parametrize(
    ("on", "ahead", "opened"),
    [
        (date(2017, 3, 15), 1, ("2017-04",)),
        (date(2017, 12, 31), 2, (*(f"2017-{month:02}" for month in range(4, 13)), "2018-01", "2018-02")),
        (date(2017, 3, 15), 0, ()),
        (date(2016, 1, 1), 3, ()),
    ],
)
def test_months_are_opened_ahead_once(ledger: SmallLedger, on: date, ahead: int, opened: tuple[str, ...]) -> None:
    assert Period.objects.filter(book=ledger.book).latest("ends_on").name == "2017-03"
    say(ledger.book, months_ahead=ahead)
    when = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
    assert run(ledger.book, when).opened == opened
    assert run(ledger.book, when).opened == ()


def test_a_book_whose_newest_period_ends_within_a_month_opens_nothing_by_itself(ledger: SmallLedger) -> None:
    caller = samples.machine_caller()
    books.open_period(book=ledger.book, name="2017-04a", starts_on=date(2017, 4, 1), ends_on=date(2017, 4, 9), caller=caller)
    say(ledger.book, months_ahead=2)
    assert run(ledger.book, datetime(2017, 5, 9, tzinfo=UTC)).opened == ()


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({"provisional_after_hours": 73}, ["close_policy_invalid"]),
        ({"provisional_after_hours": -1}, ["number_out_of_range"]),
        ({"freeze_after_hours": CLOSE_HOURS_MOST + 1}, ["number_out_of_range"]),
        ({"months_ahead": MONTHS_AHEAD_MOST + 1}, ["number_out_of_range"]),
        ({"months_ahead": True}, ["number_out_of_range"]),
        ({"controls": ("cash", "nobody")}, ["control_unknown"]),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(ledger: SmallLedger, given: dict[str, Any], reasons: list[str]) -> None:
    assert refused(lambda: say(ledger.book, **given)) == reasons
    assert not ClosePolicy.objects.exists()


def test_a_change_has_a_version_a_line_of_history_and_an_audit_row(
    ledger: SmallLedger, caller_of: CallerMaker, finance: Any, support: Any
) -> None:
    say(ledger.book, controls=("cash",))
    given = PolicyGiven(60, 96, 1, ())
    assert refused(lambda: policies.set_policy(book=ledger.book, given=given, caller=caller_of(support))) == ["not_permitted"]
    # The system says the first, and changes none.
    assert refused(lambda: say(ledger.book, freeze_after_hours=96)) == ["definition_conflict"]
    changed = policies.set_policy(book=ledger.book, given=given, caller=caller_of(finance))
    assert (changed.is_new, changed.is_changed, changed.row.version) == (False, True, 2)
    row = AuditRow.objects.filter(subject_type="closepolicy").latest("id")
    assert row.facts == {"freeze_after_hours": 96, "months_ahead": 1, "controls": []}
    assert ClosePolicy.history.count() == 2
    assert not policies.set_policy(book=ledger.book, given=given, caller=caller_of(finance)).is_changed
