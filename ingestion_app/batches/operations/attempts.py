"""Attempts: one try at a step of a batch, so that "where is it?" and "what happened?" have an answer in the database."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max

from ingestion_app import errors
from ingestion_app.batches.queries import workers
from ingestion_app.models import Attempt, Batch
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.measuring import Measured
from ledger_app.errors import LedgerError, Refused
from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.stored import stored

SILENT_AFTER: Final = timedelta(seconds=60)
SURPRISE_MOST: Final = 200  # characters that are kept of what a fault said

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Ending:
    """How an attempt is going to end: done, unless it is told otherwise."""

    outcome: str = Attempt.Outcome.DONE
    reasons: Sequence[LedgerError] = ()


def begin_here(*, batch: Batch, step: str, caller: Caller) -> Attempt:
    """Begin a try of this process."""
    here: dict[str, Any] = {"host": workers.this_host(), "process": os.getpid(), "worker": workers.this_instance()}
    return begin(batch=batch, step=step, caller=caller, **here)


def begin(*, batch: Batch, step: str, caller: Caller, host: str, process: int, worker: str | None = None) -> Attempt:
    """Write down that a try begins, and of earlier ones whose process is gone that they have failed."""

    def work() -> Attempt:
        earlier = Attempt.objects.filter(batch=batch, step=step)
        last = earlier.aggregate(last=Max("number"))["last"] or 0
        for attempt in earlier.filter(outcome=Attempt.Outcome.RUNNING):
            if _is_gone(attempt, caller.at):
                _end_gone(attempt)
        return Attempt.objects.create(
            batch=batch,
            step=step,
            number=last + 1,
            actor=caller.user,
            host=host[:64],
            process=process,
            worker=worker,
            batch_version=Batch.objects.values_list("version", flat=True).get(pk=batch.pk),
            started_at=caller.at,
            heartbeat_at=caller.at,
        )

    return transactions.run(work)


@contextmanager
def under_way(
    *,
    attempt: Attempt,
    now: Callable[[], datetime],
    done_records: Callable[[], int],
    measured: Callable[[], Measured],
    refused: str = Attempt.Outcome.REFUSED,
) -> Iterator[Ending]:
    """Do the work of an attempt inside. On whatever way it is left, the attempt ends, in a transaction of its own, with what went wrong.

    A refusal ends it as ``refused``, everything else as failed. Where its end cannot be written, as while the database is away, it stays
    without a sign of life, and the one who finds it so ends it.
    """
    ending = Ending()

    def write() -> None:
        end(
            attempt=attempt,
            at=now(),
            outcome=ending.outcome,
            reasons=ending.reasons,
            done_records=done_records(),
            measured=measured(),
        )

    try:
        yield ending
    except BaseException as error:
        ending.outcome = refused if isinstance(error, Refused) else Attempt.Outcome.FAILED
        ending.reasons = _reasons_of(error)
        try:
            write()
        except LedgerError:
            logger.exception("the end of attempt %s could not be written", attempt.pk)
        raise
    write()


def beat(*, attempt: Attempt, at: datetime, done_records: int, phase: str = "", measured: Measured | None = None) -> None:
    """Write down a sign of life, how far the try has come, in which phase it is where that is another, and what was measured till now."""
    changed: dict[str, Any] = {"heartbeat_at": at, "done_records": done_records}
    if phase:
        changed["phase"] = phase
    if measured is not None:
        changed |= {"seconds": measured.rounded(), "counts": measured.counts}
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
    """Write down how a try ended, where its time went, and what it met. One that reached its end stays done, whatever came after."""

    def work() -> None:
        own = Attempt.objects.filter(pk=attempt.pk)
        own.update(heartbeat_at=at, done_records=done_records, seconds=measured.rounded(), counts=measured.counts)
        own.exclude(outcome=Attempt.Outcome.DONE).update(
            ended_at=at, outcome=outcome, reasons=[stored(reason) for reason in reasons]
        )

    transactions.run(work)


def reached(*, attempt: Attempt, at: datetime) -> None:
    """Write down, in the transaction that takes the step, that a try has reached its end: the two are one, though the answer be lost."""
    Attempt.objects.filter(pk=attempt.pk).update(outcome=Attempt.Outcome.DONE, ended_at=at, reasons=[])


def end_gone(*, at: datetime) -> list[int]:
    """End the attempts whose processes are gone, on whatever host they ran, as failed; return the numbers of their batches."""

    def work() -> list[int]:
        running = Attempt.objects.filter(outcome=Attempt.Outcome.RUNNING).order_by("id")
        gone = [attempt for attempt in running if _is_gone(attempt, at)]
        for attempt in gone:
            _end_gone(attempt)
        return [attempt.batch_id for attempt in gone]

    return transactions.run(work)


def _is_gone(attempt: Attempt, at: datetime) -> bool:
    """Whether the process of an attempt is certainly gone, or has been silent for too long and is seen by nobody."""
    if workers.is_gone(attempt.process, attempt.worker):
        return True
    is_silent = attempt.heartbeat_at < at - SILENT_AFTER
    return is_silent and not workers.is_there(attempt.process, attempt.worker)


def _end_gone(attempt: Attempt) -> None:
    gone = stored(errors.ProcessGone(process=attempt.process, host=attempt.host))
    # One that has ended meanwhile has said so itself, and knows better.
    Attempt.objects.filter(pk=attempt.pk, outcome=Attempt.Outcome.RUNNING).update(
        outcome=Attempt.Outcome.FAILED, ended_at=attempt.heartbeat_at, reasons=[gone]
    )


def _reasons_of(error: BaseException) -> Sequence[LedgerError]:
    """Return what went wrong, to be kept: a fault by its kind and its first words, without any card number."""
    if isinstance(error, Refused):
        return error.reasons
    if isinstance(error, LedgerError):
        return [error]
    if isinstance(error, Exception):
        return [errors.Surprise(what=masked_text(f"{type(error).__name__}: {error}"[:SURPRISE_MOST]))]
    return [errors.Interrupted()]
