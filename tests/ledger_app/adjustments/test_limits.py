"""What was true when proposed is asked again when decided, and limits hold in sum."""

from datetime import timedelta

import pytest

from ledger_app import errors
from ledger_app.adjustments.operations import reason_codes
from ledger_app.adjustments.queries import limits
from ledger_app.base.operations.audit import Caller
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest as merge_digest
from ledger_app.models import AdjustmentLimit, Entry, User
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_queries
from tests.support import adjusting, kept

pytestmark = pytest.mark.django_db


@kept.fixture
def desk(_folder):
    return adjusting.build()


def codes(work):
    with pytest.raises(errors.Refused) as refused:
        work()
    return [reason.code for reason in refused.value.reasons]


def limit(desk, most=5_000, alone=1_000, **more):
    reason_codes.set_limit(
        group="finance", book="CARD", amount_most=most, two_deciders_above=alone, caller=desk.administrator, **more
    )


def later(who: Caller, **span: int) -> Caller:
    return Caller(who.user, who.at + timedelta(**span), who.door)


def test_many_small_amounts_are_one_for_whoever_decides_alone(desk):
    limit(desk)
    for _piece in range(2):
        desk.decide(desk.propose(amount=500))
    third = desk.propose(amount=-1)
    assert codes(lambda: desk.decide(third)) == ["second_decider_needed_in_sum"]
    # By two it passes, and the pieces of the other count for the other.
    desk.decide(third, "endorse")
    assert desk.decide(third, who=desk.second).state == "approved"
    # Another member's account is another's.
    desk.decide(desk.propose(amount=500, account="M1-receivable"))


def test_the_window_ends(desk):
    limit(desk, window_days=7)
    desk.decide(desk.propose(amount=1_000))
    row = desk.propose(amount=1_000)
    assert codes(lambda: desk.decide(row)) == ["second_decider_needed_in_sum"]
    assert desk.decide(row, who=later(desk.decider, days=8)).state == "approved"


def test_nobody_decides_more_than_the_limit_in_sum_by_two_either(desk):
    limit(desk, most=2_000)
    for _piece in range(2):
        row = desk.propose(amount=1_000)
        desk.decide(row, who=desk.decider if _piece == 0 else desk.second)
    row = desk.propose(amount=1_500)
    assert codes(lambda: desk.decide(row, "endorse")) == ["over_limit_in_sum"]


def test_a_day_has_a_limit_of_its_own_over_all_members(desk):
    limit(desk, day_most=1_500)
    desk.decide(desk.propose(amount=1_000))
    other = desk.propose(amount=600, account="M1-receivable")
    assert codes(lambda: desk.decide(other)) == ["over_day_limit"]
    assert desk.decide(other, who=later(desk.decider, days=1)).state == "approved"


def test_what_is_not_said_of_a_limit_stays(desk):
    limit(desk, window_days=7, day_most=1_500)
    limit(desk, most=6_000)
    row = AdjustmentLimit.objects.get(group__name="finance", book__code="CARD")
    assert (row.amount_most, row.window_days, row.day_most) == (6_000, 7, 1_500)
    limit(desk, day_most=None)
    row.refresh_from_db()
    assert (row.amount_most, row.window_days, row.day_most) == (5_000, 7, None)


@pytest.mark.parametrize(
    "lost",
    [
        lambda user: user.groups.clear(),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["right", "account"],
)
def test_the_first_approval_counts_as_long_as_its_giver_may_decide(desk, lost, make_user, caller_of):
    limit(desk)
    row = desk.propose(amount=2_000)
    desk.decide(row, "endorse", who=desk.second)
    lost(desk.second.user)
    assert codes(lambda: desk.decide(row)) == ["approval_void"]
    third = caller_of(make_user("finance-3", "finance"), at=desk.decider.at)
    assert desk.decide(row, "endorse", who=third).state == "endorsed"
    assert desk.decide(row).state == "approved"


def test_limits_that_changed_are_asked_again(desk):
    limit(desk)
    row = desk.propose(amount=2_000)
    desk.decide(row, "endorse", who=desk.second)
    AdjustmentLimit.objects.update(amount_most=1_500)
    assert codes(lambda: desk.decide(row)) == ["over_limit", "over_every_limit"]


def test_where_the_first_approval_counts_there_is_no_other_first(desk, make_user, caller_of):
    limit(desk)
    row = desk.propose(amount=2_000)
    desk.decide(row, "endorse", who=desk.second)
    assert codes(lambda: desk.decide(row, "endorse")) == ["wrong_state"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"is_active": False}, "reason_code_inactive"),
        ({"contra_accounts": {}}, "reason_code_of_other_book"),
        ({"contra_accounts": {"CARD": "cash"}}, "contra_account_moved"),
    ],
)
def test_the_reason_code_is_asked_again(desk, changed, code):
    row = desk.propose()
    said = {"code": "goodwill", "name": "Goodwill", "contra_accounts": {"CARD": "sales"}, "caller": desk.decider} | changed
    reason_codes.keep(**said)
    assert code in codes(lambda: desk.decide(row))
    # It can be rejected, which rests on nothing.
    assert desk.decide(row, "reject").state == "rejected"


def test_a_floor_is_waived_only_as_long_as_the_reason_code_says_so(desk):
    row = desk.propose(reason="chargeback", waives_floor=True)
    reason_codes.keep(code="chargeback", name="Chargeback", contra_accounts={"CARD": "sales"}, caller=desk.decider)
    assert "floor_not_waivable" in codes(lambda: desk.decide(row))


def disable(caller):
    User.objects.filter(pk=caller.user.pk).update(is_active=False)


def test_an_adjustment_of_somebody_who_may_not_propose_any_more_is_not_approved(desk):
    row = desk.propose()
    disable(desk.proposer)
    assert codes(lambda: desk.decide(row)) == ["proposer_away"]
    assert desk.decide(row, "reject").state == "rejected"


def test_a_reversal_of_somebody_who_may_not_propose_any_more_is_not_approved(desk):
    desk.ledger.sell("s-1", 5)
    entry = Entry.objects.get(reference="s-1")
    row = reversals.propose(entry_id=entry.pk, reason="Twice.", caller=desk.proposer)
    shown = reversal_queries.preview(entry).digest
    disable(desk.proposer)
    assert codes(lambda: reversals.approve(reversal_id=row.pk, digest_shown=shown, caller=desk.decider)) == ["proposer_away"]


def test_a_merge_of_somebody_who_may_not_propose_any_more_is_not_approved(desk):
    gone, stays = (desk.ledger.accounts[f"{name}-receivable"].holder_id for name in ("M1", "M2"))
    asked = merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One person.")
    row = merges.propose(asked, caller=desk.proposer)
    plan = merge_queries.facts(row, user=desk.decider.user, at=desk.decider.at).plan
    disable(desk.proposer)
    shown = merge_digest(plan.as_json()).hex()
    assert codes(lambda: merges.approve(merge_id=row.pk, digest_shown=shown, caller=desk.decider)) == ["proposer_away"]


def test_what_was_granted_lately_is_told(desk):
    desk.decide(desk.propose(amount=200))
    desk.decide(desk.propose(amount=-50))
    account = desk.ledger.accounts["wallet"]
    assert limits.granted(account, at=desk.decider.at + timedelta(days=1)) == (30, 2, 150, 250)
    assert limits.granted(account, at=desk.decider.at + timedelta(days=40)).number == 0
