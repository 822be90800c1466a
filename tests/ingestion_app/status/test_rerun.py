"""Safe to run again? is answered for every batch in every state, chunk by chunk, and by what is true of its rows."""

from datetime import timedelta

import pytest

from ingestion_app.batches.operations import attempts
from ingestion_app.models import Batch, Chunk
from ingestion_app.status.queries.rerun import Rerun, rerun_of, spans
from ledger_app.errors import AccountNotOpen, Refused
from ledger_app.models import Period
from tests.support import world as worlds
from tests.support.world import NOW, World, codes

pytestmark = pytest.mark.django_db

LATER, EARLIER = NOW + timedelta(seconds=30), NOW - timedelta(seconds=1)


def answer(batch: Batch) -> Rerun:
    return rerun_of(Batch.objects.get(pk=batch.pk), at=NOW)


@pytest.fixture
def one_each(world: World) -> World:
    """Have every record in a chunk of its own."""
    world.load(chunk_records=1)
    return world


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((4,), "4"), ((0, 1, 2), "0–2"), ((0, 1, 3, 5, 6), "0–1, 3, 5–6"), ((7, 9), "7, 9")]
)
def test_numbers_are_told_as_spans(numbers, text):
    assert spans(numbers) == text


def test_of_a_reversed_batch_there_is_nothing_to_run(world):
    batch = world.applied()
    world.reversed(batch)
    found = answer(batch)
    assert (found.is_safe, found.verdict, found.would_run) == (True, "nothing_to_run", ())
    assert found.sentence == "What it changed is undone; nothing would run."


@pytest.mark.parametrize("state", ["received", "validated", "rejected", "withdrawn"])
def test_where_the_state_allows_no_run_it_says_so_and_that_nothing_is_in_the_ledger(world, state):
    batch = {
        "received": world.receive,
        "validated": world.validated,
        "rejected": lambda: world.validate(world.receive(worlds.card_file(count=99))),
        "withdrawn": lambda: world.withdraw(world.validated()),
    }[state]()
    assert batch.state == state
    found = answer(batch)
    assert (found.is_safe, found.verdict, found.would_run) == (True, "nothing_to_run", ())
    assert codes(found.reasons) == ["wrong_state"]
    assert "Nothing of it is in the ledger" in found.sentence


def test_an_approved_batch_would_run_as_a_whole(one_each):
    found = answer(one_each.approved())
    assert (found.is_safe, found.verdict, found.done, found.would_run) == (True, "would_run", (), (0, 1, 2, 3, 4, 5, 6))
    assert found.sentence == "Nothing of it is in the ledger yet; 7 would run."


@pytest.mark.parametrize("is_reversal", [False, True])
def test_an_approved_batch_whose_plan_has_moved_would_not_run(world, is_reversal):
    batch = world.approve(world.reverse(world.applied())) if is_reversal else world.approved()
    Period.objects.filter(book=world.card, name="2017-01").update(state="provisional")
    found = rerun_of(Batch.objects.get(pk=batch.pk), at=NOW, check=True)
    assert (found.verdict, codes(found.reasons)) == ("cannot_run", ["reversal_moved" if is_reversal else "plan_moved"])
    with pytest.raises(Refused) as refusal:
        world.apply(batch)
    assert codes(refusal.value.reasons) == codes(found.reasons), "and it would not"


def test_chunks_that_are_done_held_free_and_stopped_are_told_apart(one_each):
    batch = one_each.begin(one_each.approved())
    attempt = attempts.begin(batch=batch, step="apply", caller=one_each.caller(), host="here", process=7)
    Chunk.objects.filter(batch=batch, number__in=(0, 2)).update(state="applied", applied_at=NOW, attempt=attempt)
    reason = AccountNotOpen(account="receivable.1002", state="Closed", reference="till:s2").as_dict()
    Chunk.objects.filter(batch=batch, number=1).update(state="stopped", attempt=attempt, reasons=[reason])
    worlds.hold(batch, 3, until=LATER, by="there:12")
    worlds.hold(batch, 4, until=EARLIER)
    found = answer(batch)
    assert (found.done, found.leased_numbers, found.would_run, found.stopped_numbers) == ((0, 2), (3,), (4, 5, 6), (1,))
    assert [(each.number, each.by, each.until) for each in found.leased] == [(3, "there:12", LATER)]
    (stopped,) = found.stopped
    assert (stopped.number, stopped.attempt, stopped.since) == (1, 1, NOW)
    assert codes(stopped.reasons) == ["account_not_open"]
    assert found.verdict == "would_run"
    assert found.sentence == (
        "2 chunks are applied and would be skipped, 3 would run, 1 is being worked on and would be left alone, "
        "1 has stopped and would be tried again."
    )


def test_where_others_hold_all_that_is_left_a_run_would_find_nothing(one_each):
    batch = one_each.begin(one_each.approved())
    worlds.hold(batch, *range(7), until=LATER)
    found = answer(batch)
    assert (found.verdict, found.would_run, len(found.leased_numbers)) == ("being_worked_on", (), 7)


def test_a_paused_batch_runs_nothing_and_says_who_paused_it_and_why(one_each):
    batch = one_each.pause(one_each.begin(one_each.approved()), reason="The sender called.")
    found = answer(batch)
    assert (found.is_safe, found.verdict, found.would_run) == (True, "paused", ())
    assert codes(found.reasons) == ["paused"]
    assert found.pause is not None
    assert (found.pause.by, found.pause.reason, found.pause.by_itself, found.pause.at) == (
        "erika",
        "The sender called.",
        False,
        NOW,
    )
    assert "before somebody resumes" in found.sentence


def test_what_has_stopped_in_a_paused_batch_is_said_to_be_tried_again(one_each):
    batch = one_each.pause(one_each.begin(one_each.approved()), reason="The sender called.")
    attempt = attempts.begin(batch=batch, step="apply", caller=one_each.caller(), host="here", process=7)
    Chunk.objects.filter(batch=batch, number=1).update(state="stopped", attempt=attempt, reasons=[])
    assert answer(batch).sentence == (
        "Nothing runs before somebody resumes it. Then 0 chunks are applied and would be skipped, "
        "6 would run, 1 has stopped and would be tried again."
    )


def test_an_applied_batch_would_be_skipped_as_a_whole(world):
    found = answer(world.applied())
    assert (found.is_safe, found.verdict, found.would_run, found.reasons) == (True, "done", (), ())
    assert found.sentence.endswith("would be skipped; nothing would be posted.")


def test_a_batch_whose_chunks_are_not_those_that_were_approved_is_not_to_be_run(one_each):
    batch = one_each.begin(one_each.approved())
    Chunk.objects.filter(batch=batch, number=2).update(record_count=99)
    found = answer(batch)
    assert (found.is_safe, found.verdict, found.would_run) == (False, "cannot_run", ())
    assert codes(found.reasons) == ["plan_damaged"]


def test_an_applied_batch_whose_change_in_the_ledger_is_not_its_plan_is_not_to_be_run(world):
    batch = world.applied()
    there = {"CARD": (7, 14, 14_644), "POINTS": (5, 10, 1)}
    found = rerun_of(batch, at=NOW, posted=there)
    assert (found.is_safe, found.verdict) == (False, "cannot_run")
    assert set(codes(found.reasons)) == {"recount_differs"}


def test_it_is_told_as_one_object(one_each):
    batch = one_each.begin(one_each.approved())
    worlds.hold(batch, 0, until=LATER)
    told = answer(batch).as_dict()
    assert told["being_worked_on"] == {"count": 1, "chunks": "0", "first": [{"chunk": 0, "by": "here:7", "until": LATER}]}
    assert told["would_run"] == {"count": 6, "chunks": "1–6"}
    assert (told["safe"], told["verdict"], told["paused"], told["reasons"]) == (True, "would_run", None, [])
