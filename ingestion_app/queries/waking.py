"""Finds the batches that should be worked on and are not: the queue lost them, or whoever worked on them is gone."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from ingestion_app.models import Attempt, Batch, Chunk
from ledger_app.errors import TryAgain


def stranded(*, at: datetime, silent_after: timedelta) -> list[int]:
    """Return the numbers of the batches in ``applying`` that are not paused, have something left, and are in nobody's hands.

    Chunks that have stopped are left to people, with the later parts of the same member's records, which wait for them: tried again by
    themselves they would stop again. What is left is then another waiting chunk, or, where all are applied and whoever was to take the
    last step has died before it, that step. An attempt whose last sign of life is older than ``silent_after`` is nobody's any more; one
    that ended because the plan is damaged is a matter for people too.
    """
    found = []
    for batch in Batch.objects.filter(state=Batch.State.APPLYING, is_paused=False).order_by("id"):
        chunks = Chunk.objects.filter(batch=batch)
        attempt = Attempt.objects.filter(batch=batch, step=Attempt.Step.APPLY).order_by("-id").first()
        is_gone = attempt is not None and attempt.outcome == Attempt.Outcome.RUNNING and attempt.heartbeat_at < at - silent_after
        if not _has_work_left(batch, is_gone=is_gone) or chunks.filter(state="pending", lease_until__gt=at).exists():
            continue
        if attempt is None or is_gone or (attempt.outcome != Attempt.Outcome.RUNNING and _may_go_on(attempt)):
            found.append(batch.pk)
    return found


def _has_work_left(batch: Batch, *, is_gone: bool) -> bool:
    left = Chunk.objects.filter(batch=batch).exclude(state=Chunk.State.APPLIED)
    earlier = Chunk.objects.filter(batch_id=OuterRef("batch_id"), holder_id=OuterRef("holder_id"), number__lt=OuterRef("number"))
    waiting = left.filter(state=Chunk.State.PENDING).exclude(Exists(earlier.filter(state=Chunk.State.STOPPED)))
    return waiting.exists() or (is_gone and not left.exists())


def _may_go_on(attempt: Attempt) -> bool:
    """Tell whether an attempt ended for what passes by itself."""
    if attempt.outcome != Attempt.Outcome.FAILED:
        return True
    return all(reason["code"] == TryAgain.code for reason in attempt.reasons)
