"""resume BATCH --user U: ends a pause and applies what is left."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ingestion_app.management import numbered
from ingestion_app.management.commands import apply
from ingestion_app.states import BATCH


class Command(commands.Command):
    """Resumes a batch."""

    help = "End the pause of a batch and apply the chunks that are left. A batch that is not paused is taken up again."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--workers", type=commands.positive, default=1, metavar="N", help="processes (SQLite: always one)")
        commands.add_shown_version(parser)

    def run(self, **options: Any) -> commands.Outcome:
        """Resume."""
        caller = commands.caller(options["user"])
        batch, version = numbered.batch(options["batch"]), options["shown_version"]
        # One that is not paused has nothing of anybody's that could be undone.
        if batch.is_paused:
            version = commands.demand_version(BATCH, "resume", batch, version)
        return apply.apply(batch, caller, options["workers"], name="resume", version=version)
