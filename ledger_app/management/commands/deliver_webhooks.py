"""deliver_webhooks [--every SECONDS]: sends events to the webhooks that want them."""

import json
import logging
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Final

from django.core.management.base import CommandParser
from django.db import connections

from config.doors import webhooks
from config.doors.commands import base as commands
from ledger_app.base.operations import feed
from ledger_app.base.queries import clock
from ledger_app.errors import TryAgain
from ledger_app.programs.operations import deliveries
from ledger_app.programs.operations.deliveries import Turn

logger = logging.getLogger(__name__)

# One for each webhook that is delivered to: a receiver that hangs keeps its own and no other.
THREADS: Final = 16
TURNS_MOST: Final = 1_000

Running = dict[int, Future[Turn]]


class Command(commands.Command):
    """Delivers events."""

    help = "Send the events that are waiting to the webhooks that want them, each in order and at least once. Two of it at once share the work."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--every", type=commands.positive, metavar="SECONDS", help="look again and again until it is ended")

    def run(self, **options: Any) -> commands.Outcome | commands.Report:
        """Deliver what is waiting, or go on until it is ended."""
        every = options["every"]
        if every is not None:
            # Ended as services are, it says of itself that it has ended.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            return commands.Report(
                object_lines=(json.dumps(turn._asdict()) for turn in self._turns(every)),
                lines=(_sentence(turn) for turn in self._turns(every)),
            )
        with ThreadPoolExecutor(THREADS) as pool:
            running = _begin(pool, {}, turns_most=TURNS_MOST)
            wait(running.values())
        done = Turn()
        for each in running.values():
            done = done.and_(each.result())
        return commands.Outcome(done._asdict(), (_sentence(done),))

    def _turns(self, every: int) -> Iterator[Turn]:
        """Yield what became of a turn whenever something was sent. It has no end of its own."""
        with ThreadPoolExecutor(THREADS) as pool:
            running: Running = {}
            was_away = ""
            while True:
                away = ""
                try:
                    running |= _begin(pool, running, turns_most=1)
                except Exception as error:
                    away = commands.away(error)
                    if not away:
                        raise
                if away and not was_away:
                    self.stderr.write(f"the database is away ({away}); looking again every {every} s until it is back")
                was_away = away
                connections.close_all()
                wait(running.values(), timeout=every)
                if not any(each.done() and not each.exception() and any(each.result()) for each in running.values()):
                    time.sleep(every)
                for number in [number for number, each in running.items() if each.done()]:
                    turn = _result(running.pop(number))
                    if any(turn):
                        yield turn


def _begin(pool: ThreadPoolExecutor, running: Running, *, turns_most: int) -> Running:
    """Begin to deliver to each webhook that is due and not delivered to already."""
    # A database that is busy numbers the events later; those that have a number are sent all the same.
    with suppress(TryAgain):
        feed.number()
    return {number: pool.submit(_deliver, number, turns_most) for number in deliveries.due(clock.now()) if number not in running}


def _deliver(number: int, turns_most: int) -> Turn:
    """Deliver to one webhook until nothing waits for it, in a thread of its own."""
    done = Turn()
    try:
        caller = commands.caller(None)
        for _turn in range(turns_most):
            turn = deliveries.turn(webhook_id=number, send=webhooks.send, now=clock.now, caller=caller)
            done = done.and_(turn)
            if turn.failed or not any(turn) or number not in deliveries.due(clock.now()):
                break
    finally:
        connections.close_all()
    return done


def _result(ended: Future[Turn]) -> Turn:
    """Return what became of a turn; a fault in one is told, and keeps no other from being begun."""
    error = ended.exception()
    if error is not None:
        logger.error("deliver_webhooks", exc_info=error)
        return Turn()
    return ended.result()


def _sentence(done: Turn) -> str:
    return f"{done.sent} sent, {done.failed} to be tried again, {done.dead} given up, {done.ended} ended"
