"""wake [--every SECONDS]: queues the batches that should be applied and are in nobody's hands, and ends proposals that nobody decided in time."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections

from config import commands, doorways
from ingestion_app import tasks
from ledger_app.errors import TryAgain
from ledger_app.operations import adjustments, holds, traces


class Command(commands.Command):
    """Wakes what is asleep."""

    help = (
        "Queue the batches that are being applied and that nobody works on, such as those of a worker that was killed; "
        "end the holds whose time is over; mark proposed adjustments that nobody decided in time."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--every", type=commands.positive, metavar="SECONDS", help="look again and again until it is ended")

    def run(self, **options: Any) -> commands.Outcome | commands.Report:
        """Look once, or until it is ended."""
        every = options["every"]
        if every is not None:
            return commands.Report(object_lines=_lines(every, json.dumps), lines=_lines(every, _sentence))
        done = _once()
        return commands.Outcome(done, (_sentence(done),))


def _once() -> dict[str, list[int]]:
    """Look once: what was woken, and which proposals were over their time. Holds whose time is over end as well, and what was written is linked."""
    holds.sweep(caller=commands.caller(None))
    traces.link(at=doorways.now())
    woken = tasks.wake(at=doorways.now(), silent_after=_patience())
    return {"woken": woken, "expired": adjustments.expire_overdue(caller=commands.caller(None))}


def _lines(every: int, told: Callable[[dict[str, list[int]]], str]) -> Iterator[str]:
    """Yield a line whenever something was done. It has no end of its own."""
    while True:
        try:
            done = _once()
        except TryAgain:
            # The database may come back; until then nothing can be woken, and nothing else would end well for being ended.
            done = {}
        if any(done.values()):
            yield told(done)
        connections.close_all()
        time.sleep(every)


def _patience() -> timedelta:
    return timedelta(seconds=settings.KAKUTEI_LEASE_SECONDS)


def _sentence(done: dict[str, list[int]]) -> str:
    woken, expired = done["woken"], done["expired"]
    told = f"queued again: {', '.join(f'batch {number}' for number in woken)}" if woken else "every batch is in somebody's hands"
    ended = f"; not decided in time: {', '.join(f'adjustment #{number}' for number in expired)}" if expired else ""
    return told + ended
