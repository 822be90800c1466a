"""Who works on which chunk: a chunk is taken under a lease, with a token that tells the last who took it from all before (docs/locking.md)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ingestion_app.batches.queries.workers import is_dead, this_host, worker_name
from ingestion_app.models import Batch, Chunk
from ledger_app import locks
from ledger_app.base.operations import measuring, transactions

LEASE_SECONDS = 60

__all__ = [
    "LEASE_SECONDS",
    "Leased",
    "claim",
    "is_dead",
    "left",
    "release",
    "release_dead",
    "release_ended",
    "this_host",
    "worker_name",
]


class Leased(NamedTuple):
    """A chunk that was taken, and the token under which it may be applied or stopped."""

    chunk_id: int
    token: int


def claim(*, batch_id: int, attempt_id: int, worker: str, at: datetime, lease_seconds: int) -> Leased | None:
    """Take the next chunk that is free, or whose lease is over; None where there is none, or where the batch is paused or not applying.

    A chunk that stopped in this attempt is not taken again in it. One that another process has locked is passed over.
    """

    def work() -> Leased | None:
        chunk = locks.next_free(left(batch_id, attempt_id).filter(_free(at)).exclude(_waits()).order_by("number"))
        if chunk is None:
            return None
        # Read after the lock: anyone who pauses the batch to reverse it waits for this chunk, and then takes the token from the worker that has it.
        batch = Batch.objects.get(pk=batch_id)
        if batch.state != Batch.State.APPLYING or batch.is_paused:
            return None
        if chunk.leased_by and chunk.state == Chunk.State.PENDING:
            measuring.count("taken_over")
        # A stopped chunk is waiting again: why it stopped stands in the attempt that stopped it.
        Chunk.objects.filter(pk=chunk.pk).update(
            state=Chunk.State.PENDING,
            reasons=[],
            attempt_id=attempt_id,
            lease_token=F("lease_token") + 1,
            lease_until=at + timedelta(seconds=lease_seconds),
            leased_by=worker,
        )
        return Leased(chunk.pk, chunk.lease_token + 1)

    return transactions.run(work)


def left(batch_id: int, attempt_id: int) -> QuerySet[Chunk]:
    """Return the chunks that an attempt still has to apply: not applied, not stopped in it, and not behind a stopped chunk of their series."""
    chunks = Chunk.objects.filter(batch_id=batch_id).exclude(state=Chunk.State.APPLIED)
    stopped = _earlier_in_series().filter(state=Chunk.State.STOPPED, attempt_id=attempt_id)
    return chunks.exclude(state=Chunk.State.STOPPED, attempt_id=attempt_id).exclude(Exists(stopped))


def release(*, batch_id: int, workers: Iterable[str]) -> int:
    """End the leases of workers that are gone; return how many chunks are free again. Their tokens stay: one that comes back finds another."""
    leased = Chunk.objects.filter(batch_id=batch_id, leased_by__in=list(workers)).exclude(state=Chunk.State.APPLIED)
    return transactions.run(lambda: leased.filter(lease_until__isnull=False).update(lease_until=None))


def release_dead(batch_id: int) -> int:
    """End the leases of processes that are certainly gone, as seen from here; return how many chunks are free again."""
    leased = Chunk.objects.filter(batch_id=batch_id, lease_until__isnull=False).exclude(state=Chunk.State.APPLIED)
    dead = [worker for worker in leased.values_list("leased_by", flat=True).distinct() if is_dead(worker)]
    return release(batch_id=batch_id, workers=dead) if dead else 0


def release_ended(*, batch_id: int, attempt_id: int, process: int) -> int:
    """End the leases of a process that this one began for an attempt and that has ended; return how many chunks are free again."""
    names = Chunk.objects.filter(batch_id=batch_id, leased_by__startswith=f"{this_host()}:{process}/{attempt_id}/")
    return release(batch_id=batch_id, workers=list(names.values_list("leased_by", flat=True).distinct()))


def _waits() -> Exists:
    """Whether an earlier chunk of the same series is not applied yet: what takes from an account comes after what it is taken from."""
    return Exists(_earlier_in_series().exclude(state=Chunk.State.APPLIED))


def _earlier_in_series() -> QuerySet[Chunk]:
    """The chunks of the same series that come before a chunk; to be asked within a query of chunks."""
    return Chunk.objects.filter(batch_id=OuterRef("batch_id"), series=OuterRef("series"), number__lt=OuterRef("number"))


def _free(at: datetime) -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lte=at)
