"""status BATCH: whether a batch is safe to run again, how far it has come, and until when it is due."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app.batches.queries import workers
from ingestion_app.batches.queries.workers import Heard
from ingestion_app.deciding.queries import alerts
from ingestion_app.management import numbered
from ingestion_app.models import Batch, Worker
from ingestion_app.sources.queries import controls
from ingestion_app.status.queries.deadlines import deadline_of
from ingestion_app.status.queries.progress import Progress, progress_of
from ingestion_app.status.queries.rerun import SHOWN_MOST, Rerun, Verdict, rerun_of
from ingestion_app.status.queries.status import as_dict
from ingestion_app.status.queries.waking import TRIES_MOST
from ledger_app.values import instants


class Command(commands.Command):
    """Tells how a batch stands."""

    help = "Tell whether a batch is safe to run again, which chunks would run, how far it has come, and until when it is due."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument(
            "--check",
            action="store_true",
            help="hold the plan and the ledger's rows against what was approved, which reads them all",
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Read and tell."""
        batch, at = numbered.batch(options["batch"]), doorways.now()
        rerun = rerun_of(batch, at=at, check=options["check"])
        progress, deadline, heard = progress_of(batch, at=at), deadline_of(batch), workers.known()
        due = (f"due: {deadline.sentence(at)} ({instants.text(deadline.due_at)})",) if deadline else ()
        lines = (
            f"batch {batch.pk} ({batch}) is {batch.state}{', paused' if batch.is_paused else ''}",
            *((alerts.line_of(batch),) if alerts.count_of(batch) else ()),
            f"{_answer(rerun)}: {rerun.sentence}",
            *([f"controls: {controls.text_of(batch)}"] if batch.reverses_id is None else []),
            *_why(rerun),
            *_chunks(batch, rerun),
            *_pace(progress),
            *due,
            *_workers(batch, heard, progress),
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
        yield f"  paused {instants.text(rerun.pause.at)} {who}: {rerun.pause.reason}"


def _chunks(batch: Batch, rerun: Rerun) -> Iterator[str]:
    kinds = (("done", "applied"), ("would run", "pending"), ("being worked on", "running"), ("stopped", "stopped"))
    if not batch.plan_digest:
        yield "chunks: planned when the batch is validated"
        return
    for name, kind in kinds:
        if rerun.count(kind):
            yield f"{name}: {rerun.count(kind)} (chunks {rerun.chunks(kind)})"
        if name == "being worked on":
            yield from (f"  chunk {each.number}: {each.by}, until {instants.text(each.until)}" for each in rerun.leased)
    for stopped in rerun.stopped:
        since = f" (attempt {stopped.attempt}, {instants.text(stopped.since)})" if stopped.since else ""
        yield from (f"  chunk {stopped.number}{since}: {each['code']}: {each['sentence']}" for each in stopped.reasons)
    if rerun.count("stopped") > SHOWN_MOST:
        yield f"  … and {rerun.count('stopped') - SHOWN_MOST} more"


def _pace(progress: Progress) -> Iterator[str]:
    if progress.total is not None:
        share = f" ({progress.percent} %)" if progress.percent is not None else ""
        yield f"records: {progress.done:,} of {progress.total:,}{share}"
    if progress.is_running:
        rate = f", {progress.rate:,} records/s" if progress.rate else ""
        left = f", about {progress.seconds_left:,} s left" if progress.seconds_left is not None else ""
        yield f"running: {progress.phase or 'apply'}{rate}{left}"
    if progress.has_given_up:
        way = "validate" if progress.is_validation else "resume"
        yield f"given up: {counted(TRIES_MOST, 'attempt')} failed one after the other; a person starts it again ({way})"
    if progress.commit_percent is not None:
        yield (
            f"last attempt: {progress.commit_percent} % of the time in commit, {counted(progress.deadlocks, 'deadlock')}, "
            f"{counted(progress.lock_waits, 'lock wait')}, {counted(progress.taken_over, 'chunk')} taken over"
        )


def _workers(batch: Batch, heard: Sequence[Heard], progress: Progress) -> Iterator[str]:
    """Yield who works, on every host, and who has died; where work waits, that nobody is there to do it."""
    for each in heard:
        seen = f"last seen {instants.text(each.worker.seen_at)}"
        yield f"{each.worker.kind} {each.worker}: {f'DEAD, {seen}' if each.is_dead else 'there'}"
    is_worked = any(each.worker.kind == Worker.Kind.WORKER and not each.is_dead for each in heard)
    if batch.state == Batch.State.APPLYING and not is_worked and not progress.is_running:
        yield "no worker is there: what is queued waits until one is started (db_worker)"
    if progress.attempt is not None and progress.is_silent:
        yield f"the process of the last attempt is gone: {progress.attempt.host}:{progress.attempt.process}"
