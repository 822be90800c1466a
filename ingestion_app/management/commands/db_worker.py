"""db_worker [--interval SECONDS] [--batch]: does what is queued, is seen while it lives, and outlives a database that is away."""

import signal
import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import connections
from django_tasks_db.management.commands.db_worker import Worker as QueueWorker

from config.doors.commands import base as commands
from ingestion_app.batches.queries import workers
from ingestion_app.management.beating import beating
from ingestion_app.models import Worker

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class Command(commands.Command):
    """Does what is queued, until it is ended."""

    help = "Do what is queued, until it is ended (Ctrl-C or SIGTERM: after the task that it is at). A database that is away is waited for."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--interval", type=commands.positive, default=1, metavar="SECONDS", help="how long to wait where nothing is queued"
        )
        parser.add_argument("--batch", action="store_true", help="end where nothing is queued any more")

    def run(self, **options: Any) -> commands.Outcome:
        """Work; where the database is away, say so, wait, and go on."""
        name = workers.this_instance()
        with beating(Worker.Kind.WORKER):
            while True:
                try:
                    self._work(name, options["interval"], is_batch=options["batch"])
                except Exception as error:
                    cause = commands.away(error)
                    if options["batch"] or not cause:
                        raise
                    self.stderr.write(f"the database is away ({cause}); looking again until it is back")
                else:
                    return commands.Outcome({"worker": name}, (f"worker {name} has ended",))
                connections.close_all()
                time.sleep(options["interval"])

    def _work(self, name: str, interval: int, *, is_batch: bool) -> None:
        worker = QueueWorker(
            queue_names=["default"],
            interval=interval,
            batch=is_batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name,
            excluded_queue_names=[],
        )
        before = {number: signal.getsignal(number) for number in SIGNALS}
        worker.configure_signals()
        try:
            worker.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
