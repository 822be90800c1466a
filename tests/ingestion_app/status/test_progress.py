"""How far a batch has come, and how fast: over the last stretch, not only since the beginning."""

from datetime import timedelta

import pytest

from ingestion_app.batches.operations import attempts
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.status.queries.progress import progress_of
from ledger_app.base.operations.measuring import Measured
from tests.support import world as worlds
from tests.support.world import NOW, World, card_file, many

pytestmark = pytest.mark.django_db


def seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


def running(world: World, batch: Batch, step: str, **columns) -> Attempt:
    """Have an attempt be under way."""
    attempt = attempts.begin(batch=batch, step=step, caller=world.caller(), host="here", process=7)
    Attempt.objects.filter(pk=attempt.pk).update(heartbeat_at=NOW, **columns)
    return attempt


def test_of_a_batch_that_nobody_has_touched_nothing_is_known(world):
    found = progress_of(world.receive(), at=NOW)
    assert (found.attempt, found.is_running, found.done, found.total, found.rate, found.percent) == (
        None,
        False,
        0,
        None,
        None,
        None,
    )


def test_the_rate_is_that_of_the_last_stretch(world):
    world.load(chunk_records=10)
    batch = world.begin(world.approved(card_file(many(60, 6))))
    assert batch.chunks.count() == 6
    attempt = running(world, batch, "apply", started_at=NOW - seconds(100))
    for number, ago in ((0, 95), (1, 6), (2, 1)):
        Chunk.objects.filter(batch=batch, number=number).update(state="applied", attempt=attempt, applied_at=NOW - seconds(ago))
    found = progress_of(batch, at=NOW)
    assert found.is_running
    assert (found.done, found.total, found.percent) == (30, 60, 50)
    assert found.rate == 2, "20 records in the 10 seconds before the last chunk; since the beginning it would be none"
    assert found.seconds_left == 15
    assert found.chunks == {"applied": 3, "running": 0, "pending": 3, "stopped": 0}


def test_chunks_that_are_being_worked_on_are_counted_for_themselves(world):
    world.load(chunk_records=1)
    batch = world.begin(world.approved())
    worlds.hold(batch, 0, 1, until=NOW + seconds(9))
    worlds.hold(batch, 2, until=NOW - seconds(1))
    assert progress_of(batch, at=NOW).chunks == {"applied": 0, "running": 2, "pending": 5, "stopped": 0}


def test_time_in_commit_deadlocks_lock_waits_and_takeovers_are_those_of_the_last_attempt(world):
    batch = world.begin(world.approved())
    running(
        world,
        batch,
        "apply",
        phase="apply",
        seconds={"read": 1, "write": 2, "commit": 1, "total": 3},
        counts={"commits": 9, "deadlocks": 2, "lock_waits": 3, "taken_over": 1},
    )
    found = progress_of(batch, at=NOW)
    assert (found.phase, found.commit_percent) == ("apply", 25)
    assert (found.deadlocks, found.lock_waits, found.taken_over) == (2, 3, 1)


def test_what_a_running_attempt_measured_till_now_is_shown_with_each_beat_and_what_it_did_not_is_nothing(world):
    batch = world.begin(world.approved())
    attempt = running(world, batch, "apply")
    found = progress_of(batch, at=NOW)
    assert (found.commit_percent, found.deadlocks, found.lock_waits, found.taken_over) == (None, 0, 0, 0)
    measured = Measured(seconds={"write": 3.0, "commit": 1.0}, counts={"deadlocks": 2})
    attempts.beat(attempt=attempt, at=NOW, done_records=3, measured=measured)
    found = progress_of(batch, at=NOW)
    assert found.is_running
    assert (found.commit_percent, found.deadlocks, found.lock_waits, found.taken_over) == (25, 2, 0, 0)
    Attempt.objects.filter(pk=attempt.pk).update(seconds={"write": None, "commit": None}, counts={"deadlocks": None})
    found = progress_of(batch, at=NOW)
    assert (found.commit_percent, found.deadlocks) == (None, 0)


def test_a_file_that_is_read_for_the_first_time_has_no_total_and_one_that_is_read_again_has(world):
    batch = world.receive()
    running(world, batch, "validate", phase="check", done_records=4, started_at=NOW - seconds(2))
    found = progress_of(batch, at=NOW)
    assert found.is_validation
    assert (found.phase, found.done, found.total, found.percent, found.rate) == ("check", 4, None, None, 2)
    Attempt.objects.filter(batch=batch).update(outcome="done", ended_at=NOW)
    world.validate(batch)
    batch.refresh_from_db()
    running(world, batch, "validate", phase="store", done_records=4)
    found = progress_of(batch, at=NOW)
    assert (found.phase, found.done, found.total, found.percent) == ("store", 4, 8, 50)


def test_an_attempt_without_a_sign_of_life_is_silent_and_promises_nothing(world):
    batch = world.begin(world.approved())
    running(world, batch, "apply", phase="apply")
    found = progress_of(batch, at=NOW + seconds(61))
    assert (found.is_running, found.is_silent, found.seconds_left) == (False, True, None)
