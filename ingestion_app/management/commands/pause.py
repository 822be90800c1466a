"""pause BATCH --user U --reason T: no further chunk is begun until somebody resumes."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ingestion_app.applying.operations import applying
from ingestion_app.management import numbered
from ingestion_app.models import Batch
from ingestion_app.states import BATCH
from ingestion_app.status.queries import pauses


class Command(commands.Command):
    """Pauses a batch."""

    help = "Pause a batch that is being applied: chunks that are being applied come to their end, no other is begun."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--reason", required=True, metavar="T")
        commands.add_shown_version(parser)

    def run(self, **options: Any) -> commands.Outcome:
        """Pause, unless this user has done so."""
        caller = commands.caller(options["user"])
        batch = numbered.batch(options["batch"])

        def act() -> Batch:
            version = options["shown_version"]
            # One that is paused is refused all the same.
            if not batch.is_paused:
                version = commands.demand_version(BATCH, "pause", batch, version)
            return applying.pause(batch_id=batch.pk, caller=caller, reason=options["reason"], version=version)

        wanted = repeating.decision(
            BATCH, "pause", batch.pk, caller, given={"--reason": options["reason"]}, find=lambda: pauses.row_of(batch)
        )
        batch = repeating.once(wanted, standing=Batch.objects.filter(pk=batch.pk, is_paused=True).first, act=act)
        data = {"batch": batch.pk, "state": batch.state, "version": batch.version, "is_paused": batch.is_paused}
        return commands.Outcome(data, (f"batch {batch.pk} ({batch}) is {batch.state}, paused",))
