"""What stands in the way of a freeze: each thing with its count, what clears it and who may; and no line of the book is read for it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger_app.base.operations.audit import Caller
from ledger_app.books.rules.periods import PERIOD
from ledger_app.close.operations import freezing, periods
from ledger_app.close.queries import closing, readiness
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.models import FreezeAttempt, Identifier, Period
from ledger_app.points.operations import holds
from tests.support import adjusting, kept, lot_samples, samples
from tests.support.lot_samples import at
from tests.support.samples import SmallLedger

pytestmark = pytest.mark.django_db
MARCH = datetime(2017, 3, 1, 9, tzinfo=UTC)


def checks(period: Period, when: datetime = samples.AFTER_JANUARY) -> list[readiness.Check]:
    caller = samples.machine_caller(when)
    period = Period.objects.select_related("book").get(pk=period.pk)
    facts = closing.facts(period, user=caller.user, at=when, controls=None, proofs=False)
    return readiness.checks(period, facts, at=when)


def told(period: Period, when: datetime = samples.AFTER_JANUARY) -> list[tuple[str, str, int, str]]:
    """Return (code, what, count, who) of what is in the way."""
    return [(line.code, str(line.what), line.count, str(line.who)) for line in readiness.in_the_way(checks(period, when))]


def test_every_question_of_the_freeze_is_told_and_no_other(ledger: SmallLedger) -> None:
    asked = [guard.__name__ for guard in PERIOD.transition("freeze").guards]
    assert [check.name for check in checks(ledger.periods["2017-01"])] == asked == list(readiness.LABELS)
    assert set(readiness.WHAT) == set(readiness.CLEARED)


def test_nothing_is_in_the_way_of_an_empty_month_and_the_totals_come_with_the_freeze(ledger: SmallLedger) -> None:
    found = checks(ledger.periods["2017-01"])
    assert readiness.in_the_way(found) == []
    assert [(line.code, line.comes_with_freeze) for check in found for line in check.lines] == [("control_missing", True)]


def test_days_and_periods_before_are_counted(ledger: SmallLedger) -> None:
    assert told(ledger.periods["2017-03"]) == [
        ("period_not_ended", "Days still to pass", 59, "Nobody: time does it"),
        ("earlier_period_open", "Earlier periods that are not frozen", 2, "Finance"),
    ]
    # As a ledger has it that was begun before periods had to follow each other.
    facts = closing.facts(ledger.periods["2017-03"], user=ledger.caller.user, at=MARCH, controls=None, proofs=False)
    gap = replace(facts, gap=(date(2017, 2, 1), date(2017, 2, 28)))
    (line,) = [
        line
        for line in readiness.in_the_way(readiness.checks(ledger.periods["2017-03"], gap, at=MARCH))
        if line.code == "period_gap"
    ]
    assert (str(line.what), line.count) == ("Days before it that are in no period", 28)


@kept.fixture
def office(_folder: Any) -> adjusting.Desk:
    """A desk at which adjustments are proposed and decided."""
    return adjusting.build()


def test_proposals_are_counted_by_kind_and_state(office: adjusting.Desk) -> None:
    for number in range(3):
        office.propose(amount=number + 1, effective_on=date(2017, 1, 31))
    one, other = (Identifier.objects.get(value=number).holder_id for number in ("CARD-M1", "CARD-M2"))
    plan = merge_queries.proposal(holder_id=one, survivor_id=other, effective_on=date(2017, 1, 31), reason="One.")
    merges.propose(plan, caller=office.proposer)
    january = office.ledger.periods["2017-01"]
    assert told(january) == [
        ("work_unfinished", "Adjustment: Proposed", 3, "Finance"),
        ("work_unfinished", "Merge: Proposed", 1, "Finance"),
    ]
    line = readiness.in_the_way(checks(january))[0]
    assert str(line.clears) == "Decide on it, or have its proposer withdraw it."
    assert [(row.model, row.state) for row in line.rows] == [("ledger_app.adjustment", "proposed")] * 3
    assert len(line.sentences) == 3
    assert told(office.ledger.periods["2017-02"], MARCH) == [
        ("earlier_period_open", "Earlier periods that are not frozen", 1, "Finance")
    ]


@kept.fixture
def points(_folder: Any) -> lot_samples.Points:
    """Three lots that are due in January, of two members."""
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 100, on=date(2017, 1, 5))
    found.gain("g-2", 40, on=date(2017, 1, 5))
    found.gain("g-3", 7, on=date(2017, 1, 11), who="M2")
    return found


def test_what_is_due_is_counted_and_what_is_held_apart(points: lot_samples.Points, monkeypatch: pytest.MonkeyPatch) -> None:
    january = points.book.periods.get(name="2017-01")
    due = ("expiry_due", "Lots that are due and not expired", 3, "Engineers")
    assert told(january, at(2017, 2, 3)) == [due]
    till = adjusting.person("till-1", "till", at=at(2017, 1, 20))
    wanted = holds.Wanted(points.accounts["M2"].pk, points.accounts["programme"].pk, 7, "order-1", at(2017, 3, 1))
    holds.place(wanted=wanted, caller=till)
    held = ("due_lots_held", "Lots that are due and held", 1, "Support and finance")
    assert told(january, at(2017, 2, 3)) == [(*due[:2], 2, due[3]), held]
    # One whose time is over keeps nothing back, whether or not anybody has ended it.
    assert told(january, at(2017, 3, 2))[0] == due
    assert len(told(january, at(2017, 3, 2))) == 1
    monkeypatch.setattr("ledger_app.points.queries.expiry.COUNTED_MOST", 1)
    (line, _held) = readiness.in_the_way(checks(january, at(2017, 2, 3)))
    assert (line.count, line.is_more) == (1, True)


def test_what_the_last_freeze_found_is_told_until_another_is_asked_for(ledger: SmallLedger, checker: Caller) -> None:
    ledger.sell("s-1", 5)
    january = ledger.periods["2017-01"]
    attempt = freezing.ask(period_id=january.pk, controls={"debits": 6}, caller=checker)
    # One that is under way has its totals.
    assert [line for check in checks(january) for line in check.lines] == []
    with pytest.raises(Exception, match="control_differs"):
        freezing.carry_out(attempt_id=attempt.pk, caller=checker, code_version="t", now=lambda: checker.at)
    (line,) = readiness.in_the_way(checks(january))
    assert (line.code, line.count, str(line.who)) == ("control_differs", 1, "Finance")
    # The ledger's own figure is told to nobody.
    assert "5" not in line.sentences[0].replace("2017", "")
    freezing.ask(period_id=january.pk, controls={"debits": 5}, caller=checker)
    assert told(january) == []


@pytest.mark.parametrize(("code", "count"), [("balances_differ", 17), ("entry_differs", 1)])
def test_what_did_not_recompute_is_told(ledger: SmallLedger, checker: Caller, code: str, count: int) -> None:
    reasons = [{"code": code, "sentence": "It differs.", "facts": {"count": 17} if code == "balances_differ" else {}}]
    january = ledger.periods["2017-01"]
    said = {"asked_by": checker.user, "asked_at": checker.at, "ended_at": checker.at, "reasons": reasons}
    FreezeAttempt.objects.create(period=january, controls={}, state="refused", **said)
    (line,) = readiness.in_the_way(checks(january))
    assert (line.code, line.count, str(line.who), line.sentences) == (code, count, "Engineers and auditors", ("It differs.",))


def test_of_a_frozen_period_nothing_is_asked(ledger: SmallLedger, checker: Caller) -> None:
    january = ledger.periods["2017-01"]
    periods.freeze(period_id=january.pk, controls={"debits": 0}, caller=checker, code_version="test")
    assert checks(january) == []


def test_no_line_and_no_entry_is_read_and_nothing_grows_with_them(ledger: SmallLedger) -> None:
    seen = []
    for size in (1, 40):
        ledger.post(*(ledger.draft(f"{size}-{number}", ("cash", 5), ("sales", -5)) for number in range(size)))
        with CaptureQueriesContext(connection) as queries:
            checks(ledger.periods["2017-01"])
        seen.append([query["sql"] for query in queries])
    assert len(seen[0]) == len(seen[1])
    assert not [
        sql for sql in seen[1] if "ledger_app_line" in sql or "FROM `ledger_app_entry`" in sql or 'FROM "ledger_app_entry"' in sql
    ]
