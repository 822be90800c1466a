"""Attempts: one try at a step of a batch, so that "where is it?" and "what happened?" have an answer in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max

from ingestion_app import errors
from ingestion_app.models import Attempt, Batch
from ingestion_app.operations import leasing
from ledger_app.errors import LedgerError
from ledger_app.errors.stored import stored
from ledger_app.operations import transactions
from ledger_app.operations.audit import Caller
from ledger_app.operations.measuring import Measured


def begin(*, batch: Batch, step: str, caller: Caller, host: str, process: int) -> Attempt:
    """Write down that a try begins, and of earlier ones whose process is gone that they have failed."""

    def work() -> Attempt:
        earlier = Attempt.objects.filter(batch=batch, step=step)
        last = earlier.aggregate(last=Max("number"))["last"] or 0
        for attempt in earlier.filter(outcome=Attempt.Outcome.RUNNING):
            if leasing.is_dead(f"{attempt.host}:{attempt.process}"):
                gone = stored(errors.ProcessGone(process=attempt.process, host=attempt.host))
                earlier.filter(pk=attempt.pk).update(
                    outcome=Attempt.Outcome.FAILED, ended_at=attempt.heartbeat_at, reasons=[gone]
                )
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


def beat(*, attempt: Attempt, at: datetime, done_records: int, phase: str = "", measured: Measured | None = None) -> None:
    """Write down a sign of life, how far the try has come, in which phase it is where that is another, and what was measured till now."""
    changed: dict[str, Any] = {"heartbeat_at": at, "done_records": done_records}
    if phase:
        changed["phase"] = phase
    if measured is not None:
        changed |= {"seconds": measured.told(), "counts": measured.counts}
    transactions.run(lambda: Attempt.objects.filter(pk=attempt.pk).update(**changed))


def end(
    *,
    attempt: Attempt,
    at: datetime,
    outcome: str,
    done_records: int,
    measured: Measured,
    reasons: Sequence[LedgerError] = (),
) -> None:
    """Write down how a try ended, where its time went, and what it met."""
    transactions.run(
        lambda: Attempt.objects.filter(pk=attempt.pk).update(
            heartbeat_at=at,
            ended_at=at,
            outcome=outcome,
            done_records=done_records,
            reasons=[stored(reason) for reason in reasons],
            seconds=measured.told(),
            counts=measured.counts,
        )
    )
