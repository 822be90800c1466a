"""A batch is undone as a whole by a batch of its own: planned, approved by another person, applied chunk by chunk, and exact."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ingestion_app.models import Batch, Chunk
from ingestion_app.operations import applying, deciding, reversing
from ingestion_app.queries import batches, closing, objections, reversals, undone
from ledger_app.errors import Refused
from ledger_app.models import Account, AuditRow, Balance, Entry, Holder, Line, Period, Posting, User
from ledger_app.models.entries import PLACES
from ledger_app.operations import entries, transactions, verification
from ledger_app.rules.posting import Draft
from tests.ingestion_app.operations.world import (
    DAY,
    FIXED,
    NOW,
    PURCHASES,
    World,
    card_file,
    clock,
    codes,
    ledger,
    set_account,
    work,
)
from tests.ledger_app.reversing import reverse_entry

pytestmark = pytest.mark.django_db

SECOND_NAME = "till-2017-01-31-2.csv"


def breaches(world: World) -> list[str]:
    verified = verification.verify(books=[world.card, world.points], at=NOW, now=clock)
    return [breach for result in verified.results for breach in result["breaches"]]


def amounts() -> dict[str, int]:
    """Return the balances that are not zero, stripes summed."""
    found: dict[str, int] = {}
    for code, amount in Balance.objects.values_list("account__code", "amount"):
        found[code] = found.get(code, 0) + amount
    return {code: amount for code, amount in found.items() if amount}


def refused(doing: Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as refusal:
        doing()
    return codes(refusal.value.reasons)


def reverse_singly(world: World, reference: str, on: date = DAY) -> None:
    entry = Entry.objects.get(reference=reference, book=world.card)
    reverse_entry(entry_id=entry.pk, effective_on=on, reason="Bought by another.", caller=world.caller(world.finance))


def spend(world: World, member: str, points: int) -> None:
    """Post an entry that takes points from a member, as another batch or a person does."""
    account = Account.objects.get(code=f"points.{member}")
    expense = Account.objects.get(code="programme.expense")
    origin = entries.Origin(Posting.Origin.OPENING, 1000 + Posting.objects.count())
    draft = Draft(world.points.pk, DAY, f"spent-{origin.id}", "", ((account.pk, points), (expense.pk, -points)))
    transactions.run(lambda: entries.post(drafts=[draft], origin=origin, caller=world.caller()))


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


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
        "approve",
        "apply",
        "finish",
    ]
    assert original.history.latest().state == "reversed"


def test_the_same_bytes_can_come_again_afterwards_but_records_keep_their_references(world: World) -> None:
    original = world.applied()
    assert world.receipt(card_file()).outcome == "duplicate"
    world.reversed(original)
    again = world.receive(card_file())
    assert again != original
    assert world.validate(again).state == "rejected"
    assert set(again.findings.filter(severity="error").values_list("rule", flat=True)) == {"ledger.reference_exists_same"}
    right = world.applied(
        card_file([each._replace(slip=f"{each.slip}-right") for each in PURCHASES[:2]], sequence=2), name=SECOND_NAME
    )
    assert right.state == "applied"


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


def test_a_reversal_is_neither_reversed_nor_validated(world: World) -> None:
    reversal = world.reversed(world.applied())
    assert refused(lambda: world.reverse(reversal)) == ["batch_is_reversal"]
    other = world.reverse(world.applied(card_file([FIXED._replace(slip="other")], sequence=2), name=SECOND_NAME))
    assert refused(lambda: world.validate(other)) == ["reversal_has_no_file"]


def test_what_would_break_a_floor_is_refused_and_names_the_account(world: World) -> None:
    original = world.applied()
    spend(world, "1004", 100)
    before = ledger()
    with pytest.raises(Refused) as refusal:
        world.reverse(original)
    entry = Entry.objects.get(book=world.points, reference="till:s6")
    facts = {"account": "points.1004", "balance": -100, "floor": 0, "reference": f"reversal:{entry.pk}"}
    assert [(reason.code, reason.facts) for reason in refusal.value.reasons] == [("floor_broken", facts)]
    assert (ledger(), Batch.objects.count()) == (before, 1)
    assert codes(reversals.preview(original).refusals) == ["floor_broken"]
    spend(world, "1004", -100)
    assert world.reversed(original).state == "applied"


def test_of_many_accounts_the_first_are_named_and_the_others_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objections, "ACCOUNTS_NAMED", 2)
    original = world.applied()
    for member in ("1002", "1003", "1004", "1005"):
        spend(world, member, 1)
    reasons = objections.floors_broken(original)
    assert [reason.facts.get("account", reason.facts.get("count")) for reason in reasons] == ["points.1002", "points.1003", 2]


def test_of_an_account_that_would_break_its_floor_twice_the_lowest_point_is_told(world: World) -> None:
    original = world.applied(card_file([FIXED._replace(amount="900"), FIXED._replace(slip="later", amount="500")]))
    spend(world, "1001", 10)
    (reason,) = objections.floors_broken(original)
    first = Entry.objects.get(book=world.points, reference="till:s1")
    assert reason.facts == {"account": "points.1001", "balance": -10, "floor": 0, "reference": f"reversal:{first.pk}"}


def test_a_floor_that_breaks_after_the_proposal_stops_the_chunk(world: World) -> None:
    reversal = world.approve(world.reverse(world.applied()))
    spend(world, "1004", 100)
    done = world.apply(reversal)
    assert [codes(reasons) for reasons in done.stopped.values()] == [["floor_broken"]]
    assert Batch.objects.get(reversals=reversal).state == "applied"
    spend(world, "1004", -100)
    assert world.apply(reversal).batch.state == "applied"
    assert amounts() == {}


def test_what_was_reversed_by_itself_before_is_left_out(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.reverse(original)
    assert (reversal.totals["CARD"], original.totals["CARD"]) == ([6, 12, 14494], [7, 14, 14644])
    assert (reversal.record_count, reversal.record_sum) == (7, 14644)
    done = world.apply(world.approve(reversal))
    assert (done.batch.state, amounts(), breaches(world)) == ("applied", {}, [])


def test_a_batch_of_which_all_was_reversed_by_itself_has_nothing_to_reverse(world: World) -> None:
    original = world.applied(card_file([FIXED._replace(amount="50")]))
    reverse_singly(world, "till:s1")
    assert refused(lambda: world.reverse(original)) == ["nothing_to_reverse"]


def test_what_is_reversed_by_itself_after_the_proposal_voids_it(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.reverse(original)
    reverse_singly(world, "till:s2")
    with pytest.raises(Refused, match="1 entries were reversed by themselves") as refusal:
        world.approve(reversal)
    assert codes(refusal.value.reasons) == ["reversal_moved"]
    world.withdraw(reversal)
    world.reversed(original)
    assert (amounts(), breaches(world)) == ({}, [])


def test_what_is_reversed_by_itself_while_it_is_applied_stops_its_chunk(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.approve(world.reverse(original))
    Batch.objects.filter(pk=reversal.pk).update(state="applying")
    reverse_singly(world, "till:s2")
    done = world.apply(reversal)
    ((number, reasons),) = done.stopped.items()
    assert [(reason.code, reason.facts["reference"]) for reason in reasons] == [("already_reversed", "till:s2")]
    assert set(reversal.chunks.exclude(number=number).values_list("state", flat=True)) == {"applied"}


def test_where_its_period_is_shut_an_entry_is_reversed_in_the_next_open_one_and_says_so(world: World) -> None:
    original = world.applied(card_file([FIXED, FIXED._replace(slip="later", bought_at="2017-02-03T00:00:00Z")]))
    Period.objects.filter(book=world.card, name="2017-01").update(state="frozen")
    reversal = world.reverse(original)
    assert reversal.reversal_dates == {
        "CARD": {"2017-01": ["2017-02-01", 1], "2017-02": [None, 1]},
        "POINTS": {"2017-01": [None, 1], "2017-02": [None, 1]},
    }
    assert (reversal.first_on, reversal.last_on) == (date(2017, 1, 5), date(2017, 2, 3))
    assert world.apply(world.approve(reversal)).batch.state == "applied"
    undone = {
        (entry.book.code, entry.reverses.reference): (entry.effective_on, entry.description)
        for entry in Entry.objects.filter(reverses__isnull=False).select_related("reverses", "book")
        if entry.reverses
    }
    assert undone["CARD", "till:s1"] == (date(2017, 2, 1), "Reversal of till:s1, prior period 2017-01")
    assert undone["CARD", "till:later"] == (date(2017, 2, 3), "Reversal of till:later")
    assert undone["POINTS", "till:s1"] == (date(2017, 1, 5), "Reversal of till:s1")
    assert amounts() == {}


def test_where_no_period_is_open_nothing_is_proposed(world: World) -> None:
    original = world.applied()
    Period.objects.filter(book=world.card).update(state="provisional")
    assert set(refused(lambda: world.reverse(original))) == {"no_period_open"}


@pytest.mark.parametrize("state", ["validated", "approved"])
def test_a_period_that_is_shut_after_the_proposal_voids_it_and_nothing_is_dated_anew(world: World, state: str) -> None:
    reversal = world.reverse(world.applied())
    if state == "approved":
        reversal = world.approve(reversal)
    Period.objects.filter(book=world.card, name="2017-01").update(state="provisional")
    assert refused(lambda: world.apply(reversal) if state == "approved" else world.approve(reversal)) == ["reversal_moved"]
    Batch.objects.filter(pk=reversal.pk, state="approved").update(state="applying")
    if state == "approved":
        done = world.apply(reversal)
        assert {code for reasons in done.stopped.values() for code in codes(reasons)} == {"period_provisional"}


def test_an_account_that_is_not_open_refuses_the_proposal_and_voids_it_afterwards(world: World) -> None:
    original = world.applied()
    set_account("receivable.1001", "suspended")
    with pytest.raises(Refused) as refusal:
        world.reverse(original)
    assert [(reason.code, reason.facts["account"]) for reason in refusal.value.reasons] == [
        ("account_not_open", "receivable.1001")
    ]
    set_account("receivable.1001", "open")
    reversal = world.reverse(original)
    set_account("points.1004", "suspended")
    assert refused(lambda: world.approve(reversal)) == ["reversal_moved"]


def merge(member: str, into: str) -> Holder:
    """Merge a member into another, as support does, and return the other."""
    other = Account.objects.get(code=f"points.{into}").holder
    assert other is not None
    Holder.objects.filter(accounts__code=f"points.{member}").update(merged_into=other)
    return other


def test_a_member_who_was_merged_refuses_the_proposal_and_voids_it_afterwards(world: World) -> None:
    original = world.applied()
    other = merge("1001", "1006")
    with pytest.raises(Refused) as refusal:
        world.reverse(original)
    assert [(reason.code, reason.facts["account"], reason.facts["into"]) for reason in refusal.value.reasons] == [
        ("holder_merged", "points.1001", other.pk),
        ("holder_merged", "receivable.1001", other.pk),
    ]
    assert codes(reversals.preview(original).refusals) == ["holder_merged"] * 2


def test_a_member_who_is_merged_after_the_proposal_voids_it(world: World) -> None:
    original = world.applied()
    merge("1999", "1006")
    reversal = world.reverse(original)
    merge("1004", "1006")
    with pytest.raises(Refused, match="1 members were merged into others") as refusal:
        world.approve(reversal)
    assert codes(refusal.value.reasons) == ["reversal_moved"]


def test_members_without_a_line_in_the_batch_do_not_refuse_and_of_many_the_first_are_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = world.applied(card_file([FIXED, FIXED._replace(member="1002", slip="s2")]))
    merge("1003", "1006")
    assert objections.accounts_away(original) == []
    merge("1001", "1006")
    merge("1002", "1006")
    monkeypatch.setattr(objections, "ACCOUNTS_NAMED", 3)
    named = [reason.facts["account"] for reason in objections.accounts_away(original)]
    assert named == ["points.1001", "points.1002", "receivable.1001"]


def test_a_batch_whose_entries_have_keys_from_before_they_were_made_of_the_postings_is_reversed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(entries, "PLACES", 100)
        original = world.applied()
        reverse_singly(world, "till:s1")
    posting = Posting.objects.filter(origin_kind="chunk").latest("id")
    assert posting.entries.latest("id").pk < posting.pk * PLACES
    spend(world, "1004", 100)
    assert codes(reversals.preview(original).refusals) == ["floor_broken"]
    spend(world, "1004", -100)
    assert reversals.preview(original).totals["CARD"] == [6, 12, 14494]
    withdrawn = world.reverse(original)
    reverse_singly(world, "till:s2")
    assert refused(lambda: world.approve(withdrawn)) == ["reversal_moved"]
    world.withdraw(withdrawn)
    assert world.reversed(original).totals["CARD"] == [5, 10, 14244]
    assert (amounts(), breaches(world)) == ({}, [])


def stuck(world: World) -> Batch:
    """Return a batch whose chunk for shop 32 cannot be applied."""
    batch = world.approved(card_file([each._replace(shop="32" if each.member == "1006" else "31") for each in PURCHASES]))
    set_account("settlement.32", "suspended")
    done = world.apply(batch)
    assert (done.batch.state, len(done.stopped)) == ("applying", 1)
    return done.batch


def pause(world: World, batch: Batch) -> None:
    applying.pause(batch_id=batch.pk, reason="Shop 32 stays closed.", caller=world.caller())


def test_a_batch_that_is_stuck_is_paused_and_reversed(world: World) -> None:
    original = stuck(world)
    assert refused(lambda: world.reverse(original)) == ["still_applying"]
    pause(world, original)
    tokens = dict(original.chunks.values_list("number", "lease_token"))
    reversal = world.reverse(original)
    original.refresh_from_db()
    assert (original.state, original.is_paused) == ("applying", True)
    assert original.chunks.get(state="stopped").lease_token == tokens[original.chunks.get(state="stopped").number] + 1
    assert reversal.chunks.count() == original.chunks.count() - 1
    assert refused(lambda: applying.begin(batch_id=original.pk, caller=world.caller(), name="resume")) == ["reversal_open"]

    done = world.apply(world.approve(reversal))

    original.refresh_from_db()
    assert (done.batch.state, original.state, original.is_paused) == ("applied", "reversed", False)
    assert (amounts(), breaches(world)) == ({}, [])


def test_a_stuck_batch_whose_reversal_was_withdrawn_can_be_taken_up_again(world: World) -> None:
    original = stuck(world)
    pause(world, original)
    world.withdraw(world.reverse(original))
    set_account("settlement.32", "open")
    applying.begin(batch_id=original.pk, caller=world.caller(), name="resume")
    assert applying.carry_on(batch_id=original.pk, caller=world.caller(), now=clock).batch.state == "applied"


def test_a_reversal_that_was_cut_off_goes_on_where_it_was(world: World) -> None:
    original = world.applied()
    reversal = world.approve(world.reverse(original))
    of_chunk, calls = reversals.of_chunk, []

    def cut_off(chunk: Chunk) -> Any:
        calls.append(chunk)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return of_chunk(chunk)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reversals, "of_chunk", cut_off)
        with pytest.raises(KeyboardInterrupt):
            world.apply(reversal)
    assert [*reversal.chunks.order_by("number").values_list("state", flat=True)][:2] == ["applied", "pending"]
    assert Batch.objects.get(pk=original.pk).state == "applied"
    done = world.apply(reversal)
    assert (done.batch.state, done.skipped, amounts(), breaches(world)) == ("applied", 1, {}, [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("records_digest = x'00'", "records_differ"),
        (
            "undoes_id = (SELECT MIN(id) FROM (SELECT id FROM ingestion_app_chunk WHERE state = 'applied') AS others)",
            "records_differ",
        ),
        ("record_count = record_count + 1", "chunk_differs"),
        ('totals = \'{"CARD": [2, 4, 1], "POINTS": [1, 2, 1]}\'', "chunk_differs"),
    ],
)
def test_a_chunk_that_was_altered_stops(world: World, change: str, code: str) -> None:
    reversal = world.approve(world.reverse(world.applied()))
    applying.begin(batch_id=reversal.pk, caller=world.caller())
    execute(f"UPDATE ingestion_app_chunk SET {change} WHERE batch_id = {reversal.pk} AND number = 0")
    done = applying.carry_on(batch_id=reversal.pk, caller=world.caller(), now=clock)
    assert codes(done.stopped[0]) == [code]
    chunk = Chunk.objects.get(batch=reversal, number=0)
    assert (chunk.state, Posting.objects.filter(origin_kind="chunk", origin_id=chunk.pk).exists()) == ("stopped", False)


def test_the_parts_of_one_members_records_are_undone_from_the_last_to_the_first(world: World) -> None:
    """His points are granted and taken again: undone in the order in which they came, they would fall below their floor."""
    records = [
        FIXED._replace(slip=f"s{number}", amount=str(amount))
        for number, amount in enumerate((900, 900, 900, -800, -800, -800, 500))
    ]
    original = world.applied(card_file(records))
    assert [*original.chunks.order_by("number").values_list("record_count", flat=True)] == [3, 3, 1]
    assert not original.chunks.filter(holder__isnull=True).exists()
    done = world.apply(world.approve(world.reverse(original)))
    assert (done.batch.state, done.stopped, amounts(), breaches(world)) == ("applied", {}, {}, [])


@pytest.mark.parametrize("change", ["reversal_dates = '{}'", "record_sum = 1", "first_on = '2017-01-01'"])
def test_a_plan_that_was_altered_is_refused(world: World, change: str) -> None:
    reversal = world.approve(world.reverse(world.applied()))
    execute(f"UPDATE ingestion_app_batch SET {change} WHERE id = {reversal.pk}")
    assert refused(lambda: world.apply(reversal)) == ["plan_damaged"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE ingestion_app_batch SET state = 'applied' WHERE id = {original}", "which it reverses, is Applied"),
        ("UPDATE ingestion_app_batch SET state = 'approved' WHERE id = {reversal}", "no batch has reversed it"),
        ("UPDATE ledger_app_entry SET reverses_id = NULL WHERE reference = 'reversal:{entry}'", "its entry till:s1 is not"),
        ("UPDATE ingestion_app_chunk SET undoes_id = id WHERE batch_id = {reversal}", "did not post"),
        (
            "UPDATE ledger_app_line SET amount = amount - 1 WHERE entry_id = {undoing}",
            "is left on account receivable.1001 of book CARD",
        ),
    ],
)
def test_a_reversal_that_was_altered_afterwards_is_a_breach(world: World, change: str, said: str) -> None:
    original = world.applied()
    reversal = world.reversed(original)
    entry = Entry.objects.get(reference="till:s1", book=world.card)
    names = {"original": original.pk, "reversal": reversal.pk, "entry": entry.pk, "undoing": Entry.objects.get(reverses=entry).pk}
    with unguarded():
        execute(change.format(**names))
    found = [breach for batch in Batch.objects.order_by("id") for breach in undone.breaches(batch)]
    assert any(said in breach for breach in found), found


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the triggers away for as long as somebody past every guard needs, and put them back."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SELECT 1")
            pytest.skip("MariaDB commits where a trigger is dropped; SQLite shows the same statements")
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql)


def test_a_period_waits_for_the_reversal_that_is_dated_in_it(world: World) -> None:
    original = world.applied()
    january = Period.objects.get(book=world.card, name="2017-01")
    reversal = world.reverse(original)
    assert [name for _what, name, _state in closing.unfinished(january)] == [str(original), str(reversal)]
    world.apply(world.approve(reversal))
    assert [name for _what, name, _state in closing.unfinished(january)] == [str(reversal)]
    deciding.freeze(batch_id=reversal.pk, caller=world.caller(world.finance))
    assert [*closing.unfinished(january)] == []


def test_before_it_is_applied_a_batch_is_previewed_from_its_plan(world: World) -> None:
    batch = world.validated()
    shown = reversals.preview(batch)
    assert (shown.is_posted, shown.totals, shown.refusals) == (False, batch.totals, [])
    assert shown.dates == [("CARD", "2017-01", None, None), ("POINTS", "2017-01", None, None)]
    Period.objects.filter(book=world.card, name="2017-01").update(state="provisional")
    assert reversals.preview(batch).dates[0] == ("CARD", "2017-01", date(2017, 2, 1), None)


def test_an_applied_batch_is_previewed_from_the_ledger(world: World) -> None:
    batch = world.applied()
    reverse_singly(world, "till:s1")
    Period.objects.filter(book=world.points, name="2017-01").update(state="provisional")
    before = ledger(), work(batch.pk), AuditRow.objects.count()
    shown = reversals.preview(batch)
    assert (shown.is_posted, shown.totals["CARD"], shown.totals["POINTS"]) == (True, [6, 12, 14494], batch.totals["POINTS"])
    assert shown.dates == [("CARD", "2017-01", None, 6), ("POINTS", "2017-01", date(2017, 2, 1), 6)]
    assert (ledger(), work(batch.pk), AuditRow.objects.count()) == before
    reversal = world.reverse(batch)
    assert reversal.totals == shown.totals


@pytest.mark.parametrize("state", ["received", "frozen"])
def test_what_cannot_be_reversed_has_a_preview_that_says_so(world: World, state: str) -> None:
    batch = world.receive() if state == "received" else world.freeze(world.applied())
    assert codes(reversals.preview(batch).refusals) == ["wrong_state"]


def test_the_preview_of_a_reversal_says_that_it_is_one(world: World) -> None:
    assert codes(reversals.preview(world.reverse(world.applied())).refusals) == ["batch_is_reversal"]


def test_more_records_take_no_more_statements(world: World) -> None:
    world.load(chunk_records=1000)

    def statements(records: int, sequence: int) -> list[int]:
        held = [FIXED._replace(slip=f"{sequence}q{number}", amount="100") for number in range(records)]
        original = world.applied(card_file(held, sequence=sequence), name=f"till-2017-01-31-{sequence}.csv")
        with CaptureQueriesContext(connection) as proposing:
            reversal = world.reverse(original)
        world.approve(reversal)
        with CaptureQueriesContext(connection) as reversing_:
            assert world.apply(reversal).batch.state == "applied"
        return [len(proposing), len(reversing_)]

    assert statements(50, 1) == statements(100, 2)
    assert Line.objects.count() == 2 * 4 * 150
