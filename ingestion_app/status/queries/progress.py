"""How far a batch has come, how fast it goes, and what it waits for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q

from ingestion_app.batches.queries import workers
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.status.queries import waking
from ledger_app.base.queries.totals import Total

SILENT_AFTER = timedelta(seconds=60)
ASKED_MOST = 5  # attempts; two that are under way at once are rare
STRETCH = timedelta(seconds=10)  # what a rate is taken from while chunks are being applied


@dataclass(frozen=True, slots=True)
class Progress:
    """One batch as it is now.

    ``phase`` is that of the last attempt: ``check``, ``store``, ``apply``, ``recount``, or nothing. ``done`` counts records; ``total`` is None where it
    is not known before the end. ``rate`` is in records a second over the last stretch, over the whole attempt once it has ended.
    """

    attempt: Attempt | None
    is_running: bool
    is_silent: bool
    phase: str
    done: int
    total: int | None
    rate: int | None
    seconds_left: int | None
    commit_percent: int | None
    deadlocks: int
    lock_waits: int
    taken_over: int
    has_given_up: bool  # as many attempts to apply have failed as are made without a person
    chunks: dict[str, int]

    @property
    def is_validation(self) -> bool:
        """Tell whether the last attempt was one to validate."""
        return self.attempt is not None and self.attempt.step == Attempt.Step.VALIDATE

    @property
    def percent(self) -> int | None:
        """Return the share that is done, None where the whole is not known; all of it only where nothing is left."""
        return min(100, 100 * self.done // self.total) if self.total else None

    def as_dict(self) -> dict[str, Any]:
        """Return it as commands and the API give it."""
        return {
            "running": self.is_running,
            "phase": self.phase,
            "records_done": self.done,
            "records": self.total,
            "percent": self.percent,
            "rate": self.rate,
            "seconds_left": self.seconds_left,
            "commit_percent": self.commit_percent,
            "deadlocks": self.deadlocks,
            "lock_waits": self.lock_waits,
            "taken_over": self.taken_over,
            "given_up": self.has_given_up,
            "chunks": self.chunks,
        }


def is_worked_on(batch: Batch, *, at: datetime) -> bool:
    """Tell whether an attempt is under way that has given a sign of life lately."""
    running = Attempt.objects.filter(batch=batch, outcome=Attempt.Outcome.RUNNING).order_by("-id")[:ASKED_MOST]
    return any(not is_silent(attempt, at) for attempt in running)


def is_silent(attempt: Attempt, at: datetime) -> bool:
    """Whether nobody works on an attempt that has not ended: its process is gone, or has been silent for long and is seen by nobody."""
    if workers.is_gone(attempt.process, attempt.worker):
        return True
    return at - attempt.heartbeat_at >= SILENT_AFTER and not workers.is_there(attempt.process, attempt.worker)


def progress_of(batch: Batch, *, at: datetime) -> Progress:
    """Return how far ``batch`` has come."""
    attempt = Attempt.objects.filter(batch=batch).order_by("-id").first()
    is_open = attempt is not None and attempt.outcome == Attempt.Outcome.RUNNING
    has_gone = attempt is not None and is_open and is_silent(attempt, at)
    leased = Q(lease_until__gt=at) & ~Q(state="applied")
    counted = Chunk.objects.filter(batch=batch).aggregate(
        records=Total("record_count"),
        applied_records=Total("record_count", filter=Q(state="applied")),
        applied=Count("id", filter=Q(state="applied")),
        stopped=Count("id", filter=Q(state="stopped") & ~leased),
        pending=Count("id", filter=Q(state="pending") & ~leased),
        running=Count("id", filter=leased),
    )
    done, total = counted["applied_records"], counted["records"] or None
    if attempt is not None and attempt.step == Attempt.Step.VALIDATE and is_open:
        # Known beforehand only where the same bytes were read before.
        done, total = attempt.done_records, batch.record_count
    # How fast a file was read says nothing of the records that are applied: the rate of a validation is told while it runs.
    is_told = attempt is not None and (is_open or attempt.step == Attempt.Step.APPLY)
    rate = _rate(attempt, at) if attempt is not None and is_told else None
    # Written with each beat; a name that is not there was not met yet.
    seconds: dict[str, Any] = (attempt.seconds if attempt is not None else None) or {}
    counts: dict[str, Any] = (attempt.counts if attempt is not None else None) or {}
    return Progress(
        attempt=attempt,
        is_running=is_open and not has_gone,
        is_silent=has_gone,
        phase=attempt.phase if attempt is not None and is_open else "",
        done=done,
        total=total,
        rate=rate,
        seconds_left=(total - done) // rate if rate and total is not None and is_open and not has_gone else None,
        commit_percent=_share(seconds, "commit"),
        deadlocks=int(counts.get("deadlocks") or 0),
        lock_waits=int(counts.get("lock_waits") or 0),
        taken_over=int(counts.get("taken_over") or 0),
        has_given_up=waking.has_given_up(batch),
        chunks={name: counted[name] for name in ("applied", "running", "pending", "stopped")},
    )


def _rate(attempt: Attempt, at: datetime) -> int | None:
    """Return records a second: of the chunks that were applied in the last stretch while applying, of the attempt as a whole else."""
    ended_at = attempt.ended_at or attempt.heartbeat_at
    if attempt.step == Attempt.Step.APPLY and attempt.ended_at is None:
        last = Chunk.objects.filter(attempt=attempt, state="applied").aggregate(at=Max("applied_at"))["at"]
        since = max(attempt.started_at, (last or at) - STRETCH)
        lately = Chunk.objects.filter(attempt=attempt, state="applied", applied_at__gt=since)
        return _per_second(lately.aggregate(records=Total("record_count"))["records"] or 0, (last or at) - since)
    return _per_second(attempt.done_records, ended_at - attempt.started_at)


def _per_second(records: int, length: timedelta) -> int | None:
    # In thousandths of a second, so that a short run has a rate too.
    milliseconds = length // timedelta(milliseconds=1)
    return records * 1000 // milliseconds if records and milliseconds > 0 else None


def _share(seconds: dict[str, Any], name: str) -> int | None:
    """Return in percent how much of all measured time ``name`` took; None where it was not measured."""
    taken = {part: each for part, each in seconds.items() if part != "total" and isinstance(each, int | float)}
    whole = sum(taken.values())
    return int(100 * taken[name] // whole) if whole and name in taken else None
