"""What should be worked on and is in nobody's hands is found, and nothing else."""

from datetime import timedelta

import pytest

from ingestion_app.batches.operations import attempts
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.status.queries.waking import stranded
from ledger_app.errors import TryAgain
from tests.support import world as worlds
from tests.support.world import NOW, World

pytestmark = pytest.mark.django_db

PATIENCE = timedelta(seconds=30)


def found(at=NOW) -> list[int]:
    return stranded(at=at, silent_after=PATIENCE)


@pytest.fixture
def begun(world: World) -> Batch:
    """A batch in applying with six chunks to come."""
    world.load(chunk_records=1)
    return world.begin(world.approved())


def attempt_of(world: World, batch: Batch, **columns) -> None:
    made = attempts.begin(batch=batch, step="apply", caller=world.caller(), host="here", process=7)
    Attempt.objects.filter(pk=made.pk).update(**columns)


def test_a_batch_that_was_begun_and_never_taken_up_is_found(begun):
    assert found() == [begun.pk]


@pytest.mark.parametrize("state", ["validated", "approved", "applied"])
def test_a_batch_that_is_not_being_applied_is_not(world, state):
    getattr(world, state)()
    assert found() == []


def test_a_batch_somebody_works_on_is_not(world, begun):
    attempt_of(world, begun, heartbeat_at=NOW - PATIENCE)
    assert found() == []
    assert found(NOW + timedelta(seconds=1)) == [begun.pk], "until the last sign of life is too old"
    worlds.hold(begun, 3, until=NOW + timedelta(seconds=9))
    assert found(NOW + timedelta(seconds=1)) == [], "or somebody holds a chunk of it"
    assert found(NOW + timedelta(seconds=9)) == [begun.pk]


def test_a_paused_batch_is_not(world, begun):
    world.pause(begun)
    assert found() == []


def test_chunks_that_stopped_are_left_to_people(world, begun):
    worlds.set_account("receivable.1002", "suspended")
    assert world.apply(begun).stopped
    assert not Chunk.objects.filter(batch=begun, state="pending").exists()
    assert found() == []


def test_the_later_parts_of_a_members_records_wait_for_people_with_the_one_that_stopped(world):
    world.load(chunk_records=2)
    records = [worlds.FIXED._replace(slip=f"s{number}") for number in range(6)]
    batch = world.begin(world.approved(worlds.card_file([*records, worlds.FIXED._replace(member="1002", slip="other")])))
    chunks = Chunk.objects.filter(batch=batch).order_by("number")
    chunks.filter(number=0).update(state="stopped")
    assert found() == [batch.pk], "another member's chunk is work"
    chunks.filter(holder__isnull=True).update(state="applied", applied_at=NOW)
    assert [*chunks.values_list("state", flat=True)] == ["stopped", "pending", "pending", "applied"]
    assert found() == []


def test_a_batch_whose_worker_died_before_the_last_step_is_found(world, begun):
    attempt_of(world, begun, heartbeat_at=NOW - timedelta(minutes=5))
    Chunk.objects.filter(batch=begun).update(state="applied", applied_at=NOW)
    assert found() == [begun.pk]
    Attempt.objects.update(outcome="failed", ended_at=NOW)
    assert found() == [], "but not one whose last step was refused"


@pytest.mark.parametrize(("code", "is_found"), [(TryAgain.code, True), ("plan_damaged", False)])
def test_an_attempt_that_failed_is_repeated_only_for_what_passes(world, begun, code, is_found):
    attempt_of(world, begun, outcome="failed", ended_at=NOW, reasons=[{"code": code, "sentence": "", "facts": {}}])
    assert found() == ([begun.pk] if is_found else [])
