"""freeze_batch BATCH --user U: ends an applied batch for ever."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ingestion_app.deciding.operations import deciding
from ingestion_app.management import numbered
from ingestion_app.models import Batch
from ingestion_app.states import BATCH


class Command(commands.Command):
    """Freezes a batch."""

    help = "End an applied batch for ever, once the ledger's change counted again equals its plan."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")

    def run(self, **options: Any) -> commands.Outcome:
        """Freeze, unless this user has done so."""
        caller = commands.caller(options["user"], deciding=True)
        batch = numbered.batch(options["batch"])
        batch = repeating.once(
            repeating.decision(BATCH, "freeze", batch.pk, caller),
            standing=Batch.objects.filter(pk=batch.pk, state=Batch.State.FROZEN).first,
            act=lambda: deciding.freeze(batch_id=batch.pk, caller=caller),
        )
        return commands.Outcome({"batch": batch.pk, "state": batch.state}, (f"batch {batch.pk} ({batch}) is {batch.state}",))
