"""A batch is undone as a whole by a batch of its own: planned, approved by another person, applied chunk by chunk, and exact."""

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from ingestion_app.deciding.operations import reversing
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch
from ledger_app.errors import Refused
from ledger_app.models import AuditRow, Entry, Posting, User
from tests.support.undoing import SECOND_NAME, amounts, breaches, refused, reverse_singly
from tests.support.world import FIXED, PURCHASES, World, card_file, codes, work

pytestmark = pytest.mark.django_db


def test_a_reversal_undoes_a_batch_and_nets_to_zero(world: World) -> None:
    first = world.applied(card_file([FIXED._replace(slip="before")], sequence=2), name=SECOND_NAME)
    before = amounts()
    original = world.applied()
    reversal = world.reverse(original)

    assert (reversal.state, reversal.reverses, reversal.receipt, reversal.holds_original) == ("validated", original, None, True)
    assert (reversal.holds_slot, reversal.holds_file, reversal.received_by, reversal.planned_by) == (
        None,
        None,
        world.engineer,
        world.engineer,
    )
    assert (reversal.record_count, reversal.record_sum) == (7, 14644)
    assert reversal.totals == original.totals
    assert (reversal.first_on, reversal.last_on) == (original.first_on, original.last_on)
    assert reversal.reversal_dates == {"CARD": {"2017-01": [None, 7]}, "POINTS": {"2017-01": [None, 6]}}
    assert [*reversal.chunks.order_by("number").values_list("undoes", "record_count", "record_sum")] == [
        *original.chunks.order_by("-number").values_list("id", "record_count", "record_sum")
    ]
    assert amounts() != before, "nothing is posted by a proposal"

    done = world.apply(world.approve(reversal))

    assert (done.batch.state, done.stopped, done.applied) == ("applied", {}, original.chunks.count())
    original.refresh_from_db()
    assert (original.state, original.holds_slot, original.holds_file) == ("reversed", None, None)
    assert amounts() == before
    entry = Entry.objects.get(book=world.card, reference="till:s3")
    undone = Entry.objects.get(reverses=entry)
    assert (undone.reference, undone.description, undone.effective_on) == (
        f"reversal:{entry.pk}",
        "Reversal of till:s3",
        entry.effective_on,
    )
    assert [*undone.lines.order_by("id").values_list("account", "amount")] == [
        (account, -amount) for account, amount in entry.lines.order_by("id").values_list("account", "amount")
    ]
    assert (undone.posting.origin_kind, undone.posting.reason) == ("chunk", str(reversal))
    assert breaches(world) == []
    assert Batch.objects.get(pk=first.pk).state == "applied"
    assert world.freeze(reversal).state == "frozen"
    assert breaches(world) == []


def test_every_step_of_it_has_its_audit_row(world: World) -> None:
    original = world.applied()
    reversal = world.reversed(original)
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=original.pk).order_by("id")
    assert [*rows.values_list("action", "from_state", "to_state", "reason")][-2:] == [
        ("reverse", "applied", "applied", "The wrong file."),
        ("undo", "applied", "reversed", ""),
    ]
    assert rows.get(action="reverse").facts["reversal"] == rows.get(action="undo").facts["reversal"] == reversal.pk
    assert [*AuditRow.objects.filter(subject_type="batch", subject_id=reversal.pk).values_list("action", flat=True)] == [
        "propose",
        "validate",
        "approve",
        "apply",
        "finish",
    ]
    assert original.history.latest().state == "reversed"


def test_the_same_bytes_can_come_again_afterwards_and_a_corrected_file_under_the_same_keys(world: World) -> None:
    """A reversed entry gives its reference on: to the same content again, and then to another."""
    original = world.applied()
    assert world.receipt(card_file()).outcome == "duplicate"
    reversal = world.reversed(original)
    again = world.validated()
    assert again.pk != original.pk
    assert {*again.findings.values_list("rule", "severity")} >= {("ledger.reference_reversed", "note")}
    finding = again.findings.filter(rule="ledger.reference_reversed").earliest("id")
    assert (finding.facts["batch"], finding.facts["reversal"]) == (original.pk, reversal.pk)
    assert world.apply(world.approve(again)).batch.state == "applied"
    world.reversed(again)
    right = world.applied(card_file([each._replace(amount="77") for each in PURCHASES[:2]], sequence=2), name=SECOND_NAME)
    assert right.state == "applied"
    assert amounts()["receivable.1001"] == 77
    assert breaches(world) == []


def test_an_entry_that_was_reversed_by_itself_comes_again_with_a_warning(world: World) -> None:
    world.applied(card_file([FIXED]))
    reverse_singly(world, "till:s1")
    again = world.receive(card_file([FIXED._replace(amount="70")], sequence=2), name=SECOND_NAME)
    batch = world.validate(again)
    assert batch.state == "validated"
    assert [*batch.findings.values_list("rule", "severity")] == [("ledger.reference_reversed_singly", "warning")]
    assert world.apply(world.approve(batch)).batch.state == "applied"
    assert breaches(world) == []


def test_entries_are_reversed_from_the_last_to_the_first(world: World) -> None:
    """A refund comes after the points that it takes: undone in the same order, the account would be below its floor on the way."""
    refund = FIXED._replace(slip="refund", amount="-15000")
    original = world.applied(card_file([FIXED._replace(amount="15000"), refund]))
    reversal = world.reversed(original)
    assert reversal.state == "applied"
    posting = Posting.objects.get(origin_kind="chunk", origin_id=reversal.chunks.get().pk)
    undone = posting.entries.filter(book=world.points).order_by("id").values_list("reverses__reference", flat=True)
    assert [*undone] == ["till:refund", "till:s1"]
    assert amounts() == {}


def test_who_proposed_may_not_approve_superusers_included(world: World) -> None:
    original = world.applied()
    reversal = world.reverse(original, user=world.superuser)
    assert refused(lambda: world.approve(reversal, user=world.superuser)) == ["own_proposal", "own_proposal"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=reversal.pk).update(approved_by=world.superuser)
    assert world.approve(reversal).approved_by == world.finance


def test_an_engineer_with_the_rights_of_finance_may_not_approve_their_own(world: World) -> None:
    world.engineer.groups.add(Group.objects.get(name="finance"))
    engineer = User.objects.get(pk=world.engineer.pk)
    original = world.applied()
    assert refused(lambda: world.approve(world.reverse(original, user=engineer), user=engineer)) == ["own_proposal"] * 2


@pytest.mark.parametrize("role", ["finance", "support", "system"])
def test_proposing_needs_the_right_and_a_reason(world: World, role: str) -> None:
    original = world.applied()
    before = work(original.pk)
    assert refused(lambda: world.reverse(original, user=getattr(world, role))) == ["not_permitted"]
    assert refused(lambda: world.reverse(original, reason=" ")) == ["reason_required"]
    assert refused(lambda: reversing.propose(batch_id=original.pk, reason="x", caller=world.caller(), version=1)) == ["stale"]
    assert (work(original.pk), Batch.objects.count()) == (before, 1)
    assert AuditRow.objects.filter(action="reverse", outcome="refused").count() == 3


def test_an_approval_names_the_plan_that_was_shown(world: World) -> None:
    reversal = world.reverse(world.applied())
    assert refused(lambda: world.approve(reversal, digest="0" * 64)) == ["plan_not_shown"]
    assert batches.rows_digest(reversal) == batches.hexadecimal(reversal.plan_digest)


def test_a_batch_has_one_reversal_at_a_time(world: World) -> None:
    original = world.applied()
    reversal = world.reverse(original)
    with pytest.raises(Refused) as refusal:
        world.reverse(original, user=world.other_engineer)
    assert codes(refusal.value.reasons) == ["reversal_open"]
    assert refusal.value.reasons[0].facts == {"reversal": reversal.pk}
    assert refused(lambda: world.freeze(original)) == ["reversal_open"]


def test_a_reversal_that_was_withdrawn_is_proposed_anew(world: World) -> None:
    original = world.applied()
    ended = world.withdraw(world.reverse(original))
    assert (ended.state, ended.holds_original) == ("withdrawn", None)
    assert world.reversed(original).reverses == original
    assert breaches(world) == []


@pytest.mark.parametrize("kind", ["frozen", "reversed", "validated", "received"])
def test_only_what_is_in_the_ledger_and_has_not_ended_is_reversed(world: World, kind: str) -> None:
    if kind == "frozen":
        batch = world.freeze(world.applied())
    elif kind == "reversed":
        batch = world.applied()
        world.reversed(batch)
    else:
        batch = world.receive() if kind == "received" else world.validated()
    assert refused(lambda: world.reverse(batch)) == ["wrong_state"]


def test_a_reversal_is_not_reversed(world: World) -> None:
    reversal = world.reversed(world.applied())
    assert refused(lambda: world.reverse(reversal)) == ["batch_is_reversal"]
