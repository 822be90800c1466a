"""withdraw BATCH --user U --reason T: ends a batch that was not applied."""

from typing import Any

from django.core.management.base import CommandParser

from config import commands
from ingestion_app.models import Batch
from ingestion_app.operations import deciding


class Command(commands.Command):
    """Withdraws a batch."""

    help = "End a batch that was not applied. Its bytes and findings are kept; its slot is free."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--reason", required=True, metavar="T")

    def run(self, **options: Any) -> commands.Outcome:
        """Withdraw, unless it was already done."""
        caller = commands.caller(options["user"], deciding=True)
        batch = commands.find_batch(options["batch"])
        if batch.state != Batch.State.WITHDRAWN:
            batch = deciding.withdraw(batch_id=batch.pk, reason=options["reason"], caller=caller)
        return commands.Outcome({"batch": batch.pk, "state": batch.state}, (f"batch {batch.pk} ({batch}) is {batch.state}",))
