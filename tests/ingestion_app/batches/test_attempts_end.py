"""An attempt ends on every way out, with what went wrong; one that was killed is ended by the one who finds it; and nothing is tried for ever."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from ingestion_app import errors
from ingestion_app.applying.operations import applying, chunks
from ingestion_app.batches.operations import attempts, workers
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.status.queries import jobs, progress, waking
from ingestion_app.validating.operations import drafting, plans, surveying
from ledger_app.base.operations import transitions
from ledger_app.base.queries import clock as database
from ledger_app.errors import Refused, TryAgain
from ledger_app.models import Entry
from ledger_app.posting.operations import entries
from tests.support import world as worlds
from tests.support.undoing import breaches
from tests.support.world import NOW, World, clock, codes

pytestmark = pytest.mark.django_db

PATIENCE = timedelta(seconds=60)
ELSEWHERE = "00000000.77.aaaaaaaa"  # a process of another machine
FAULTS = {
    "a division": (ZeroDivisionError("4111111111111111 by zero"), ["surprise"]),
    "a value": (ValueError("x"), ["surprise"]),
    "memory": (MemoryError(), ["surprise"]),
    "a recursion": (RecursionError("too deep"), ["surprise"]),
    "Ctrl-C": (KeyboardInterrupt(), ["interrupted"]),
    "the worker's end": (SystemExit(1), ["interrupted"]),
    "the database": (TryAgain(cause="lost"), ["try_again"]),
}
# What is called on the way through a step: where any of it may fail.
OF_APPLY = {
    "reading": (drafting, "drafts_of"),
    "posting": (entries, "post"),
    "counting": (chunks, "_counted"),
    "the last step": (transitions, "within"),
    "telling": (batches, "progress"),
}
OF_VALIDATION = {
    "looking first": (batches, "facts"),
    "reading the bytes": (surveying, "parts_of"),
    "checking": (surveying.Surveyor, "take"),
    "storing": (plans, "write"),
    "the plan's digest": (batches, "plan_digest"),
}


def fails(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.fixture
def begun(world: World) -> Batch:
    world.load(chunk_records=1)
    return world.begin(world.approved())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", OF_APPLY)
def test_whatever_happens_while_applying_ends_the_attempt_and_says_what(
    world: World, begun: Batch, monkeypatch: pytest.MonkeyPatch, place: str, fault: str
) -> None:
    error, told = FAULTS[fault]
    with monkeypatch.context() as patched:
        patched.setattr(*OF_APPLY[place], fails(error))
        with pytest.raises(type(error)):
            applying.carry_on(batch_id=begun.pk, caller=world.caller(), now=clock)
    (attempt,) = Attempt.objects.filter(batch=begun, step="apply")
    assert (attempt.outcome, codes(attempt.reasons), attempt.ended_at) == ("failed", told, NOW)
    assert "4111111111111111" not in str(attempt.reasons)
    assert not Chunk.objects.filter(batch=begun, lease_until__isnull=False).exists(), "nothing is held for nobody"
    assert world.apply(begun).batch.state == "applied"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", OF_VALIDATION)
def test_whatever_happens_while_validating_ends_the_attempt_and_says_what(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str, fault: str
) -> None:
    error, told = FAULTS[fault]
    batch = world.receive()
    with monkeypatch.context() as patched:
        patched.setattr(*OF_VALIDATION[place], fails(error))
        with pytest.raises(type(error)):
            world.validate(batch)
    (attempt,) = Attempt.objects.filter(batch=batch)
    assert (attempt.outcome, codes(attempt.reasons)) == ("failed", told)
    assert world.validate(batch).state == "validated"


def test_an_end_that_cannot_be_written_hides_no_fault_and_is_written_by_whoever_finds_it(
    world: World, begun: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(chunks, "_counted", fails(ZeroDivisionError()))
        patched.setattr(attempts, "end", fails(TryAgain(cause="lost")))
        with pytest.raises(ZeroDivisionError):
            applying.carry_on(batch_id=begun.pk, caller=world.caller(), now=clock)
    attempt = Attempt.objects.get(batch=begun, step="apply")
    assert attempt.outcome == "running"
    # Its process is this one, and so is there: only another's end is found.
    assert attempts.end_gone(at=NOW + timedelta(hours=1)) == []
    Attempt.objects.update(worker=ELSEWHERE)
    assert attempts.end_gone(at=NOW + timedelta(hours=1)) == [begun.pk]
    attempt.refresh_from_db()
    assert (attempt.outcome, codes(attempt.reasons)) == ("failed", ["process_gone"])


def failing(world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(chunks, "_counted", fails(ZeroDivisionError()))
        for _ in range(times):
            with suppress(ZeroDivisionError):
                applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock)


def stranded(seconds: int = 0) -> list[int]:
    return waking.stranded(at=NOW + timedelta(seconds=seconds), silent_after=PATIENCE)


def test_what_fails_is_tried_again_later_and_after_three_times_only_by_a_person(
    world: World, begun: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(world, begun, monkeypatch, 1)
    assert stranded() == [begun.pk], "once may be chance"
    failing(world, begun, monkeypatch, 1)
    assert (stranded(), stranded(59), stranded(60)) == ([], [], [begun.pk]), "twice may pass"
    failing(world, begun, monkeypatch, 1)
    assert (stranded(), stranded(10**6)) == ([], []), "three times is for people"
    begun.refresh_from_db()
    assert progress.progress_of(begun, at=NOW).has_given_up
    world.begin(begun, name="resume")
    begun.refresh_from_db()
    assert not progress.progress_of(begun, at=NOW).has_given_up
    assert stranded() == [begun.pk], "a person has started it again"
    failing(world, begun, monkeypatch, 3)
    assert stranded(10**6) == []
    world.begin(begun, name="resume")
    assert world.apply(begun).batch.state == "applied"
    assert Entry.objects.count() == 13


def test_attempts_that_were_killed_count_too(world: World, begun: Batch) -> None:
    for number in range(3):
        attempts.begin(batch=begun, step="apply", caller=world.caller(), host="far", process=7 + number, worker=ELSEWHERE)
        attempts.end_gone(at=NOW + timedelta(hours=1))
    assert {*Attempt.objects.filter(batch=begun, step="apply").values_list("outcome", flat=True)} == {"failed"}
    assert stranded(10**6) == []


def test_what_succeeds_in_between_ends_the_row_of_failures(world: World, begun: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds.set_account("receivable.1001", "suspended")
    failing(world, begun, monkeypatch, 2)
    assert applying.carry_on(batch_id=begun.pk, caller=world.caller(), now=clock).stopped
    worlds.set_account("receivable.1001", "open")
    Chunk.objects.filter(batch=begun, state="stopped").update(state="pending")
    failing(world, begun, monkeypatch, 2)
    assert stranded(10**6) == [begun.pk]


def test_an_attempt_of_whoever_is_heard_of_is_not_ended_however_long_it_is_silent(world: World, begun: Batch) -> None:
    """A validation that stores a million rows gives no sign of life of its own for as long as that takes."""
    there, at = "11111111.7.bbbbbbbb", database.read()
    made = attempts.begin(batch=begun, step="apply", caller=world.caller(), host="far", process=7, worker=there)
    workers.beat(kind="worker", instance=there, host="far", process=7, at=at)
    later = NOW + timedelta(hours=1)
    assert attempts.end_gone(at=later) == []
    assert progress.progress_of(begun, at=later).is_running
    workers.beat(kind="worker", instance=there, host="far", process=7, at=at - timedelta(minutes=1))
    assert not progress.progress_of(begun, at=later).is_running
    assert attempts.end_gone(at=later) == [begun.pk]
    made.refresh_from_db()
    assert made.outcome == "failed"


def test_a_refusal_in_the_last_step_is_left_to_people(world: World, begun: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Refused([errors.RecountDiffers(book="CARD", what="entries", planned=1, found=2)])
    with monkeypatch.context() as patched:
        patched.setattr(applying._Run, "finish", fails(refused))
        with pytest.raises(Refused):
            applying.carry_on(batch_id=begun.pk, caller=world.caller(), now=clock)
    assert codes(Attempt.objects.get(batch=begun, step="apply").reasons) == ["recount_differs"]
    assert stranded(10**6) == []


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    """What is done inside is committed, and its answer never comes."""
    perform = transitions.perform

    def lose(request: Any) -> Any:
        perform(request)
        raise TryAgain(cause="lost")

    @contextmanager
    def lost() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(transitions, "perform", lose)
            with pytest.raises(TryAgain):
                yield

    return lost()


def test_an_application_whose_last_answer_was_lost_is_done(
    begun: Batch, world: World, losing: AbstractContextManager[None]
) -> None:
    with losing:
        applying.carry_on(batch_id=begun.pk, caller=world.caller(), now=clock)
    begun.refresh_from_db()
    last = waking.last_attempt(begun)
    assert last is not None
    assert (begun.state, last.outcome, last.reasons) == ("applied", "done", [])
    assert jobs.find(begun, "apply", last.number, at=NOW).state == "done"


def test_a_validation_whose_answer_was_lost_is_done_and_takes_no_approval_for_one_before(
    world: World, losing: AbstractContextManager[None]
) -> None:
    batch = world.receive()
    with losing:
        world.validate(batch)
    batch.refresh_from_db()
    (attempt,) = batch.attempts.all()
    assert (batch.state, attempt.outcome, attempt.reasons) == ("validated", "done", [])
    assert attempt.ended_at is not None
    assert not batches.was_approved_before(batch)
    world.validate(batch)
    batch.refresh_from_db()
    assert not batches.was_approved_before(batch)
    assert breaches(world) == []


def test_what_is_asked_to_go_on_with_a_batch_that_was_withdrawn_is_refused(world: World) -> None:
    batch = world.validated()
    world.withdraw(batch)
    done = applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock)
    assert (done.batch.state, done.applied) == ("withdrawn", 0)
    last = waking.last_attempt(batch)
    assert last is not None
    assert (last.outcome, codes(last.reasons)) == ("refused", ["batch_away"])
