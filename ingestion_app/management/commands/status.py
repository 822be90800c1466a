"""status BATCH: whether a batch is safe to run again, how far it has come, and until when it is due."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from config import commands, doorways
from ingestion_app.models import Batch
from ingestion_app.queries.deadlines import deadline_of
from ingestion_app.queries.progress import Progress, progress_of
from ingestion_app.queries.rerun import SHOWN_MOST, Rerun, Verdict, rerun_of, spans
from ingestion_app.queries.status import as_dict


class Command(commands.Command):
    """Tells how a batch stands."""

    help = "Tell whether a batch is safe to run again, which chunks would run, how far it has come, and until when it is due."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")

    def run(self, **options: Any) -> commands.Outcome:
        """Read and tell."""
        batch, at = commands.find_batch(options["batch"]), doorways.now()
        rerun, progress, deadline = rerun_of(batch, at=at), progress_of(batch, at=at), deadline_of(batch)
        due = (f"due: {deadline.sentence(at)} ({deadline.due_at:%Y-%m-%d %H:%M:%S} UTC)",) if deadline else ()
        lines = (
            f"batch {batch.pk} ({batch}) is {batch.state}{', paused' if batch.is_paused else ''}",
            f"{_answer(rerun)}: {rerun.sentence}",
            *_why(rerun),
            *_chunks(batch, rerun),
            *_pace(progress),
            *due,
        )
        return commands.Outcome(as_dict(batch, rerun, progress, deadline, at), lines)


def _answer(rerun: Rerun) -> str:
    if rerun.verdict is Verdict.NOTHING:
        return "nothing to run"
    return "safe to run again" if rerun.is_safe else "NOT to be run again"


def _why(rerun: Rerun) -> Iterator[str]:
    for reason in rerun.reasons:
        yield f"  {reason}"
    if rerun.pause:
        who = f"by itself, applying for {rerun.pause.by}" if rerun.pause.by_itself else f"by {rerun.pause.by}"
        yield f"  paused {rerun.pause.at:%Y-%m-%d %H:%M:%S} UTC {who}: {rerun.pause.reason}"


def _chunks(batch: Batch, rerun: Rerun) -> Iterator[str]:
    kinds = (
        ("done", rerun.done),
        ("would run", rerun.would_run),
        ("being worked on", rerun.held_numbers),
        ("stopped", rerun.stopped_numbers),
    )
    if not batch.plan_digest:
        yield "chunks: planned when the batch is validated"
        return
    for name, numbers in kinds:
        if numbers:
            yield f"{name}: {len(numbers)} (chunks {spans(numbers)})"
        if name == "being worked on":
            yield from (f"  chunk {each.number}: {each.by}, until {each.until:%H:%M:%S} UTC" for each in rerun.held)
    for stopped in rerun.stopped:
        since = f" (attempt {stopped.attempt}, {stopped.since:%Y-%m-%d %H:%M:%S} UTC)" if stopped.since else ""
        yield from (f"  chunk {stopped.number}{since}: {each['code']}: {each['sentence']}" for each in stopped.reasons)
    if len(rerun.stopped_numbers) > SHOWN_MOST:
        yield f"  … and {len(rerun.stopped_numbers) - SHOWN_MOST} more"


def _pace(progress: Progress) -> Iterator[str]:
    if progress.total is not None:
        share = f" ({progress.percent} %)" if progress.percent is not None else ""
        yield f"records: {progress.done:,} of {progress.total:,}{share}"
    if progress.is_running:
        rate = f", {progress.rate:,} records/s" if progress.rate else ""
        left = f", about {progress.seconds_left:,} s left" if progress.seconds_left is not None else ""
        yield f"running: {progress.phase or 'apply'}{rate}{left}"
    if progress.commit_percent is not None:
        yield (
            f"last attempt: {progress.commit_percent} % of the time in commit, {progress.deadlocks} deadlocks, "
            f"{progress.lock_waits} lock waits, {progress.taken_over} chunks taken over"
        )
