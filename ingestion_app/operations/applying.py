"""Applies batches: chunk by chunk, each in one transaction with its entries, by one process or several."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from time import perf_counter
from typing import Any

from django.db import connection, connections
from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.formats.definition import Definition, Kind
from ingestion_app.formats.postings import Side, reference
from ingestion_app.formats.values import Value
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.operations import attempts, pool, reversing
from ingestion_app.queries import batches, definitions, records
from ingestion_app.states import BATCH
from ledger_app import locks
from ledger_app.errors import LedgerError, Refused, TryAgain
from ledger_app.models import Account, Book, Posting
from ledger_app.operations import entries, transactions, transitions
from ledger_app.operations.audit import Caller
from ledger_app.queries import postings
from ledger_app.queries.rights import rights_of
from ledger_app.rules.posting import Draft

UNKNOWN_OUTCOMES_MOST = 3

Told = Callable[[int, int], None]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Applied:
    """What one call did: chunks applied by it, chunks it found applied, chunks that stopped with their reasons."""

    batch: Batch
    applied: int
    skipped: int
    stopped: dict[int, tuple[LedgerError, ...]]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What became of one chunk: ``applied``, ``skipped`` (found applied) or ``stopped``."""

    number: int
    outcome: str
    records: int
    reasons: tuple[LedgerError, ...] = ()


def apply(
    *,
    batch_id: int,
    caller: Caller,
    now: Clock,
    workers: int = 1,
    told: Told = lambda _done, _total: None,
    version: int | None = None,
) -> Applied:
    """Apply a batch and return what was done. Run again it goes on where it was; of an applied batch it does nothing.

    Chunks whose records the ledger refuses stop with their reasons, the others go on; the batch is applied when every chunk is and the
    ledger's change, counted again, equals the plan. ``now`` gives the time; with several workers each of them calls it, so it is a
    module's own function, which can be handed to another process.

    :raises Refused: wrong_state, not_permitted, plan_moved, plan_damaged, stale; plan_damaged and recount_differs at the end too
    :raises TryAgain: when the database was busy or away
    """
    begin(batch_id=batch_id, caller=caller, version=version)
    return carry_on(batch_id=batch_id, caller=caller, now=now, workers=workers, told=told)


def begin(*, batch_id: int, caller: Caller, version: int | None = None, name: str = "") -> Batch:
    """Take the step into ``applying``, or say that it is taken up again. An applied batch is left as it is, by who may apply it.

    ``name`` is ``apply`` or ``resume`` where exactly that was asked for; without it the one that the batch's state calls for is taken.

    :raises Refused: wrong_state, not_permitted, plan_moved, plan_damaged, stale
    """
    batch = Batch.objects.get(pk=batch_id)
    may = BATCH.transition("apply").right in rights_of(caller.user)
    if may and batch.state in {Batch.State.APPLIED, Batch.State.FROZEN}:
        return batch
    try:
        called_for = "resume" if batch.state == Batch.State.APPLYING else "apply"
        return _transition(name or called_for, batch_id, caller, version)
    except Refused:
        # Another process may have begun, or ended, since the state was read: to apply beside it is no fault.
        if name or version is not None or Batch.objects.get(pk=batch_id).state == batch.state:
            raise
    return begin(batch_id=batch_id, caller=caller)


def carry_on(*, batch_id: int, caller: Caller, now: Clock, workers: int = 1, told: Told = lambda _done, _total: None) -> Applied:
    """Apply the chunks of a batch that has begun, and take the last step when all are applied.

    :raises Refused: plan_damaged, recount_differs
    :raises TryAgain: when the database was busy or away
    """
    batch = Batch.objects.get(pk=batch_id)
    if batch.state in {Batch.State.APPLIED, Batch.State.FROZEN}:
        return Applied(batch, 0, batch.chunks.count(), {})
    attempt = attempts.begin(batch=batch, step=Attempt.Step.APPLY, caller=caller, host=socket.gethostname(), process=os.getpid())
    started = perf_counter()
    results: list[ChunkResult] = []
    try:
        total = sum(batch.chunks.values_list("record_count", flat=True))
        done = 0
        for result in _results(batch_id, attempt.pk, caller, now, workers):
            results.append(result)
            done += result.records if result.outcome != "stopped" else 0
            attempts.beat(attempt=attempt, at=now(), done_records=done)
            told(done, total)
        stopped = {result.number: result.reasons for result in results if result.outcome == "stopped"}
        finished = _finish(batch_id, replace(caller, at=now())) if not stopped else Batch.objects.get(pk=batch_id)
    except LedgerError as error:
        reasons = error.reasons if isinstance(error, Refused) else (error,)
        attempts.end(attempt=attempt, at=now(), outcome=Attempt.Outcome.FAILED, reasons=reasons)
        raise
    attempts.end(
        attempt=attempt,
        at=now(),
        outcome=Attempt.Outcome.REFUSED if stopped else Attempt.Outcome.DONE,
        reasons=[reason for reasons in stopped.values() for reason in reasons][:20],
        seconds={"apply": round(perf_counter() - started, 3)},
    )
    counts = {outcome: sum(1 for result in results if result.outcome == outcome) for outcome in ("applied", "skipped")}
    return Applied(finished, counts["applied"], counts["skipped"], stopped)


def _transition(
    name: str, batch_id: int, caller: Caller, version: int | None = None, write: Any = lambda _row, _facts: {}
) -> Batch:
    return transitions.perform(
        transitions.Request(
            machine=BATCH,
            name=name,
            model=Batch,
            pk=batch_id,
            caller=caller,
            facts=lambda row: batches.facts(row, user=caller.user),
            write=write,
            version=version,
            audit_facts=lambda row: {"plan": batches.hexadecimal(row.plan_digest)},
        )
    )


def _finish(batch_id: int, caller: Caller) -> Batch:
    """Take the last step, unless another process that applied beside this one has taken it."""
    try:
        return _transition("finish", batch_id, caller, write=lambda row, _facts: reversing.end_original(row, caller))
    except Refused:
        batch = Batch.objects.get(pk=batch_id)
        if batch.state in {Batch.State.APPLIED, Batch.State.FROZEN}:
            return batch
        raise


def _results(batch_id: int, attempt_id: int, caller: Caller, now: Clock, workers: int) -> Iterator[ChunkResult]:
    """Yield what became of each chunk, applied here or in a pool of processes."""
    chunk_ids = list(Chunk.objects.filter(batch_id=batch_id).order_by("number").values_list("id", flat=True))
    if workers <= 1 or connection.vendor == "sqlite":
        # SQLite has one writer: a pool would only queue for it.
        for chunk_id in chunk_ids:
            yield apply_chunk(chunk_id=chunk_id, attempt_id=attempt_id, caller=replace(caller, at=now()))
        return
    connections.close_all()
    try:
        with pool.processes(workers) as executor:
            yield from executor.map(_apply_in_pool, [(chunk_id, attempt_id, caller, now) for chunk_id in chunk_ids])
    except BrokenProcessPool as broken:
        # The chunk of a worker that was killed was rolled back by the database, or is found applied.
        raise TryAgain(cause=_("a worker process ended")) from broken


def _apply_in_pool(given: tuple[int, int, Caller, Clock]) -> ChunkResult:
    chunk_id, attempt_id, caller, now = given
    return apply_chunk(chunk_id=chunk_id, attempt_id=attempt_id, caller=replace(caller, at=now()))


def apply_chunk(*, chunk_id: int, attempt_id: int, caller: Caller) -> ChunkResult:
    """Apply one chunk: its entries and its state in one transaction. A chunk that is found applied is skipped.

    A connection lost at COMMIT leaves the outcome unknown; the chunk's row, read under its lock on a new connection, tells.

    :raises TryAgain: when the database stays busy or away
    """
    for _try in range(UNKNOWN_OUTCOMES_MOST - 1):
        try:
            return _apply_or_stop(chunk_id, attempt_id, caller)
        except TryAgain:
            continue
    return _apply_or_stop(chunk_id, attempt_id, caller)


def _apply_or_stop(chunk_id: int, attempt_id: int, caller: Caller) -> ChunkResult:
    try:
        return transactions.run(lambda: _apply_chunk(chunk_id, attempt_id, caller))
    except Refused as refusal:
        return transactions.run(partial(_stop, chunk_id, attempt_id, refusal))


def _apply_chunk(chunk_id: int, attempt_id: int, caller: Caller) -> ChunkResult:
    chunk = locks.own_row(Chunk, chunk_id)
    if chunk.state == Chunk.State.APPLIED:
        return ChunkResult(chunk.number, "skipped", chunk.record_count)
    batch = Batch.objects.select_related("source_version", "source").get(pk=chunk.batch_id)
    if batch.state != Batch.State.APPLYING:
        raise Refused([errors.BatchAway(state=batch.get_state_display())])
    drafts = _drafts(chunk, batch)
    posted = entries.post(
        drafts=drafts, origin=entries.Origin(Posting.Origin.CHUNK, chunk.pk), caller=caller, lane=chunk.number, reason=str(batch)
    )
    if posted.replayed_count:
        # The ledger holds what the plan would post: from elsewhere, as this chunk is not applied.
        raise Refused([errors.ChunkDiffers(number=chunk.number, planned=len(drafts), found=posted.entry_count)])
    Chunk.objects.filter(pk=chunk.pk).exclude(state=Chunk.State.APPLIED).update(
        state=Chunk.State.APPLIED, attempt_id=attempt_id, applied_at=caller.at, reasons=[]
    )
    return ChunkResult(chunk.number, "applied", chunk.record_count)


def _stop(chunk_id: int, attempt_id: int, refusal: Refused) -> ChunkResult:
    """Write down why a chunk stopped, unless another process has applied it meanwhile."""
    chunk = locks.own_row(Chunk, chunk_id)
    if chunk.state == Chunk.State.APPLIED:
        return ChunkResult(chunk.number, "skipped", chunk.record_count)
    reasons = [reason.as_dict() for reason in refusal.reasons[:20]]
    Chunk.objects.filter(pk=chunk.pk).update(state=Chunk.State.STOPPED, attempt_id=attempt_id, reasons=reasons)
    return ChunkResult(chunk.number, "stopped", chunk.record_count, refusal.reasons[:20])


def _drafts(chunk: Chunk, batch: Batch) -> list[Draft]:
    """Return the drafts of a chunk's records, having counted that they come to what the plan says.

    :raises Refused: records_differ; account_away; chunk_differs
    """
    if batch.reverses_id is not None:
        return reversing.drafts_of(chunk, batch)
    definition = definitions.definition_of(batch.source_version)
    books = definitions.books_of(definition)
    planner = definitions.planner_of(definition, books)
    decode = _decoder(definition)
    stored = records.of_chunk(chunk.pk)
    if records.digest(stored) != bytes(chunk.records_digest or b""):
        raise Refused([errors.RecordsDiffer(number=chunk.number)])
    planned = [(line, key, holder, planner.plan(decode(values))) for line, key, holder, _, values in stored]
    accounts = _Accounts(books, {holder for _, _, holder, _ in planned}, [each for *_, plan in planned for each in plan])
    drafts: list[Draft] = []
    totals = {book: [0, 0, 0] for book in chunk.totals}
    for line, key, holder, plan in planned:
        name = reference(batch.source.code, key)
        for each in plan:
            lines = (
                (accounts.find(each.book, each.debit, holder, line), each.amount),
                (accounts.find(each.book, each.credit, holder, line), -each.amount),
            )
            drafts.append(Draft(books[each.book].pk, each.effective_on, name, each.description, lines))
            of_book = totals.setdefault(each.book, [0, 0, 0])
            of_book[0] += 1
            of_book[1] += 2
            of_book[2] += each.amount
    found: Any = (len(stored), sum(record.amount for record in stored), totals)
    wanted: Any = (chunk.record_count, chunk.record_sum, chunk.totals)
    if accounts.missing:
        raise Refused(accounts.missing)
    if found != wanted:
        raise Refused([errors.ChunkDiffers(number=chunk.number, planned=wanted, found=found)])
    return drafts


def _decoder(definition: Definition) -> Callable[[Sequence[Any]], list[Value]]:
    """Return what reads a record's stored values back into the types that its columns have."""
    readers: list[tuple[int, Callable[[Any], Value]]] = []
    for place, column in enumerate(definition.layout.data.columns):
        if column.kind is Kind.INSTANT:
            readers.append((place, datetime.fromisoformat))
        elif column.kind is Kind.DATE:
            readers.append((place, date.fromisoformat))

    def decode(stored: Sequence[Any]) -> list[Value]:
        values: list[Value] = list(stored)
        for place, read in readers:
            values[place] = read(stored[place])
        return values

    return decode


class _Accounts:
    """The accounts that a chunk's records post to. What they may take is decided by ``post``, under their locks."""

    def __init__(self, books: dict[str, Book], holder_ids: set[int], plans: list[Any]) -> None:
        codes = {book.pk: code for code, book in books.items()}
        roles = sorted({side.role for each in plans for side in (each.debit, each.credit) if side.role})
        self._by_role: dict[tuple[int, str, str], int] = {}
        for part in postings.parts(sorted(holder_ids)):
            rows = Account.objects.filter(holder_id__in=part, book_id__in=codes, role__in=roles)
            for key, holder, book_id, role in rows.values_list("id", "holder_id", "book_id", "role"):
                if holder is not None:
                    self._by_role[holder, codes[book_id], role] = key
        self._by_code: dict[tuple[str, str], int] = {}
        wanted = {(each.book, side.code) for each in plans for side in (each.debit, each.credit) if side.code}
        for code, book in books.items():
            for part in postings.parts(sorted(name for of, name in wanted if of == code)):
                found = Account.objects.filter(book=book, code__in=part).values_list("code", "id")
                self._by_code.update(((code, name), key) for name, key in found)
        self.missing: list[LedgerError] = []

    def find(self, book: str, side: Side, holder_id: int, line: int) -> int:
        """Return an account's id; where there is none, note the line that misses it."""
        found = self._by_role.get((holder_id, book, side.role)) if side.role else self._by_code.get((book, side.code or ""))
        if found is None:
            self.missing.append(errors.AccountAway(line=line, account=side.role or side.code, book=book))
            return 0
        return found
