"""Signs of life of a process that works, for as long as it does: beside the work, on a connection of their own."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import DatabaseError, InterfaceError, connections

from ingestion_app.operations import workers
from ingestion_app.queries import workers as seen
from ledger_app.errors import LedgerError

logger = logging.getLogger(__name__)

JOIN_SECONDS = 5


@contextmanager
def beating(kind: str) -> Iterator[None]:
    """Have this process be seen as one of ``kind`` while the work inside goes on, and as ended afterwards.

    A database that is away, or busy for long, keeps no work from going on: the next sign of life tells.
    """
    over = Event()
    thread = Thread(target=_beat_until, args=(over, kind), name="signs-of-life", daemon=True)
    _beat(kind)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(JOIN_SECONDS)
        _end()


def _beat_until(over: Event, kind: str) -> None:
    while not over.wait(workers.BEAT.total_seconds()):
        _beat(kind)
        # Held open between two signs of life it would only be one connection more.
        connections.close_all()


def _beat(kind: str) -> None:
    try:
        workers.beat(kind=kind, instance=seen.this_instance(), host=seen.this_host(), process=os.getpid())
    except (LedgerError, DatabaseError, InterfaceError) as error:
        logger.info("no sign of life could be written: %s", error)


def _end() -> None:
    try:
        workers.end(instance=seen.this_instance())
    except (LedgerError, DatabaseError, InterfaceError) as error:
        logger.info("the end of this process could not be written: %s", error)
