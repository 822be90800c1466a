"""acknowledge BATCH --user U --reason T --alerts DIGEST: says why a file is right that looks wrong."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import alerts
from ingestion_app.management import numbered
from ingestion_app.models import Batch
from ingestion_app.states import BATCH


class Command(commands.Command):
    """Acknowledges the alerts of a batch."""

    help = "Acknowledge the alerts of a validated batch, with a reason, so that it can be approved. Another validation asks for another."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--reason", required=True, metavar="T")
        parser.add_argument(
            "--alerts",
            required=True,
            metavar="DIGEST",
            help="the digest of the alerts that you were shown (validate and status print it)",
        )
        commands.add_shown_version(parser)

    def run(self, **options: Any) -> commands.Outcome:
        """Acknowledge, unless this user has done so."""
        caller = commands.caller(options["user"], deciding=True)
        batch = numbered.batch(options["batch"])

        def act() -> Batch:
            version = options["shown_version"]
            # One whose alerts are acknowledged is refused all the same.
            if alerts.acknowledgement_of(batch) is None:
                version = commands.demand_version(BATCH, "acknowledge", batch, version)
            return deciding.acknowledge(
                batch_id=batch.pk, reason=options["reason"], alerts_shown=options["alerts"], caller=caller, version=version
            )

        wanted = repeating.decision(
            BATCH,
            "acknowledge",
            batch.pk,
            caller,
            given={"--reason": options["reason"], "--alerts": options["alerts"]},
            kept={"--alerts": lambda row: row.facts["alerts"]},
        )
        done = repeating.once(wanted, standing=lambda: _standing(batch), act=act)
        data = {"batch": done.pk, "state": done.state, "version": done.version, "alerts": alerts.as_dict(done)}
        return commands.Outcome(data, (f"batch {done.pk} ({done}) is {done.state}; {alerts.line_of(done)}",))


def _standing(batch: Batch) -> Batch | None:
    """Return the batch where its alerts are acknowledged."""
    return Batch.objects.get(pk=batch.pk) if alerts.acknowledgement_of(batch) is not None else None
