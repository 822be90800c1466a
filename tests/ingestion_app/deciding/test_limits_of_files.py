"""Six files of 5,000 are 30,000, as one file of 30,000 is: files of adjustments count against the limits as adjustments one by one do."""

from datetime import date

import pytest
from django.contrib.auth.models import Group

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as adjustment_queries
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.books.operations import books
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest as merge_digest
from ledger_app.models import Account, DecidedAmount, Entry, User
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_queries
from tests.ingestion_app.deciding.test_batches_of_adjustments import sent
from tests.ingestion_app.deciding.test_batches_of_adjustments import world as world  # noqa: PLC0414 - a fixture
from tests.support import world as worlds
from tests.support.adjusting import NEVER


def limit(world, alone, most=None, **more):
    reason_codes.set_limit(
        group="finance",
        book="POINTS",
        amount_most=most or alone,
        two_deciders_above=alone,
        caller=world.caller(world.superuser),
        **more,
    )


def file_of(world, sequence, *amounts, reason="goodwill"):
    rows = [
        (member, amount, reason, f"T-{sequence}", "2017-01-31", "x")
        for member, amount in zip(("1001", "1002", "1003"), amounts, strict=False)
        if amount
    ]
    batch = sent(world, rows, sequence)
    assert batch.state == "validated"
    return batch


def codes(work):
    with pytest.raises(errors.Refused) as refused:
        work()
    return [reason.code for reason in refused.value.reasons]


def another(world):
    user = User.objects.create(username="finance-9", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    world.finance = user
    return user


def one_by_one(world, amount, member="1001"):
    proposal = Proposal(
        key=f"k-{Entry.objects.count()}-{amount}-{member}",
        book="POINTS",
        account=f"points.{member}",
        amount=amount,
        effective_on=date(2017, 1, 31),
        reason="goodwill",
        text="x",
    )
    row = adjustments.propose(proposal=proposal, caller=world.caller(world.support), expires_at=NEVER)
    shown = adjustment_queries.preview(adjustment_queries.terms_of(row)).digest
    return adjustments.decide(adjustment_id=row.pk, name="approve", caller=world.caller(world.finance), digest_shown=shown)


def test_a_file_cut_into_files_is_one(world):
    limit(world, 1_000)
    # Each is for another member, and none is applied when the next is approved.
    batches = [file_of(world, 1, 500), file_of(world, 2, 0, 500), file_of(world, 3, 0, 0, 1)]
    for batch in batches[:2]:
        world.approve(batch)
    assert codes(lambda: world.approve(batches[2])) == ["batch_over_limit_in_sum"]
    another(world)
    assert world.approve(batches[2]).state == "approved"


def test_a_member_has_one_sum_of_files_and_adjustments(world):
    limit(world, 1_000)
    one_by_one(world, 600)
    batch = file_of(world, 1, 401)
    with pytest.raises(errors.Refused) as refused:
        world.approve(batch)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.facts["book"], reason.facts["before"]) == ("over_limit_in_sum", "POINTS · points.1001", 600)
    world.approve(file_of(world, 2, 400))
    assert codes(lambda: one_by_one(world, 1)) == ["over_limit_in_sum", "second_decider_needed_in_sum"]
    one_by_one(world, 1, "1002")


def test_what_all_together_decide_counts_files(world):
    limit(world, 1_000, member_day_most=900, all_day_most=1_500)
    world.approve(file_of(world, 1, 600, 300))
    another(world)
    batch = file_of(world, 2, 301)
    assert codes(lambda: world.approve(batch)) == ["over_member_day_limit"]
    assert codes(lambda: world.approve(file_of(world, 3, 0, 0, 601))) == ["over_day_limit_of_all"]
    assert codes(lambda: one_by_one(world, 301)) == ["over_member_day_limit"]


def test_a_reason_code_counts_in_files(world):
    limit(world, 1_000)
    limit(world, 500, reason_code="goodwill", all_day_most=700)
    world.approve(file_of(world, 1, 400))
    assert codes(lambda: world.approve(file_of(world, 2, 101))) == ["over_limit_in_sum"]
    assert codes(lambda: world.approve(file_of(world, 3, 0, 301))) == ["over_day_limit_of_all"]
    assert world.approve(file_of(world, 4, 0, 301, reason="correction")).state == "approved"


def test_what_was_withdrawn_or_validated_again_counts_no_more(world):
    limit(world, 1_000)
    first = world.approve(file_of(world, 1, 1_000))
    second = file_of(world, 2, 0, 1_000)
    assert codes(lambda: world.approve(second)) == ["batch_over_limit_in_sum"]
    world.withdraw(first)
    world.approve(second)
    assert [row.voided_at is None for row in DecidedAmount.objects.order_by("id")] == [False, True]
    world.validate(second)
    assert DecidedAmount.objects.filter(voided_at__isnull=True).count() == 0


def test_the_reversal_of_a_file_counts(world):
    limit(world, 1_000)
    batch = world.apply(world.approve(file_of(world, 1, 600))).batch
    another(world)
    back = world.reverse(batch)
    one_by_one(world, 401)
    assert codes(lambda: world.approve(back)) == ["over_limit_in_sum"]
    another_one = User.objects.create(username="finance-10", is_staff=True)
    another_one.groups.add(Group.objects.get(name="finance"))
    world.finance = another_one
    assert world.approve(back).state == "approved"
    assert codes(lambda: one_by_one(world, 401)) == ["over_limit_in_sum", "second_decider_needed_in_sum"]


def test_taking_back_one_entry_of_a_file_counts(world):
    limit(world, 1_000)
    world.apply(world.approve(file_of(world, 1, 600)))
    entry = Entry.objects.get(reference="adjustments:T-1/1001")
    row = reversals.propose(entry_id=entry.pk, reason="Wrong.", caller=world.caller(world.support))
    shown = reversal_queries.preview_on(entry, row.effective_on, row.prior_period).digest
    approve = lambda: reversals.approve(reversal_id=row.pk, digest_shown=shown, caller=world.caller(world.finance))  # noqa: E731
    assert codes(approve) == ["over_limit_in_sum"]
    another(world)
    assert approve().state == "posted"
    assert DecidedAmount.objects.filter(kind="reversal", reason_code__code="goodwill").count() == 1


def test_members_who_were_merged_have_one_sum_of_files(world):
    limit(world, 1_000)
    one_by_one(world, 600)
    world.approve(file_of(world, 1, 0, 400))
    gone, stays = (Account.objects.get(code=f"points.{number}").holder_id for number in ("1001", "1002"))
    assert gone is not None
    assert stays is not None
    world.apply(world.approve(sent(world, [("1003", 1, "correction", "T-8", "2017-01-31", "x")], 8)))
    for book in (world.card, world.points):
        days = {"starts_on": date(2017, 3, 1), "ends_on": date(2017, 3, 31)}
        books.open_period(book=book, name="2017-03", caller=world.caller(world.system), **days)
    merge = merges.propose(
        merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One."), caller=world.caller(world.support)
    )
    plan = merge_queries.facts(merge, user=world.finance, at=worlds.NOW).plan
    merges.approve(merge_id=merge.pk, digest_shown=merge_digest(plan.as_json()).hex(), caller=world.caller(world.finance))
    batch = file_of(world, 2, 0, 1)
    assert codes(lambda: world.approve(batch)) == ["over_limit_in_sum"]


def test_whoever_received_or_validated_it_must_still_be_able_to(world):
    limit(world, 1_000)
    batch = file_of(world, 1, 1)
    engineer = batch.received_by
    if engineer.username == User.SYSTEM:
        pytest.skip("the system received it, and is never away")
    engineer.groups.clear()
    assert codes(lambda: world.approve(batch)) == ["batch_proposer_away"]


def test_whoever_proposed_a_reversal_must_still_be_able_to(world):
    limit(world, 1_000)
    back = world.reverse(world.apply(world.approve(file_of(world, 1, 1))).batch)
    User.objects.filter(pk=back.received_by_id).update(is_active=False)
    assert codes(lambda: world.approve(back)) == ["batch_proposer_away"]
