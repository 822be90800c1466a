"""wake [--every SECONDS]: queues the batches that should be applied and are in nobody's hands."""

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
from ledger_app.operations import holds


class Command(commands.Command):
    """Wakes what is asleep."""

    help = "Queue the batches that are being applied and that nobody works on, and end the holds whose time is over."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--every", type=commands.positive, metavar="SECONDS", help="look again and again until it is ended")

    def run(self, **options: Any) -> commands.Outcome | commands.Report:
        """Look once, or until it is ended."""
        every = options["every"]
        if every is None:
            holds.sweep(caller=commands.caller(None))
        if every is not None:
            return commands.Report(
                object_lines=_lines(every, lambda woken: json.dumps({"woken": woken})), lines=_lines(every, _sentence)
            )
        woken = tasks.wake(at=doorways.now(), silent_after=_patience())
        return commands.Outcome({"woken": woken}, (_sentence(woken),))


def _lines(every: int, told: Callable[[list[int]], str]) -> Iterator[str]:
    """Yield a line whenever something was woken. It has no end of its own."""
    while True:
        try:
            holds.sweep(caller=commands.caller(None))
            woken = tasks.wake(at=doorways.now(), silent_after=_patience())
        except TryAgain:
            # The database may come back; until then nothing can be woken, and nothing else would end well for being ended.
            woken = []
        if woken:
            yield told(woken)
        connections.close_all()
        time.sleep(every)


def _patience() -> timedelta:
    return timedelta(seconds=settings.KAKUTEI_LEASE_SECONDS)


def _sentence(woken: list[int]) -> str:
    return f"queued again: {', '.join(f'batch {number}' for number in woken)}" if woken else "every batch is in somebody's hands"
