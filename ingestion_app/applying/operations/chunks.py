"""Applies chunks: each in one transaction with its entries, under the lease of the worker that took it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any

from ingestion_app import errors
from ingestion_app.applying.operations import leasing
from ingestion_app.applying.operations.leasing import Leased
from ingestion_app.batches.queries.refusals import NOBODY
from ingestion_app.deciding.queries import batches, planned_rules, taken
from ingestion_app.models import Batch, Chunk
from ingestion_app.reversing import operations as reversal_plans
from ingestion_app.validating.operations import drafting
from ledger_app import locks
from ledger_app.base.operations import collecting, measuring, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import HolderMerged, LedgerError, ReferenceConflict, Refused, TryAgain, WrittenDiffers
from ledger_app.errors.stored import stored
from ledger_app.members.operations import merges
from ledger_app.models import Posting
from ledger_app.posting.operations import entries

UNKNOWN_OUTCOMES_MOST = 3
DRAFTINGS_MOST = 3
REASONS_MOST = 20  # that are kept of a chunk that stopped
RECORDS_NAMED = 5

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker is given: which batch, for which attempt, on whose behalf, and how long a lease holds."""

    batch_id: int
    attempt_id: int
    caller: Caller
    now: Clock
    lease_seconds: int = leasing.LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What became of one chunk: ``applied``, ``skipped`` (found applied), ``superseded`` (another worker has taken it) or ``stopped``.

    ``milliseconds`` is how long the transaction took that applied it, and so the most that anybody waited for one of its rows. ``counted`` is
    what it changed in the ledger, by posting, counted from the rows that it wrote.
    """

    number: int
    outcome: str
    records: int
    reasons: tuple[LedgerError, ...] = ()
    milliseconds: int = 0
    counted: Mapping[int, batches.Change] = field(default_factory=dict)


# The batch was ended without the chunk, whose records were set aside.
LEFT_OUT = ChunkResult(0, "superseded", 0)


def apply_free(work: Work, worker: str) -> Iterator[ChunkResult]:
    """Take one free chunk after the other and apply it; end where none is free, or where the batch is paused.

    :raises TryAgain: when the database stays busy or away
    """
    while (leased := _claim(work, worker)) is not None:
        yield apply_chunk(leased=leased, caller=replace(work.caller, at=work.now()))


def apply_all(work: Work) -> Iterator[tuple[str, Any]]:
    """Be a worker in a process of its own: apply chunks until none is free, and yield what was measured of each, and its result."""
    results = apply_free(work, leasing.worker_name(work.attempt_id))
    while True:
        with measuring.measured() as measured, collecting.rare():
            result = next(results, None)
        yield "measured", measured
        if result is None:
            return
        yield "result", result


def _claim(work: Work, worker: str) -> Leased | None:
    return leasing.claim(
        batch_id=work.batch_id,
        attempt_id=work.attempt_id,
        worker=worker,
        at=work.now(),
        lease_seconds=work.lease_seconds,
    )


def apply_chunk(*, leased: Leased, caller: Caller) -> ChunkResult:
    """Apply one chunk: its entries and its state in one transaction. A chunk that is found applied is skipped.

    A connection lost at COMMIT leaves the outcome unknown; the chunk's row, read under its lock on a new connection, tells.

    :raises TryAgain: when the database stays busy or away
    :raises WrittenDiffers: when what was written is not what was planned
    """
    for _try in range(UNKNOWN_OUTCOMES_MOST - 1):
        try:
            return _apply_or_stop(leased, caller)
        except TryAgain:
            continue
    return _apply_or_stop(leased, caller)


def _apply_or_stop(leased: Leased, caller: Caller) -> ChunkResult:
    started = perf_counter()
    tries = 0

    def work() -> ChunkResult:
        nonlocal started, tries
        started = perf_counter()
        tries += 1
        # No file has had these records before, validation says. Where that is not so any more, the next try looks and can say what is there.
        return _apply(leased, caller, are_new=tries == 1)

    for tries_left in reversed(range(DRAFTINGS_MOST)):
        try:
            result = transactions.run(work)
            return replace(result, milliseconds=round(1000 * (perf_counter() - started)))
        except Refused as refusal:
            # A caller that did not look may have the wrong reason. And a merge may have been carried out after the drafts were made and before the
            # locks were taken: made again, they know of it.
            if tries_left and (tries == 1 or any(isinstance(reason, HolderMerged) for reason in refusal.reasons)):
                continue
            return transactions.run(partial(_stop, leased, refusal))
    raise AssertionError("the last try returns")


def _apply(leased: Leased, caller: Caller, *, are_new: bool) -> ChunkResult:
    chunk = locks.own_if_there(Chunk.objects.filter(pk=leased.chunk_id))
    if chunk is None:
        return LEFT_OUT
    if (gone := _gone(chunk, leased)) is not None:
        return gone
    batch = Batch.objects.select_related("source_version", "source").get(pk=chunk.batch_id)
    if batch.state != Batch.State.APPLYING:
        raise Refused([errors.BatchAway(state=Batch.State(batch.state).label)])
    redirected: drafting.Redirected = {}
    if batch.reverses_id is not None:
        drafts = reversal_plans.drafts_of(chunk, batch)
    else:
        drafts, redirected = drafting.drafts_of(chunk, batch)
    posted = entries.post(
        drafts=drafts,
        origin=entries.Origin(Posting.Origin.CHUNK, chunk.pk),
        caller=caller,
        lane=chunk.number,
        reason=str(batch),
        are_new=are_new,
    )
    if posted.replayed_count:
        # The ledger holds what the plan would post: from elsewhere, as this chunk is not applied.
        differs = errors.ChunkDiffers(number=chunk.number, planned=len(drafts), found=posted.entry_count)
        raise Refused([*_posted_by_others(chunk, posted.posting_id), differs])
    # After the posting has its locks, books among them, which anyone who sets a rule needs alone: these are the rules that it was posted under.
    if others := [errors.LotRuleMoved(book=book, role=role) for book, role in planned_rules.moved(batch)]:
        raise Refused(others)
    counted = _counted(chunk, posted.posting_id)
    if redirected and posted.posting_id is not None:
        merges.record_redirects(posting_id=posted.posting_id, redirected=redirected)
    Chunk.objects.filter(pk=chunk.pk).exclude(state=Chunk.State.APPLIED).update(
        state=Chunk.State.APPLIED, applied_at=caller.at, applied_token=leased.token, lease_until=None, reasons=[]
    )
    return ChunkResult(chunk.number, "applied", chunk.record_count, counted=counted)


def _counted(chunk: Chunk, posting_id: int | None) -> dict[int, batches.Change]:
    """Count what a chunk has changed from the rows that it wrote: before they are committed, while they are at hand.

    :raises WrittenDiffers: where that is not what the plan has for the chunk
    """
    with measuring.phase("count"):
        counted = {posting_id: batches.change_of(posting_id)} if posting_id is not None else {}
        found = batches.by_code(counted.values())
    for book, what, planned, there in batches.differences(chunk.totals, found):
        raise WrittenDiffers(what=f"{what} of chunk {chunk.number} in book {book}", planned=planned, found=there)
    return counted


def _gone(chunk: Chunk, leased: Leased) -> ChunkResult | None:
    """Whether there is nothing left to do here: the chunk is applied, or another worker has taken it since."""
    if chunk.state == Chunk.State.APPLIED:
        return ChunkResult(chunk.number, "skipped", chunk.record_count)
    if chunk.lease_token != leased.token:
        return ChunkResult(chunk.number, "superseded", chunk.record_count)
    return None


def _posted_by_others(chunk: Chunk, own: int | None) -> list[LedgerError]:
    """Name the records of a chunk that another batch has posted meanwhile, and that batch; ``own`` is what the chunk posts itself."""
    if chunk.undoes_id is not None:
        return []
    return [
        errors.RecordPosted(line=each.line, key=each.key, book=each.book, batch=each.batch or NOBODY)
        for each in taken.of_chunk(chunk, RECORDS_NAMED, besides=own)
    ]


def _stop(leased: Leased, refusal: Refused) -> ChunkResult:
    """Write down why a chunk stopped, unless another process has applied or taken it meanwhile."""
    chunk = locks.own_if_there(Chunk.objects.filter(pk=leased.chunk_id))
    if chunk is None:
        return LEFT_OUT
    if (gone := _gone(chunk, leased)) is not None:
        return gone
    found = refusal.reasons
    if any(isinstance(reason, ReferenceConflict) for reason in found):
        found = (*_posted_by_others(chunk, None), *found)
    found = found[:REASONS_MOST]
    reasons = [stored(reason) for reason in found]
    Chunk.objects.filter(pk=chunk.pk).update(state=Chunk.State.STOPPED, lease_until=None, reasons=reasons)
    return ChunkResult(chunk.number, "stopped", chunk.record_count, found)
