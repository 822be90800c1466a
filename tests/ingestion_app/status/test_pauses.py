"""Who paused a batch, since when, and why."""

import pytest

from ingestion_app.applying.operations import chunks
from ingestion_app.batches.operations import attempts
from ingestion_app.models import Batch
from ingestion_app.status.queries.pauses import Pause, pause_of
from tests.support.world import NOW, World, clock, set_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun(world: World) -> Batch:
    world.load(chunk_records=1)
    return world.begin(world.approved())


def pause(batch: Batch) -> Pause | None:
    return pause_of(Batch.objects.get(pk=batch.pk))


def test_a_batch_that_is_not_paused_has_none(world, begun):
    assert pause(begun) is None
    world.pause(begun)
    world.begin(begun, name="resume")
    assert pause(begun) is None


def test_the_last_pause_is_told_and_not_one_that_ended(world, begun):
    world.pause(begun, reason="The sender called.")
    world.begin(begun, name="resume")
    world.pause(begun, reason="He called again.", user=world.other_engineer)
    assert pause(begun) == Pause(NOW, "emil", "He called again.", by_itself=False)


def test_a_reversal_that_is_proposed_while_nothing_is_left_pauses_in_its_own_name(world, begun):
    """Every chunk is applied and the last step is still to come: nobody has to pause such a batch before it is reversed."""
    world.pause(begun, reason="The sender called.")
    world.begin(begun, name="resume")
    attempt = attempts.begin(batch=begun, step="apply", caller=world.caller(), host="here", process=7)
    assert [*chunks.apply_free(chunks.Work(begun.pk, attempt.pk, world.caller(), clock), "here:7")]
    world.reverse(begun, reason="The wrong file.", user=world.other_engineer)
    assert pause(begun) == Pause(NOW, "emil", "The wrong file.", by_itself=False)


def test_a_reversal_of_a_batch_that_is_paused_already_leaves_the_pause_as_it_is(world, begun):
    set_account("receivable.1002", "suspended")
    world.apply(begun)
    world.pause(begun, reason="The sender called.")
    set_account("receivable.1002", "open")
    world.reverse(begun, reason="The wrong file.", user=world.other_engineer)
    assert pause(begun) == Pause(NOW, "erika", "The sender called.", by_itself=False)
