"""approve BATCH --user U: binds a second person to the plan."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.management import numbered
from ingestion_app.models import Batch
from ingestion_app.states import BATCH
from ledger_app.errors import Refused
from ledger_app.errors.shown import PlanNotSaid

STANDS = frozenset({Batch.State.APPROVED, Batch.State.APPLYING, Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})


class Command(commands.Command):
    """Approves the plan of a batch."""

    help = "Approve the plan of a validated batch. The user may be neither who received nor who validated it."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--note", default="", metavar="T")
        parser.add_argument(
            "--plan", metavar="DIGEST", help="the digest you were shown; the plan as it is now where it is not given"
        )

        parser.add_argument(
            "--acknowledge-version",
            type=commands.positive,
            metavar="N",
            help="say that you know of version N of the source, loaded after the plan was made",
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Approve, unless this user has approved this plan."""
        batch, known = numbered.batch(options["batch"]), options["acknowledge_version"]
        return approve(batch, options["user"], options["note"], options["plan"], known_version=known)


def approve(
    batch: Batch, user_name: str, note: str = "", plan: str | None = None, *, known_version: int | None = None
) -> commands.Outcome:
    """Approve a batch and tell it. A batch whose plan this user has approved is left as it is."""
    caller = commands.caller(user_name, deciding=True)

    def act() -> Batch:
        shown = plan or batches.hexadecimal(batch.plan_digest)
        if not plan and batch.state not in STANDS and batches.was_approved_before(batch):
            raise Refused([PlanNotSaid(batch=batch.pk, plan=shown or "–")])
        return deciding.approve(
            batch_id=batch.pk, digest_shown=shown, caller=caller, note=note, acknowledged_version=known_version
        )

    wanted = repeating.decision(
        BATCH,
        "approve",
        batch.pk,
        caller,
        given={"--note": note, "--plan": plan, "--acknowledge-version": known_version},
        kept={"--plan": lambda row: row.facts["plan"], "--acknowledge-version": lambda row: row.facts.get("source_version", "–")},
    )
    batch = repeating.once(wanted, standing=Batch.objects.filter(pk=batch.pk, state__in=STANDS).first, act=act)
    by = batch.approved_by.username if batch.approved_by else ""
    approved = batches.hexadecimal(batch.approved_digest)
    data = {"batch": batch.pk, "state": batch.state, "approved_by": by, "plan": approved}
    return commands.Outcome(data, (f"batch {batch.pk} ({batch}) is {batch.state}; plan {approved[:12]} approved by {by}",))
