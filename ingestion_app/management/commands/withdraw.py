"""withdraw BATCH --user U --reason T: ends a batch that was not applied."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ingestion_app.deciding.operations import deciding
from ingestion_app.management import numbered
from ingestion_app.models import Batch
from ingestion_app.states import BATCH


class Command(commands.Command):
    """Withdraws a batch."""

    help = "End a batch that was not applied. Its bytes and findings are kept; its slot is free."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--reason", required=True, metavar="T")

    def run(self, **options: Any) -> commands.Outcome:
        """Withdraw, unless this user has done so."""
        caller = commands.caller(options["user"], deciding=True)
        batch = numbered.batch(options["batch"])
        batch = repeating.once(
            repeating.decision(BATCH, "withdraw", batch.pk, caller, given={"--reason": options["reason"]}),
            standing=Batch.objects.filter(pk=batch.pk, state=Batch.State.WITHDRAWN).first,
            act=lambda: deciding.withdraw(batch_id=batch.pk, reason=options["reason"], caller=caller),
        )
        return commands.Outcome({"batch": batch.pk, "state": batch.state}, (f"batch {batch.pk} ({batch}) is {batch.state}",))
