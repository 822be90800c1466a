"""A proposal is sent only where the ledger would take it; another decides it, on what was shown, and never twice."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.base import proofs
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing
from ledger_app.models import (
    Account,
    Adjustment,
    AdjustmentDecision,
    AuditRow,
    Balance,
    Entry,
)
from ledger_app.points.operations import lot_rules
from tests.support import adjusting, kept, samples


@kept.fixture
def desk(_folder):
    return adjusting.build()


def codes(call):
    with pytest.raises(errors.Refused) as refusal:
        call()
    return [reason.code for reason in refusal.value.reasons]


def balance(code):
    return Balance.objects.get(account__code=code).amount


def breaches(desk):
    return [breach for each in proofs.invariants() for breach in each.breaches(proofs.Scope([desk.ledger.book]))]


def test_an_approved_proposal_is_posted_with_its_reason_and_ticket(desk):
    row = desk.decide(desk.propose())
    entry = Entry.objects.get(reference=f"adjustment:{row.pk}")
    assert (row.state, balance("wallet")) == ("approved", -900)
    assert entry.description == "goodwill T-1: The till was down."
    assert list(entry.lines.order_by("id").values_list("account__code", "amount")) == [("wallet", -200), ("sales", 200)]
    assert (entry.posting.origin_kind, entry.posting.origin_id, entry.posting.posted_by) == (
        "adjustment",
        row.pk,
        desk.decider.user,
    )
    assert [(word.decided_by, word.is_sole) for word in row.decisions.all()] == [(desk.decider.user, True)]
    assert breaches(desk) == []


def test_each_step_has_its_audit_row_and_its_history(desk):
    row = desk.decide(desk.propose())
    rows = AuditRow.objects.filter(subject_type="adjustment", subject_id=row.pk).order_by("id")
    assert [(each.action, each.from_state, each.to_state, each.actor) for each in rows] == [
        ("propose", "", "", desk.proposer.user),
        ("approve", "proposed", "approved", desk.decider.user),
    ]
    history = Adjustment.history.filter(id=row.pk).order_by("history_id")
    assert [(each.state, each.history_user) for each in history] == [
        ("proposed", desk.proposer.user),
        ("approved", desk.decider.user),
    ]


def test_a_negative_amount_takes_points_in_the_direction_of_the_account(desk):
    desk.decide(desk.propose(amount=-700))
    assert balance("wallet") == 0
    desk.decide(desk.propose(account="cash", amount=-100))
    assert balance("cash") == 600


def test_the_same_key_is_found_and_not_made_twice(desk):
    said = desk.proposal()
    first, again = (
        adjustments.propose(proposal=said, caller=desk.proposer, expires_at=adjusting.AT + timedelta(days=1)) for _ in range(2)
    )
    assert first == again
    assert codes(lambda: desk.propose(key=said.key, amount=201)) == ["proposal_conflict"]


def shut_account(desk):
    Account.objects.filter(code="wallet").update(state="suspended")


def freeze_january(desk):
    periods.freeze(period_id=desk.ledger.periods["2017-01"].pk, controls={"entries": 1}, caller=desk.decider, code_version="test")


def put_out_of_use(desk):
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={"CARD": "sales"}, is_active=False, caller=desk.decider)


def open_other_book(desk):
    book = books.open_book(code="POINTS", name="Points", unit="P", exponent=0, time_zone="UTC", caller=desk.ledger.caller)
    books.open_accounts(book=book, openings=[books.AccountOpening("points.1", "points", "liability")], caller=desk.ledger.caller)


def nothing(desk):
    """There is nothing to prepare."""


REFUSED: dict[str, tuple[Callable[[Any], None], dict[str, Any], list[str]]] = {
    "a closed account": (shut_account, {}, ["account_not_open"]),
    "a frozen period": (freeze_january, {"effective_on": date(2017, 1, 31)}, ["period_frozen"]),
    "a day without a period": (nothing, {"effective_on": date(2018, 1, 1)}, ["period_missing"]),
    "below the floor": (nothing, {"amount": -701}, ["floor_broken"]),
    "a waiver that the reason does not give": (nothing, {"amount": -701, "waives_floor": True}, ["floor_not_waivable"]),
    "above every limit": (nothing, {"amount": 5001}, ["over_every_limit"]),
    "zero": (nothing, {"amount": 0}, ["adjustment_zero"]),
    "a truth value": (nothing, {"amount": True}, ["amount_invalid"]),
    "a text": (nothing, {"amount": "12x"}, ["amount_invalid"]),
    "a broken number": (nothing, {"amount": 1.5}, ["amount_invalid"]),
    "beyond the range": (nothing, {"amount": 10**15 + 1}, ["amount_out_of_range"]),
    "an account in another unit": (open_other_book, {"account": "points.1"}, ["account_in_other_book"]),
    "a book in which the reason has no account": (
        open_other_book,
        {"book": "POINTS", "account": "points.1"},
        ["reason_code_of_other_book"],
    ),
    "an account that is not there": (nothing, {"account": "walet"}, ["account_unknown"]),
    "a reason that is not there": (nothing, {"reason": "goodwil"}, ["not_found"]),
    "a reason out of use": (put_out_of_use, {}, ["reason_code_inactive"]),
    "the contra account itself": (nothing, {"account": "sales"}, ["account_is_contra"]),
    "no text": (nothing, {"text": " "}, ["text_invalid"]),
    "a ticket with a space": (nothing, {"ticket": "T 1"}, ["ticket_invalid"]),
    "a key with a space": (nothing, {"key": "k 1"}, ["code_invalid"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_ledger_would_refuse_is_not_sent(desk, name):
    prepare, changes, expected = REFUSED[name]
    prepare(desk)
    assert codes(lambda: desk.propose(**changes)) == expected
    assert Adjustment.objects.count() == 0
    refused = AuditRow.objects.get(action="propose", outcome="refused")
    assert [reason["code"] for reason in refused.reasons] == expected


def test_the_preview_tells_before_and_after_and_every_refusal(desk):
    told = queries.preview_of_proposal(desk.proposal(amount=-6000))
    assert told.shown is not None
    assert [(each.account, each.before, each.after) for each in told.shown.balances] == [("wallet", 700, -5300)]
    assert [reason.code for reason in told.refusals] == ["floor_broken", "over_every_limit"]


def test_a_proposal_is_not_sent_on_a_preview_that_is_no_longer_true(desk):
    said = desk.proposal()
    digest = queries.preview_of_proposal(said).digest
    desk.ledger.post(desk.ledger.draft("meanwhile", ("cash", 1), ("wallet", -1), on=date(2017, 2, 1)))
    refused = codes(
        lambda: adjustments.propose(proposal=said, caller=desk.proposer, expires_at=adjusting.AT, digest_shown=digest)
    )
    assert refused == ["preview_moved"]


def test_only_support_proposes(desk):
    said = desk.proposal()
    assert codes(lambda: adjustments.propose(proposal=said, caller=desk.decider, expires_at=adjusting.AT)) == ["not_permitted"]


def test_a_decision_on_a_balance_that_has_moved_is_refused_and_says_what_moved(desk):
    row = desk.propose()
    shown = desk.shown(row)
    desk.ledger.post(desk.ledger.draft("meanwhile", ("cash", 1), ("wallet", -1), on=date(2017, 2, 1)))
    with pytest.raises(errors.Refused) as refusal:
        desk.decide(row, digest_shown=shown)
    assert "account wallet has 701 JPY now and would have 901 JPY" in refusal.value.sentence
    assert (balance("wallet"), Entry.objects.filter(reference__startswith="adjustment").count()) == (-701, 0)
    assert desk.decide(row).state == "approved"


def test_other_accounts_may_move_meanwhile(desk):
    row = desk.propose()
    shown = desk.shown(row)
    desk.ledger.sell("meanwhile", 30)
    assert desk.decide(row, digest_shown=shown).state == "approved"


def test_a_decision_on_another_version_is_refused(desk):
    row = desk.propose(amount=2000)
    shown = desk.shown(row)
    desk.decide(row, "endorse")
    assert codes(lambda: desk.decide(row, who=desk.second, digest_shown=shown, version=1)) == ["stale", "preview_moved"]


@pytest.mark.parametrize("name", ["approve", "endorse", "reject"])
def test_nobody_decides_their_own_superusers_included(desk, name):
    said = desk.proposal(amount=2000 if name == "endorse" else 200)
    row = adjustments.propose(proposal=said, caller=desk.administrator, expires_at=adjusting.AT)
    assert "own_adjustment" in codes(lambda: desk.decide(row, name, who=desk.administrator))
    refused = AuditRow.objects.get(subject_type="adjustment", subject_id=row.pk, outcome="refused")
    assert "own_adjustment" in [reason["code"] for reason in refused.reasons]


def test_a_superuser_has_no_limit_but_that_of_the_groups(desk):
    row = desk.propose()
    assert codes(lambda: desk.decide(row, who=desk.administrator)) == ["over_limit"]


def test_above_the_limit_of_one_two_people_approve(desk):
    row = desk.propose(amount=1001)
    assert codes(lambda: desk.decide(row)) == ["second_decider_needed"]
    assert desk.decide(row, "endorse").state == "endorsed"
    assert balance("wallet") == -700
    assert codes(lambda: desk.decide(row)) == ["decided_before"]
    assert desk.decide(row, who=desk.second).state == "approved"
    assert balance("wallet") == -1701
    assert AdjustmentDecision.objects.filter(adjustment=row).count() == 2
    assert breaches(desk) == []


def test_whoever_may_decide_alone_gives_no_first_approval(desk):
    row = desk.propose()
    assert queries.approval_of(row, desk.decider.user) == "approve"
    assert codes(lambda: desk.decide(row, "endorse")) == ["one_decider_suffices"]


def test_above_the_own_limit_nothing_is_decided(desk):
    row = desk.propose(amount=3000)
    reason_codes.set_limit(group="finance", book="CARD", amount_most=2999, two_deciders_above=1000, caller=desk.administrator)
    assert codes(lambda: desk.decide(row, "endorse")) == ["over_limit", "over_every_limit"]


def test_a_rejection_needs_a_reason_and_ends_it(desk):
    row = desk.propose()
    assert codes(lambda: desk.decide(row, "reject", reason="")) == ["reason_required"]
    assert desk.decide(row, "reject").state == "rejected"
    assert codes(lambda: desk.decide(row, who=desk.second)) == ["wrong_state"]
    assert breaches(desk) == []


def test_only_the_proposer_withdraws(desk):
    row = desk.propose()
    assert codes(lambda: desk.decide(row, "withdraw", who=adjusting.person("support-2", "support"))) == ["not_proposer"]
    assert desk.decide(row, "withdraw", who=desk.proposer).state == "withdrawn"


def test_a_proposal_whose_time_is_over_cannot_be_decided_and_is_marked(desk):
    row = desk.propose(until=adjusting.AT + timedelta(days=14))
    late = adjusting.person("finance-1", "finance", at=adjusting.AT + timedelta(days=15))
    assert codes(lambda: desk.decide(row, who=late)) == ["proposal_expired"]
    assert adjustments.expire_overdue(caller=samples.machine_caller(late.at)) == [row.pk]
    assert adjustments.expire_overdue(caller=samples.machine_caller(late.at)) == []
    row.refresh_from_db()
    assert row.state == "expired"
    assert breaches(desk) == []


def test_a_floor_breaks_only_by_an_adjustment_that_says_so_and_verify_knows(desk):
    row = desk.propose(amount=-900, reason="chargeback", waives_floor=True)
    desk.decide(row)
    assert balance("wallet") == 200
    desk.ledger.post(desk.ledger.draft("up", ("cash", 50), ("wallet", -50), on=date(2017, 2, 1)))
    assert breaches(desk) == []
    with pytest.raises(errors.Refused, match="floor_broken"):
        desk.ledger.post(desk.ledger.draft("down", ("wallet", 1), ("cash", -1), on=date(2017, 2, 1)))
    # The waiver was for the wallet's fall and for no other.
    Account.objects.filter(code="cash").update(floor=10_000)
    assert any("cash" in breach for breach in breaches(desk))


def test_a_period_does_not_freeze_over_an_undecided_proposal(desk):
    row = desk.propose(effective_on=date(2017, 1, 31))
    facts = closing.facts(desk.ledger.periods["2017-01"], user=desk.decider.user, at=desk.decider.at, controls=None, proofs=False)
    assert [(str(each.what), each.name, each.state) for each in facts.unfinished] == [("Adjustment", str(row), "Proposed")]
    assert codes(lambda: freeze_january(desk)) == ["work_unfinished"]
    desk.decide(row, "reject")
    freeze_january(desk)


def test_a_striped_account_is_adjusted_without_a_bound_balance(desk):
    row = desk.propose(account="settlement")
    told = queries.preview(queries.terms_of(row))
    assert told.shown is not None
    assert told.shown.balances == ()
    assert desk.decide(row).state == "approved"
    assert breaches(desk) == []


def test_somebody_elses_entry_under_the_reference_is_not_taken_for_the_adjustments(desk):
    row = desk.propose()
    draft = queries.terms_of(row).draft()
    desk.ledger.post(draft)
    assert codes(lambda: desk.decide(row)) == ["reference_conflict"]


def test_limits_and_reason_codes_are_kept_by_whom_the_rules_name(desk):
    assert codes(
        lambda: reason_codes.set_limit(group="finance", book="CARD", amount_most=9, two_deciders_above=9, caller=desk.decider)
    ) == ["not_permitted"]
    assert codes(lambda: reason_codes.keep(code="x", name="X", contra_accounts={}, caller=desk.proposer)) == ["not_permitted"]
    assert codes(
        lambda: reason_codes.set_limit(
            group="finance", book="CARD", amount_most=9, two_deciders_above=10, caller=desk.administrator
        )
    ) == ["limit_invalid"]
    assert codes(lambda: reason_codes.keep(code="x", name="X", contra_accounts={"CARD": "nowhere"}, caller=desk.decider)) == [
        "not_found"
    ]


def test_what_is_taken_of_all_goes_to_no_member(desk):
    """No limit counts the other side of an adjustment, and what expires is asked of nobody."""
    book, code = desk.ledger.book, "M1-receivable"
    given = lot_rules.RuleGiven(expiry="never", breakage=code)
    for setting in (
        lambda: reason_codes.keep(code="x", name="X", contra_accounts={"CARD": code}, caller=desk.decider),
        lambda: reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={"CARD": code}, caller=desk.decider),
        lambda: lot_rules.set_rule(book=book, role="bonus", given=given, caller=desk.decider),
    ):
        assert codes(setting) == ["account_of_member"]


def test_a_reason_code_that_loses_its_account_keeps_its_history(desk):
    row = reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={}, caller=desk.decider, version=1).row
    assert row.version == 2
    assert row.contra_accounts.count() == 0
    assert codes(
        lambda: reason_codes.keep(code="goodwill", name="Other", contra_accounts={}, caller=desk.decider, version=1)
    ) == ["stale"]
    assert AuditRow.objects.filter(subject_type="reasoncode", subject_id=row.pk, action="keep").count() == 2
