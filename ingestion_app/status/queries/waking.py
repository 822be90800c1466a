"""Finds work that nobody does: the queue lost it, or its worker is gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef

from ingestion_app import errors
from ingestion_app.models import Attempt, Batch, Chunk, ValidationRequest
from ledger_app.errors import TryAgain

TRIES_MOST: Final = 3  # attempts that fail one after the other before a step is left to people
# What an attempt may have failed of and another need not: the plan is not in question, the machine or the program was.
PASSING: Final = frozenset({TryAgain.code, errors.Surprise.code, errors.Interrupted.code, errors.ProcessGone.code})


def stranded(*, at: datetime, silent_after: timedelta) -> list[int]:
    """Return the numbers of the batches in ``applying`` that are not paused, have something left, and are in nobody's hands.

    Chunks that have stopped are left to people, with the later parts of the same member's records, which wait for them: tried again by
    themselves they would stop again. What is left is then another waiting chunk, or, where all are applied and whoever was to take the
    last step has died before it, that step. An attempt whose last sign of life is older than ``silent_after`` is nobody's any more; one
    that ended because the plan is damaged is a matter for people too.

    After an attempt that failed the next comes at once, after two only when some time has passed, and after ``TRIES_MOST`` none comes before a
    person starts the step again.
    """
    found = []
    for batch in Batch.objects.filter(state=Batch.State.APPLYING, is_paused=False).order_by("id"):
        chunks = Chunk.objects.filter(batch=batch)
        failed, last = failures_of(batch), last_attempt(batch)
        is_gone = last is not None and last.outcome == Attempt.Outcome.RUNNING and last.heartbeat_at < at - silent_after
        if not _has_work_left(batch, is_gone=is_gone or _has_failed(last)):
            continue
        if chunks.filter(state="pending", lease_until__gt=at).exists():
            continue
        count = len(failed) + (1 if is_gone else 0)
        if count >= TRIES_MOST or not _has_waited(failed, at, silent_after):
            continue
        if last is None or is_gone or (last.outcome != Attempt.Outcome.RUNNING and may_go_on(last)):
            found.append(batch.pk)
    return found


def unanswered(*, at: datetime, silent_after: timedelta) -> list[ValidationRequest]:
    """Return the validations that were asked for, have no answer, and are in nobody's hands; they back off and are given up as the applications are.

    One whose batch was changed since by another is no longer waited for.
    """
    found = []
    for asked in ValidationRequest.objects.filter(batch_version=F("batch__version")).order_by("batch"):
        newest_first = _attempts_since(asked)
        last = newest_first[0] if newest_first else None
        is_running = last is not None and last.outcome == Attempt.Outcome.RUNNING
        if last is not None and is_running and last.heartbeat_at >= at - silent_after:
            continue
        failed = [attempt for attempt in newest_first if attempt.outcome == Attempt.Outcome.FAILED]
        count = len(failed) + (1 if is_running else 0)
        if count < TRIES_MOST and _has_waited(failed, at, silent_after) and all(may_go_on(attempt) for attempt in failed[:1]):
            found.append(asked)
    return found


def last_attempt(batch: Batch) -> Attempt | None:
    """Return the last attempt to apply a batch."""
    return Attempt.objects.filter(batch=batch, step=Attempt.Step.APPLY).order_by("-id").first()


def failures_of(batch: Batch) -> Sequence[Attempt]:
    """Return the attempts to apply a batch that have failed one after the other since a person started it, the last first."""
    found: list[Attempt] = []
    # A person who starts it again moves the batch's version, by which the earlier attempts are told from the later.
    since = Attempt.objects.filter(batch=batch, step=Attempt.Step.APPLY, batch_version=batch.version)
    for attempt in since.order_by("-id")[: TRIES_MOST + 1]:
        if attempt.outcome == Attempt.Outcome.RUNNING and not found:
            continue  # one that is under way, or whose end nobody has written yet, is counted when it has ended
        if attempt.outcome != Attempt.Outcome.FAILED:
            break
        found.append(attempt)
    return found


def has_given_up(batch: Batch) -> bool:
    """Whether a batch waits for a person: as many attempts to apply it, or to validate it as was asked for, have failed as are made without one."""
    if batch.state == Batch.State.APPLYING:
        return not batch.is_paused and len(failures_of(batch)) >= TRIES_MOST
    asked = ValidationRequest.objects.filter(batch=batch, batch_version=batch.version).first()
    if asked is None:
        return False
    last = _attempts_since(asked)
    return len(last) >= TRIES_MOST and all(attempt.outcome == Attempt.Outcome.FAILED for attempt in last)


def _attempts_since(asked: ValidationRequest) -> list[Attempt]:
    """Return the last attempts at a validation that was asked for, the newest first."""
    attempts = Attempt.objects.filter(batch=asked.batch_id, step=Attempt.Step.VALIDATE, number__gt=asked.after_attempt)
    return list(attempts.order_by("-number")[: TRIES_MOST + 1])


def _has_failed(attempt: Attempt | None) -> bool:
    """Whether an attempt failed of what may pass: where all chunks are applied, the last step is still to be taken then."""
    return attempt is not None and attempt.outcome == Attempt.Outcome.FAILED and bool(attempt.reasons) and may_go_on(attempt)


def _has_waited(failed: Sequence[Attempt], at: datetime, silent_after: timedelta) -> bool:
    """Whether enough time has passed since the last failure: none after the first, then twice as long each time."""
    if not failed or failed[0].ended_at is None:
        return True
    waits: int = 2 ** (len(failed) - 1) - 1
    return at >= failed[0].ended_at + silent_after * waits


def _has_work_left(batch: Batch, *, is_gone: bool) -> bool:
    left = Chunk.objects.filter(batch=batch).exclude(state=Chunk.State.APPLIED)
    earlier = Chunk.objects.filter(batch_id=OuterRef("batch_id"), series=OuterRef("series"), number__lt=OuterRef("number"))
    waiting = left.filter(state=Chunk.State.PENDING).exclude(Exists(earlier.filter(state=Chunk.State.STOPPED)))
    return waiting.exists() or (is_gone and not left.exists())


def may_go_on(attempt: Attempt) -> bool:
    """Tell whether an attempt ended for what may pass by itself."""
    if attempt.outcome != Attempt.Outcome.FAILED:
        return True
    return all(reason["code"] in PASSING for reason in attempt.reasons)
