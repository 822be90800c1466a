"""db_worker: does what is queued. The queue's own worker, which is seen while it lives and outlives a database that is away."""

import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import DatabaseError, InterfaceError, connections
from django_tasks_db.management.commands import db_worker

from ingestion_app.management.beating import beating
from ingestion_app.models import Worker
from ledger_app.operations import transactions

PAUSE_SECONDS = 1.0  # where no interval is given


class Command(db_worker.Command):
    """Does what is queued, until it is ended."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments; to begin anew when the code changes has to be asked for."""
        super().add_arguments(parser)
        parser.set_defaults(reload=False)

    def handle(self, **options: Any) -> None:
        """Work; where the database is away, say so, wait, and go on."""
        with beating(Worker.Kind.WORKER):
            while True:
                try:
                    super().handle(**options)
                except (DatabaseError, InterfaceError) as error:
                    cause = transactions.passing_cause(error)
                    if options["batch"] or not cause:
                        raise
                    self.stderr.write(f"the database is away ({cause}); looking again until it is back")
                else:
                    return
                connections.close_all()
                time.sleep(options["interval"] or PAUSE_SECONDS)
