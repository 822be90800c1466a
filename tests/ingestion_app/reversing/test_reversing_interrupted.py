"""Reversals of batches that are stuck, that were cut off or altered; and what a reversal would do, told beforehand."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion_app.applying.operations import applying
from ingestion_app.deciding.operations import deciding
from ingestion_app.models import Batch, Chunk
from ingestion_app.reversing.queries import reversals, undone
from ingestion_app.status.queries import closing
from ledger_app.models import AuditRow, Entry, Line, Period, Posting
from tests.support.undoing import amounts, breaches, execute, pause, refused, reverse_singly, stuck, unguarded
from tests.support.world import FIXED, World, card_file, clock, codes, ledger, set_account, work

pytestmark = pytest.mark.django_db


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


def test_a_period_waits_for_the_reversal_that_is_dated_in_it(world: World) -> None:
    original = world.applied()
    january = Period.objects.get(book=world.card, name="2017-01")
    reversal = world.reverse(original)
    assert [each.name for each in closing.unfinished(january)] == [str(original), str(reversal)]
    world.apply(world.approve(reversal))
    assert [each.name for each in closing.unfinished(january)] == [str(reversal)]
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
    assert (shown.is_posted, shown.totals["CARD"], shown.totals["POINTS"]) == (True, [7, 14, 14644], batch.totals["POINTS"])
    assert shown.dates == [("CARD", "2017-01", None, None), ("POINTS", "2017-01", date(2017, 2, 1), None)]
    assert (ledger(), work(batch.pk), AuditRow.objects.count()) == before
    reversal = world.reverse(batch)
    assert reversal.totals["CARD"] == [6, 12, 14494], "what was reversed by itself is left out"


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
