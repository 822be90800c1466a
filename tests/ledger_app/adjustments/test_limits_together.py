"""Six times 5,000 is 30,000, however it is cut: by count, by day, by proposer, by decider, by member, by reason code, by what is decided."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import decided
from ledger_app.base.operations.audit import Caller
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest as merge_digest
from ledger_app.models import AdjustmentLimit, DecidedAmount, Entry
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_queries
from tests.support import adjusting, kept

pytestmark = pytest.mark.django_db
PIECE, PIECES = 5_000, 6


@kept.fixture
def desk(_folder):
    return adjusting.build()


def codes(work):
    with pytest.raises(errors.Refused) as refused:
        work()
    return [reason.code for reason in refused.value.reasons]


def limit(desk, most=PIECE * 4, alone=PIECE * 4, **more):
    reason_codes.set_limit(
        group="finance", book="CARD", amount_most=most, two_deciders_above=alone, caller=desk.administrator, **more
    )


def later(who: Caller, **span: int) -> Caller:
    return Caller(who.user, who.at + timedelta(**span), who.door)


def decided_before_refusal(desk, pieces):
    """Decide piece after piece; return the sum that went through, and what the first refusal said."""
    passed = 0
    for row, who in pieces:
        try:
            desk.decide(row, who=who)
        except errors.Refused as refused:
            return passed, [reason.code for reason in refused.reasons]
        passed += abs(row.amount)
    return passed, []


@pytest.mark.parametrize("amount", [PIECE, -PIECE])
@pytest.mark.parametrize("waives", [False, True])
def test_cut_by_count(desk, amount, waives):
    limit(desk)
    more = {"reason": "chargeback", "waives_floor": True} if waives else {}
    pieces = [(desk.propose(amount=amount, account="M1-receivable", **more), desk.decider) for _ in range(PIECES)]
    passed, said = decided_before_refusal(desk, pieces)
    assert (passed, said) == (PIECE * 4, ["over_limit_in_sum", "second_decider_needed_in_sum"])


def test_cut_by_proposer(desk):
    limit(desk)
    people = [adjusting.person(f"support-{number}", "support") for number in range(PIECES)]
    pieces = [
        (adjustments.propose(proposal=desk.proposal(amount=PIECE), caller=who, expires_at=adjusting.NEVER), desk.decider)
        for who in people
    ]
    assert decided_before_refusal(desk, pieces)[0] == PIECE * 4


def test_cut_by_decider_is_bounded_for_the_member_by_what_all_together_may(desk):
    limit(desk, member_day_most=PIECE * 2)
    deciders = [adjusting.person(f"finance-{number}", "finance") for number in range(10, 10 + PIECES)]
    pieces = [(desk.propose(amount=PIECE), who) for who in deciders]
    assert decided_before_refusal(desk, pieces) == (PIECE * 2, ["over_member_day_limit"])
    # Another member is another, and on the next day there is room again.
    desk.decide(desk.propose(amount=PIECE, account="M1-receivable"), who=deciders[-1])
    desk.decide(pieces[-1][0], who=later(deciders[-1], days=1))


def test_cut_by_decider_and_member_is_bounded_by_what_all_together_may(desk):
    limit(desk, all_day_most=PIECE * 3)
    deciders = [adjusting.person(f"finance-{number}", "finance") for number in range(10, 10 + PIECES)]
    accounts = ["wallet", "M1-receivable", "M2-receivable", "wallet", "M1-receivable", "M2-receivable"]
    pieces = [(desk.propose(amount=PIECE, account=code), who) for code, who in zip(accounts, deciders, strict=True)]
    assert decided_before_refusal(desk, pieces) == (PIECE * 3, ["over_day_limit_of_all"])


def test_an_adjustment_by_two_is_one_amount_of_all_together(desk):
    limit(desk, alone=1_000, all_day_most=PIECE)
    row = desk.propose(amount=PIECE)
    desk.decide(row, "endorse", who=desk.second)
    assert desk.decide(row).state == "approved"
    assert codes(lambda: desk.decide(desk.propose(amount=1))) == ["over_day_limit_of_all"]


def test_cut_by_reason_code(desk):
    limit(desk)
    limit(desk, most=PIECE * 2, alone=PIECE * 2, reason_code="goodwill")
    pieces = [(desk.propose(amount=PIECE), desk.decider) for _ in range(3)]
    said = ["over_limit_in_sum", "second_decider_needed_in_sum"]
    assert decided_before_refusal(desk, pieces) == (PIECE * 2, said)
    # With another reason code there is as much room as the limit of everything leaves.
    pieces = [(desk.propose(amount=PIECE, reason="chargeback"), desk.decider) for _ in range(3)]
    assert decided_before_refusal(desk, pieces) == (PIECE * 2, said)


def test_a_reason_code_has_a_day_of_all_together(desk):
    limit(desk)
    limit(desk, reason_code="goodwill", all_day_most=PIECE)
    desk.decide(desk.propose(amount=PIECE))
    with pytest.raises(errors.Refused) as refused:
        desk.decide(desk.propose(amount=1, account="M1-receivable"), who=desk.second)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.facts["book"], reason.facts["before"]) == ("over_day_limit_of_all", "CARD · goodwill", PIECE)
    desk.decide(desk.propose(amount=1, account="M1-receivable", reason="chargeback"), who=desk.second)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_day_ends_at_midnight_in_the_zone_of_the_book(desk, zone):
    book = desk.ledger.book
    book.time_zone = zone
    book.save()
    limit(desk, day_most=PIECE)
    noon = datetime(2017, 2, 1, 12, tzinfo=UTC)
    midnight = decided.Scope(book=book, user=desk.decider.user, at=noon).day + timedelta(days=1)
    before, after = (Caller(desk.decider.user, midnight + timedelta(seconds=part), "command") for part in (-1, 0))
    desk.decide(desk.propose(amount=PIECE), who=Caller(desk.decider.user, midnight - timedelta(hours=24), "command"))
    row = desk.propose(amount=PIECE, account="M1-receivable")
    assert codes(lambda: desk.decide(row, who=before)) == ["over_day_limit"]
    assert desk.decide(row, who=after).state == "approved"


def merged(desk, gone="M1", stays="M2"):
    from_id, to_id = (desk.ledger.accounts[f"{name}-receivable"].holder_id for name in (gone, stays))
    asked = merge_queries.proposal(holder_id=from_id, survivor_id=to_id, reason="One person.")
    row = merges.propose(asked, caller=desk.proposer)
    plan = merge_queries.facts(row, user=desk.decider.user, at=desk.decider.at).plan
    return merges.approve(merge_id=row.pk, digest_shown=merge_digest(plan.as_json()).hex(), caller=desk.decider)


@pytest.mark.parametrize("is_merged_first", [False, True])
def test_members_who_are_merged_have_one_sum(desk, is_merged_first):
    limit(desk, member_day_most=PIECE * 5)
    if is_merged_first:
        merged(desk)
        pieces = [desk.propose(amount=PIECE, account="M2-receivable") for _ in range(4)]
    else:
        pieces = [desk.propose(amount=PIECE, account=f"M{1 + part % 2}-receivable") for part in range(4)]
    for row in pieces:
        desk.decide(row)
    if not is_merged_first:
        merged(desk)
    row = desk.propose(amount=PIECE, account="M2-receivable")
    assert codes(lambda: desk.decide(row)) == ["over_limit_in_sum", "second_decider_needed_in_sum"]
    assert desk.decide(row, who=desk.second).state == "approved"
    one_more = desk.propose(amount=1, account="M2-receivable")
    assert codes(lambda: desk.decide(one_more, who=desk.second)) == ["over_member_day_limit"]


def undone(desk, reference):
    """Propose to take an entry back, and return what decides it."""
    entry = Entry.objects.get(reference=reference)
    row = reversals.propose(entry_id=entry.pk, reason="Wrong.", caller=desk.proposer)
    return lambda who=desk.decider: reversals.approve(
        reversal_id=row.pk,
        digest_shown=reversal_queries.preview_on(entry, row.effective_on, row.prior_period).digest,
        caller=who,
    )


def test_taking_adjustments_back_counts_as_adjusting(desk):
    limit(desk, most=PIECE * 3, alone=PIECE * 3)
    rows = [desk.propose(amount=PIECE, account="M1-receivable") for _ in range(3)]
    for row in rows:
        desk.decide(row)
    back = [undone(desk, f"adjustment:{row.pk}") for row in rows]
    assert codes(back[0]) == ["over_limit_in_sum"]
    for work in back:
        work(desk.second)
    assert DecidedAmount.objects.filter(decided_by=desk.second.user, reason_code__code="goodwill").count() == 3
    assert codes(lambda: desk.decide(desk.propose(amount=1, account="M1-receivable"), who=desk.second)) == [
        "over_limit_in_sum",
        "second_decider_needed_in_sum",
    ]


def test_what_one_decides_alone_bounds_what_one_takes_back(desk):
    limit(desk, alone=PIECE)
    row = desk.propose(amount=PIECE + 1)
    desk.decide(row, "endorse")
    desk.decide(row, who=desk.second)
    assert codes(lambda: undone(desk, f"adjustment:{row.pk}")(adjusting.person("finance-9", "finance"))) == ["over_limit_alone"]


def test_what_was_no_adjustment_is_taken_back_within_the_limits_of_a_day(desk):
    limit(desk, most=10, alone=10)
    for reference in ("s-1", "s-2"):
        desk.ledger.post(desk.ledger.draft(reference, ("M1-receivable", 500), ("sales", -500)))
    first, second = (undone(desk, reference) for reference in ("s-1", "s-2"))
    assert first().state == "posted"
    # It is no adjustment, and leaves the limits of adjustments as they were.
    desk.decide(desk.propose(amount=10, account="M1-receivable"))
    limit(desk, most=10, alone=10, member_day_most=1_000)
    assert codes(second) == ["over_member_day_limit"]


def test_an_account_that_no_member_holds_has_a_sum_of_its_own(desk):
    limit(desk)
    pieces = [(desk.propose(amount=PIECE, account="cash"), desk.decider) for _ in range(PIECES)]
    assert decided_before_refusal(desk, pieces)[0] == PIECE * 4


def test_a_limit_of_a_reason_code_is_named_and_kept_beside_that_of_everything(desk):
    limit(desk, most=100, alone=50, reason_code="goodwill", window_days=3)
    rows = AdjustmentLimit.objects.filter(group__name="finance", book__code="CARD").order_by("reason_code")
    assert [(row.reason_code, row.amount_most, row.window_days) for row in rows] == [
        ("", adjusting.LIMIT, 30),
        ("goodwill", 100, 3),
    ]
    assert str(rows[1]) == "finance CARD goodwill"
    assert codes(lambda: limit(desk, reason_code="no-such")) == ["not_found"]


def test_whoever_decides_by_a_group_without_the_limit_of_a_reason_code_is_not_bound_by_it(desk):
    limit(desk, most=100, alone=100, reason_code="goodwill")
    group = Group.objects.get(name="support")
    reason_codes.set_limit(group="support", book="CARD", amount_most=1_000, two_deciders_above=1_000, caller=desk.administrator)
    assert codes(lambda: desk.decide(desk.propose(amount=200))) == ["over_limit"]
    desk.decider.user.groups.add(group)
    assert desk.decide(desk.propose(amount=200)).state == "approved"


@pytest.mark.parametrize(
    "said",
    [
        {"alone": PIECE * 5},
        {"window_days": 0},
        {"window_days": 367},
        {"day_most": -1},
        {"member_day_most": -1},
        {"all_day_most": 10**18},
    ],
)
def test_a_limit_that_makes_no_sense_says_what_would(desk, said):
    with pytest.raises(errors.Refused) as refused:
        limit(desk, **said)
    (reason,) = refused.value.reasons
    assert reason.code == "limit_invalid"
    for word in ("for one member in sum over", "by one person alone", "from 1 to 366", "1,000,000,000,000,000 JPY"):
        assert word in str(reason)
