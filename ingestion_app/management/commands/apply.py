"""apply BATCH: posts the plan, chunk by chunk."""

from typing import Any

from django.core.management.base import CommandParser

from config import commands, doorways
from ingestion_app.models import Batch
from ingestion_app.operations import applying
from ingestion_app.queries import batches
from ledger_app.operations.audit import Caller

WORKERS_MOST = 64


class Command(commands.Command):
    """Applies an approved batch; run again it goes on where it was."""

    help = "Apply an approved batch, chunk by chunk. Safe to run again at any time: chunks that are applied are skipped."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--workers", type=commands.positive, default=1, metavar="N", help="processes (SQLite: always one)")
        parser.add_argument("--user", metavar="U", help="who applies; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Apply what is left."""
        return apply(commands.find_batch(options["batch"]), commands.caller(options["user"]), options["workers"])


def apply(batch: Batch, caller: Caller, workers: int = 1) -> commands.Outcome:
    """Apply a batch and tell what was done: chunks applied, skipped, stopped with their reasons."""
    with commands.Progress() as progress:
        applied = applying.apply(
            batch_id=batch.pk,
            caller=caller,
            now=doorways.now,
            workers=min(workers, WORKERS_MOST),
            told=lambda done, total: progress.phase("apply", done, total),
        )
    posted = {
        book: {"entries": counts[0], "lines": counts[1], "debits": counts[2]} for book, counts in batches.posted(batch).items()
    }
    data = {
        "batch": batch.pk,
        "state": applied.batch.state,
        "chunks_applied": applied.applied,
        "chunks_skipped": applied.skipped,
        "chunks_stopped": {
            str(number): [reason.as_dict() for reason in reasons] for number, reasons in sorted(applied.stopped.items())
        },
        "posted": posted,
    }
    line = (
        f"batch {batch.pk} ({batch}) is {applied.batch.state}: {applied.applied} chunks applied, {applied.skipped} found applied, "
        f"{len(applied.stopped)} stopped"
    )
    complaints = tuple(f"chunk {number}: {reason}" for number, reasons in sorted(applied.stopped.items()) for reason in reasons)
    return commands.Outcome(data, (line,), commands.REFUSED if applied.stopped else commands.DONE, complaints)
