"""What the ledger has done outside the request. The queue only wakes: what is to be done, and how it ended, is in the database."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.db import connections
from django_tasks import task

from config import queue
from config.doors import callers as doorways
from ledger_app.base.operations import transactions
from ledger_app.close.operations import freezing
from ledger_app.errors import LedgerError
from ledger_app.models import FreezeAttempt, User

BEAT_SECONDS = 10
SILENT_AFTER = timedelta(seconds=60)  # six signs of life that did not come
JOIN_SECONDS = 5
logger = logging.getLogger(__name__)


@task()
def freeze_period(*, attempt_id: int, user_id: int) -> dict[str, Any]:
    """Carry out a freeze that a user asked for. A refusal is the answer, not a failure: it stands in the attempt and the audit."""
    caller = doorways.from_command(User.objects.get(pk=user_id), door="task")
    try:
        with alive(attempt_id):
            seal = freezing.carry_out(
                attempt_id=attempt_id, caller=caller, code_version=settings.KAKUTEI_CODE_VERSION, now=doorways.now
            )
    except LedgerError as error:
        return {"attempt": attempt_id, "refused": str(error)}
    return {"attempt": attempt_id, "seal": bytes(seal.digest).hex() if seal else None}


@contextmanager
def alive(attempt_id: int) -> Iterator[None]:
    """Give signs of life for an attempt at a freeze while it is carried out inside: beside the work, on a connection of their own.

    One that cannot be written keeps no freeze from going on: the next one tells.
    """
    over = Event()
    thread = Thread(target=_beat_until, args=(over, attempt_id), name="signs-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(JOIN_SECONDS)


def _beat_until(over: Event, attempt_id: int) -> None:
    while not over.wait(BEAT_SECONDS):
        try:
            freezing.beat(attempt_id=attempt_id, at=doorways.now())
        except Exception as error:  # noqa: BLE001 - see ``alive``
            logger.info("no sign of life could be written: %s", error)
        # Held open between two signs of life it would only be one connection more.
        connections.close_all()


def wake() -> list[int]:
    """Queue the freezes that were asked for, wait, and are not in the queue, for the person who asked for them; return the numbers of their periods.

    What was begun and gives no sign of life any more is ended first, and begun anew.

    :raises TryAgain: when the database was busy or away
    """

    def work() -> list[FreezeAttempt]:
        queued = queue.waiting(freeze_period, "attempt_id")
        return [attempt for attempt in freezing.waiting() if attempt.pk not in queued]

    freezing.take_up_abandoned(at=doorways.now(), silent_after=SILENT_AFTER)
    lost = transactions.run(work)
    for attempt in lost:
        freeze_period.enqueue(attempt_id=attempt.pk, user_id=attempt.asked_by_id)
    return [attempt.period_id for attempt in lost]
