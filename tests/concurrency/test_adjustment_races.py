"""Two at once at one adjustment: with the locks one decision stands; with a lock stubbed out, the race that it prevents appears."""

from datetime import date
from typing import Any

import pytest

from ledger_app import locks
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.base import proofs
from ledger_app.base.operations import transactions
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing
from ledger_app.models import AdjustmentDecision, Balance, Entry
from tests.concurrency.test_ledger_races import Meeting, at_once, code_of, unlocked_row
from tests.support import adjusting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    return adjusting.build()


@pytest.fixture
def single_try(monkeypatch):
    """No second try may cover a collision up."""
    monkeypatch.setattr(transactions, "TRIES", 1)


def breaches(desk):
    return [breach for each in proofs.invariants() for breach in each.breaches(proofs.Scope([desk.ledger.book]))]


def decide_twice(desk, monkeypatch, first, second):
    """Have finance-1 and finance-2 decide at once, each having gathered the facts before the other has written."""
    row = desk.propose()
    shown = desk.shown(row)
    monkeypatch.setattr(queries, "facts", Meeting().after(queries.facts))
    outcomes = at_once(
        *(
            lambda who=who, name=name: adjustments.decide(
                adjustment_id=row.pk, name=name, caller=who, digest_shown=shown, reason="Looked at.", version=1
            )
            for who, name in ((desk.decider, first), (desk.second, second))
        )
    )
    return sorted(code_of(outcome) for outcome in outcomes)


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_of_two_decisions_at_once_one_stands(desk, monkeypatch, single_try, second):
    assert decide_twice(desk, monkeypatch, "approve", second) == ["Adjustment", "stale"]
    assert AdjustmentDecision.objects.count() == 1
    assert breaches(desk) == []


@pytest.mark.mariadb
@pytest.mark.parametrize("second", ["approve", "reject"])
def test_without_the_lock_both_believe_it_undecided(desk, monkeypatch, single_try, second):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    outcomes = decide_twice(desk, monkeypatch, "approve", second)
    # The schema, or the comparison of the state or of what was shown, still lets only one of them through: one entry, or none.
    assert outcomes[0] == "Adjustment"
    assert outcomes[1] in {"database", "row_refused", "stale", "try_again", "preview_moved"}
    assert Entry.objects.filter(reference__startswith="adjustment:").count() <= 1
    assert breaches(desk) == []


def decide_while_the_account_moves(desk, monkeypatch):
    """Have somebody post to the account after the facts were gathered and before the entry is posted."""
    row = desk.propose()
    shown = desk.shown(row)
    gathered, has_moved = Meeting(), Meeting()
    monkeypatch.setattr(queries, "facts", has_moved.after(gathered.after(queries.facts)))
    moved = desk.ledger.draft("meanwhile", ("cash", 1), ("wallet", -1), on=date(2017, 2, 1))

    def move():
        gathered.wait()
        posted = desk.ledger.post(moved)
        has_moved.wait()
        return posted

    return [
        code_of(outcome)
        for outcome in at_once(
            lambda: adjustments.decide(adjustment_id=row.pk, name="approve", caller=desk.decider, digest_shown=shown, version=1),
            move,
        )
    ]


@pytest.mark.mariadb
def test_a_balance_that_moves_under_the_decision_is_seen_under_its_lock(desk, monkeypatch, single_try):
    assert decide_while_the_account_moves(desk, monkeypatch) == ["preview_moved", "Posted"]
    assert Balance.objects.get(account__code="wallet").amount == -701
    assert breaches(desk) == []


@pytest.mark.mariadb
def test_without_the_comparison_under_the_lock_something_else_is_posted_than_was_shown(desk, monkeypatch, single_try):
    held = queries.preview_as_posted
    row_shown: list[Any] = []
    monkeypatch.setattr(queries, "preview_as_posted", lambda terms: row_shown[0] if row_shown else held(terms))
    real_facts = queries.facts

    def keep(*arguments, **named):
        found = real_facts(*arguments, **named)
        row_shown.append(type("Shown", (), {"digest": found.digest})())
        return found

    monkeypatch.setattr(queries, "facts", keep)
    assert decide_while_the_account_moves(desk, monkeypatch) == ["Adjustment", "Posted"]
    row_shown.clear()
    assert any("is not what finance-1 was shown" in breach for breach in breaches(desk))


def propose_while_the_period_freezes(desk, monkeypatch):
    said = desk.proposal(effective_on=date(2017, 1, 31))
    meeting = Meeting()
    monkeypatch.setattr(closing, "facts", meeting.after(closing.facts))
    monkeypatch.setattr(queries, "preview", meeting.after(queries.preview))
    january = desk.ledger.periods["2017-01"].pk
    return [
        code_of(outcome)
        for outcome in at_once(
            lambda: adjustments.propose(proposal=said, caller=desk.proposer, expires_at=adjusting.AT),
            lambda: periods.freeze(period_id=january, controls={"entries": 1}, caller=desk.decider, code_version="test"),
        )
    ]


def test_a_period_that_is_being_frozen_takes_no_proposal(desk, monkeypatch, single_try):
    assert propose_while_the_period_freezes(desk, monkeypatch) in (["period_frozen", "Seal"], ["Adjustment", "work_unfinished"])


@pytest.mark.mariadb
def test_without_the_lock_of_the_freeze_a_proposal_slips_in(desk, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    assert propose_while_the_period_freezes(desk, monkeypatch) == ["Adjustment", "Seal"]


def both_approve(desk, monkeypatch, limits_locked, *whos):
    """Have two approve an adjustment each, of two members, at once; each has read what was decided before the other has written."""
    reason_codes.set_limit(
        group="finance",
        book="CARD",
        amount_most=1_000,
        two_deciders_above=1_000,
        day_most=1_000,
        all_day_most=1_000,
        caller=desk.administrator,
    )
    if not limits_locked:
        monkeypatch.setattr(locks, "beside_own", list)
    rows = [desk.propose(amount=600, account=account) for account, _who in zip(("wallet", "M1-receivable"), whos, strict=True)]
    shown = [desk.shown(row) for row in rows]
    monkeypatch.setattr(queries, "facts", Meeting().after(queries.facts))
    outcomes = at_once(
        *(
            lambda row=row, who=who, digest=digest: adjustments.decide(
                adjustment_id=row.pk, name="approve", caller=who, digest_shown=digest, reason="Looked at."
            )
            for row, who, digest in zip(rows, whos, shown, strict=True)
        )
    )
    return sorted(code_of(outcome) for outcome in outcomes)


@pytest.mark.parametrize("is_one_person", [False, True])
def test_two_approvals_at_once_do_not_pass_a_limit_together(desk, monkeypatch, single_try, is_one_person):
    whos = (desk.decider, desk.decider if is_one_person else desk.second)
    expected = "over_day_limit" if is_one_person else "over_day_limit_of_all"
    assert both_approve(desk, monkeypatch, True, *whos) == ["Adjustment", expected]


@pytest.mark.mariadb
def test_without_the_lock_of_the_limits_two_pass_one_together(desk, monkeypatch, single_try):
    assert both_approve(desk, monkeypatch, False, desk.decider, desk.second) == ["Adjustment", "Adjustment"]
