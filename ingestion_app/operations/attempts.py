"""Attempts: one try at a step of a batch, so that "where is it?" and "what happened?" have an answer in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max

from ingestion_app.models import Attempt, Batch
from ledger_app.errors import LedgerError
from ledger_app.operations import transactions
from ledger_app.operations.audit import Caller


def begin(*, batch: Batch, step: str, caller: Caller, host: str, process: int) -> Attempt:
    """Write down that a try begins."""

    def work() -> Attempt:
        last = Attempt.objects.filter(batch=batch, step=step).aggregate(last=Max("number"))["last"] or 0
        return Attempt.objects.create(
            batch=batch,
            step=step,
            number=last + 1,
            actor=caller.user,
            host=host[:64],
            process=process,
            started_at=caller.at,
            heartbeat_at=caller.at,
        )

    return transactions.run(work)


def beat(*, attempt: Attempt, at: datetime, done_records: int) -> None:
    """Write down a sign of life, and how far the try has come."""
    transactions.run(lambda: Attempt.objects.filter(pk=attempt.pk).update(heartbeat_at=at, done_records=done_records))


def end(
    *, attempt: Attempt, at: datetime, outcome: str, reasons: Sequence[LedgerError] = (), seconds: dict[str, Any] | None = None
) -> None:
    """Write down how a try ended."""
    transactions.run(
        lambda: Attempt.objects.filter(pk=attempt.pk).update(
            heartbeat_at=at,
            ended_at=at,
            outcome=outcome,
            reasons=[reason.as_dict() for reason in reasons],
            seconds=seconds or {},
        )
    )
