"""apply BATCH: posts the plan, chunk by chunk."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app import errors
from ingestion_app.applying import queries as replays
from ingestion_app.applying.operations import applying
from ingestion_app.applying.queries import Replay
from ingestion_app.deciding.queries import batches
from ingestion_app.management import numbered
from ingestion_app.management.beating import beating
from ingestion_app.models import Batch, Worker
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import money

WHOLE = frozenset({Batch.State.APPLIED, Batch.State.FROZEN})  # all that the plan says is in the ledger


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
        return apply(numbered.batch(options["batch"]), commands.caller(options["user"]), options["workers"])


def apply(batch: Batch, caller: Caller, workers: int = 1, name: str = "", version: int | None = None) -> commands.Outcome:
    """Apply a batch and tell what was done: chunks applied, skipped, stopped with their reasons, and the receipt.

    ``name`` is ``resume`` where that was asked for, which alone ends a pause; ``version`` is the one that was shown, where one was.
    """
    applying.begin(batch_id=batch.pk, caller=caller, name=name, version=version)
    with beating(Worker.Kind.APPLY), commands.Progress() as progress:
        applied = applying.carry_on(
            batch_id=batch.pk,
            caller=caller,
            now=doorways.now,
            workers=min(workers, commands.WORKERS_MOST),
            lease_seconds=settings.KAKUTEI_LEASE_SECONDS,
            on_progress=lambda done, total: progress.phase("apply", done, total),
        )
    there = batches.posted(batch)
    posted = {book: {"entries": counts[0], "lines": counts[1], "debits": counts[2]} for book, counts in there.items()}
    attempt = replays.last_attempt(batch) if applied.applied else None
    replay = replays.replay_of(applied.batch, attempt, there)
    data = {
        "batch": batch.pk,
        "state": applied.batch.state,
        "chunks_applied": applied.applied,
        "chunks_skipped": applied.skipped,
        "chunks_stopped": {
            str(number): [reason.as_dict() for reason in reasons] for number, reasons in sorted(applied.stopped.items())
        },
        "posted": posted,
        "receipt": replay.as_dict(),
    }
    line = (
        f"batch {batch.pk} ({batch}) is {applied.batch.state}: {counted(applied.applied, 'chunk')} applied, {applied.skipped:,} found applied, "
        f"{len(applied.stopped):,} stopped"
    )
    complaints = tuple(f"chunk {number}: {reason}" for number, reasons in sorted(applied.stopped.items()) for reason in reasons)
    if applied.batch.is_paused:
        complaints += (str(errors.Paused(batch=batch.pk)),)
    if applied.batch.state in WHOLE:
        # Counted from all of its rows, whoever has applied them.
        complaints += tuple(
            str(errors.RecountDiffers(book=book, what=what, planned=planned, found=found))
            for book, what, planned, found in batches.differences(applied.batch.totals, there)
        )
    status = commands.REFUSED if complaints else commands.DONE
    return commands.Outcome(data, (line, *receipt_lines(replay, applied.batch)), status, complaints)


def receipt_lines(replay: Replay, batch: Batch) -> Iterator[str]:
    """Yield the receipt of a run: what it found applied, what it added, and the ledger's change against the plan, book by book."""
    yield (
        f"receipt: found applied: {counted(replay.chunks_found, 'chunk')} with {counted(replay.records_found, 'record')}; "
        f"new: {counted(replay.new_entries, 'entry')}"
    )
    is_whole = batch.state in WHOLE
    units = money.units_of(book.code for book in replay.books)
    for book in replay.books:
        verdict = "equal" if book.is_equal else "DIFFERS, run verify" if is_whole else "not all of it yet"
        planned = f"{counted(book.planned[0], 'entry')}, debits {money.text(book.planned[2], units[book.code])}"
        found = f"{counted(book.found[0], 'entry')}, debits {money.text(book.found[2], units[book.code])}"
        yield f"  {book.code}: planned {planned}; in the ledger {found}: {verdict}"
