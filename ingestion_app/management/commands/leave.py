"""leave BATCH --user U --reason T: ends a batch with what is applied of it."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ingestion_app.applying.operations import leaving
from ingestion_app.management import numbered
from ingestion_app.models import Batch
from ingestion_app.states import BATCH

STANDS = frozenset({Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})


class Command(commands.Command):
    """Ends a batch with what is applied of it."""

    help = "End a batch with what is applied of it: the records of its other chunks are set aside, and may come in again."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--reason", required=True, metavar="T")

    def run(self, **options: Any) -> commands.Outcome:
        """Leave the rest out, unless this user has done so."""
        caller = commands.caller(options["user"], deciding=True)
        batch = numbered.batch(options["batch"])
        batch = repeating.once(
            repeating.decision(BATCH, "leave", batch.pk, caller, given={"--reason": options["reason"]}),
            standing=Batch.objects.filter(pk=batch.pk, state__in=STANDS).first,
            act=lambda: leaving.leave(batch_id=batch.pk, reason=options["reason"], caller=caller),
        )
        data = {"batch": batch.pk, "state": batch.state, "set_aside": batch.set_aside_count}
        text = f"batch {batch.pk} ({batch}) is {batch.state}; records set aside: {batch.set_aside_count:,}"
        return commands.Outcome(data, (text,))
