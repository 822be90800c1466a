"""wake [--every SECONDS]: queues what was asked for and is in nobody's hands, and ends proposals that nobody decided in time."""

import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ingestion_app import tasks
from ingestion_app.management.beating import beating
from ingestion_app.models import Worker
from ledger_app import tasks as ledger_tasks
from ledger_app.adjustments.operations import adjustments
from ledger_app.points.operations import holds
from ledger_app.traces import operations as traces

logger = logging.getLogger(__name__)

Done = dict[str, list[int]]


class Command(commands.Command):
    """Wakes what is asleep."""

    help = (
        "Queue what was asked for and nobody works on: batches being applied, validations, freezes, such as those of a worker that was killed; "
        "end the holds whose time is over; mark proposed adjustments that nobody decided in time."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--every", type=commands.positive, metavar="SECONDS", help="look again and again until it is ended")

    def run(self, **options: Any) -> commands.Outcome | commands.Report:
        """Look once, or until it is ended."""
        every = options["every"]
        if every is not None:
            # Ended as services are, it says of itself that it has ended.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            return commands.Report(object_lines=self._lines(every, json.dumps), lines=self._lines(every, _sentence))
        done: Done = {}
        for name, job in JOBS.items():
            done[name] = job()
        return commands.Outcome(_told(done), (_sentence(done),))

    def _lines(self, every: int, told: Callable[[Done], str]) -> Iterator[str]:
        """Yield a line whenever something was done. It has no end of its own."""
        with beating(Worker.Kind.WAKER):
            was_away = False
            while True:
                done, away = _once()
                if away and not was_away:
                    self.stderr.write(f"the database is away ({away}); looking again every {every} s until it is back")
                if was_away and not away:
                    self.stderr.write("the database is back")
                was_away = bool(away)
                if any(done.values()):
                    yield told(done)
                connections.close_all()
                time.sleep(every)


def _once() -> tuple[Done, str]:
    """Look once: what each job did, and why the database could not be asked, where it could not.

    A fault in one job keeps none of the others from being done, nor from being looked for again.
    """
    done: Done = {}
    for name, job in JOBS.items():
        try:
            done[name] = job()
        except Exception as error:
            if cause := commands.away(error):
                return _told(done), cause
            logger.exception("wake: %s", name)
    return _told(done), ""


def _end_holds() -> list[int]:
    holds.sweep(caller=commands.caller(None))
    return []


def _link() -> list[int]:
    traces.link(at=doorways.now())
    return []


def _wake() -> list[int]:
    return tasks.wake(at=doorways.now(), silent_after=timedelta(seconds=settings.KAKUTEI_LEASE_SECONDS))


def _wake_freezes() -> list[int]:
    return ledger_tasks.wake()


def _expire() -> list[int]:
    return adjustments.expire_overdue(caller=commands.caller(None))


JOBS: Final[dict[str, Callable[[], list[int]]]] = {
    "holds": _end_holds,
    "woken": _wake,
    "freezes": _wake_freezes,
    "expired": _expire,
    "linked": _link,
}


def _told(done: Done) -> Done:
    """Return what is told of what was done: holds tell of themselves in their audit rows, the chain in its links."""
    told = {name: done.get(name, []) for name in ("woken", "expired")}
    return told | ({"freezes": done["freezes"]} if done.get("freezes") else {})


def _sentence(done: Done) -> str:
    woken, expired, freezes = done["woken"], done["expired"], done.get("freezes", [])
    told = f"queued again: {', '.join(f'batch {number}' for number in woken)}" if woken else "every batch is in somebody's hands"
    told += f"; freezes queued again: {', '.join(f'period {number}' for number in freezes)}" if freezes else ""
    ended = f"; not decided in time: {', '.join(f'adjustment #{number}' for number in expired)}" if expired else ""
    return told + ended
