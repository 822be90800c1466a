"""Signs of life of a process that works, for as long as it does: beside the work, on a connection of their own."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

from django.db import connections

from ingestion_app.batches.operations import workers
from ingestion_app.batches.queries import workers as seen
from ledger_app.base.queries import clock

logger = logging.getLogger(__name__)

JOIN_SECONDS = 5


@contextmanager
def beating(kind: str) -> Iterator[None]:
    """Have this process be seen as one of ``kind`` while the work inside goes on, and as ended afterwards.

    A sign of life that cannot be written keeps no work from going on, whatever the cause: the next one tells.
    """
    over = Event()
    thread = Thread(target=_beat_until, args=(over, kind), name="signs-of-life", daemon=True)
    _quietly(partial(_beat, kind))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(JOIN_SECONDS)
        _quietly(_end)


def _beat_until(over: Event, kind: str) -> None:
    while not over.wait(workers.BEAT.total_seconds()):
        _quietly(partial(_beat, kind))
        # Held open between two signs of life it would only be one connection more.
        connections.close_all()


def _beat(kind: str) -> None:
    at = clock.read()
    workers.beat(kind=kind, instance=seen.this_instance(), host=seen.this_host(), process=os.getpid(), at=at)


def _end() -> None:
    workers.end(instance=seen.this_instance(), at=clock.read())


def _quietly(write: Callable[[], None]) -> None:
    try:
        write()
    except Exception as error:  # noqa: BLE001 - see ``beating``
        logger.info("no sign of life could be written: %s", error)
