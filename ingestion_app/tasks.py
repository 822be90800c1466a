"""What runs outside the request. The queue only wakes: what is to be done, and what is done, is in the database."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django_tasks import task

from config import queue
from config.doors import callers as doorways
from ingestion_app.applying.operations import applying
from ingestion_app.batches.operations import attempts
from ingestion_app.models import ValidationRequest
from ingestion_app.status.queries import waking
from ingestion_app.validating.operations import validating
from ledger_app.base.operations import transactions
from ledger_app.errors import LedgerError
from ledger_app.models import User


@task()
def validate_batch(*, batch_id: int, user_id: int, version: int | None = None) -> dict[str, Any]:
    """Validate a batch for a user who asked for it. A refusal is the answer, not a failure: it stands in the attempt and the audit.

    ``version`` is the batch's when it was asked for: a wake-up that comes late or twice must not undo what was decided since.
    """
    caller = doorways.from_command(User.objects.get(pk=user_id), door="task")
    try:
        batch = validating.validate(
            batch_id=batch_id,
            directory=Path(settings.KAKUTEI_FILES_DIR),
            caller=caller,
            now=doorways.now,
            workers=settings.KAKUTEI_WORKERS,
            version=version,
        )
    except LedgerError as error:
        return {"batch": batch_id, "refused": str(error)}
    return {"batch": batch.pk, "state": batch.state}


def wake(*, at: datetime, silent_after: timedelta) -> list[int]:
    """Queue the batches that are in nobody's hands, each once; return their numbers.

    They are applied for the system's user, and validated for whoever asked for it, as nobody may approve what they validated.
    Attempts whose processes are gone are ended first, on whatever host they ran: what nobody works on does not say that somebody does. A batch whose wake-up is in the queue already is left to it. What the queue holds as running is not asked: a task whose worker was
    killed is held so for ever.

    :raises TryAgain: when the database was busy or away
    """

    def stranded() -> list[int]:
        queued = queue.waiting(apply_batch, "batch_id")
        return [number for number in waking.stranded(at=at, silent_after=silent_after) if number not in queued]

    def unanswered() -> list[ValidationRequest]:
        queued = queue.waiting(validate_batch, "batch_id")
        return [asked for asked in waking.unanswered(at=at, silent_after=silent_after) if asked.batch_id not in queued]

    attempts.end_gone(at=at)
    to_apply, to_validate = transactions.run(stranded), transactions.run(unanswered)
    system = User.objects.get(username=User.SYSTEM)
    for number in to_apply:
        apply_batch.enqueue(batch_id=number, user_id=system.pk)
    for asked in to_validate:
        validate_batch.enqueue(batch_id=asked.batch_id, user_id=asked.asked_by_id, version=asked.batch_version)
    return sorted({*to_apply, *(asked.batch_id for asked in to_validate)})


@task()
def apply_batch(*, batch_id: int, user_id: int) -> dict[str, Any]:
    """Apply what is left of a batch that a user has begun to apply. Delivered twice, the second finds the chunks applied."""
    caller = doorways.from_command(User.objects.get(pk=user_id), door="task")
    try:
        applied = applying.carry_on(
            batch_id=batch_id,
            caller=caller,
            now=doorways.now,
            workers=settings.KAKUTEI_WORKERS,
            lease_seconds=settings.KAKUTEI_LEASE_SECONDS,
        )
    except LedgerError as error:
        return {"batch": batch_id, "refused": str(error)}
    return {"batch": batch_id, "state": applied.batch.state, "stopped": len(applied.stopped)}
