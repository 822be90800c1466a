"""Reverses batches as a whole: by a batch of its own, which has its plan, its approval by another person, and its chunks."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import F

from ingestion_app import errors
from ingestion_app.models import AskedValidation, Batch, Chunk
from ingestion_app.operations import steps
from ingestion_app.queries import batches, reversals, reversible
from ingestion_app.queries.reversals import Days
from ingestion_app.states import BATCH, BatchFacts
from ledger_app.errors import AlreadyReversed, LedgerError, Refused
from ledger_app.models import Book, DecidedAmount
from ledger_app.operations import audit, bulk, history, transitions, weighing
from ledger_app.operations.audit import Caller
from ledger_app.rules.posting import Draft

REASONS_MOST = 20


def propose(*, batch_id: int, reason: str, caller: Caller, version: int | None = None) -> Batch:
    """Propose the reversal of a batch: make, and return, the batch that is to undo it entry by entry. Nothing is planned or posted yet.

    It is validated as every batch is, which makes its plan (``plan``): that is asked for with the proposal. Then another person approves it. A
    batch that is stuck in ``applying`` stays paused, so that nothing of it is posted meanwhile.

    :raises Refused: wrong_state, not_permitted, batch_is_reversal, reversal_open, still_applying, nothing_to_reverse, reason_required, stale
    """
    made: list[Batch] = []

    def write(row: Batch, _facts: BatchFacts) -> Mapping[str, Any]:
        made.append(_make(row, caller))
        return {"is_paused": row.state == Batch.State.APPLYING}

    steps.take(
        "reverse",
        batch_id=batch_id,
        caller=caller,
        write=write,
        reason=reason,
        version=version,
        audit_facts=lambda _row: {"reversal": made[-1].pk},
    )
    return made[-1]


def plan(*, batch: Batch, caller: Caller, reached: Callable[[], None]) -> Batch:
    """Plan what a proposed reversal posts, and return it, validated: asked of the ledger as a file's records are.

    What it reverses cannot change meanwhile: nothing more of the original is posted, and none of its entries is reversed by itself.
    ``reached`` writes that the attempt has come to its end, in the transaction that takes the step.

    :raises Refused: nothing_to_reverse, no_period_open, account_not_open, holder_merged, floor_broken and what else posting would refuse; stale
    """
    original = Batch.objects.get(reversals=batch)
    if refused := reversals.refusals(original):
        raise Refused(refused)
    columns, chunks = _planned(batch, original)

    def write(row: Batch, _facts: BatchFacts) -> Mapping[str, Any]:
        reached()
        weighing.void(kind=DecidedAmount.Kind.BATCH, subject_id=row.pk, at=caller.at)
        Chunk.objects.filter(batch=row).delete()
        for chunk in chunks:
            chunk.batch = row
        bulk.create(chunks, within=Chunk.objects.filter(batch=row))
        return {**columns, "planned_by": caller.user, "approved_by": None, "approved_digest": None}

    return steps.take(
        "validate",
        batch_id=batch.pk,
        caller=caller,
        write=write,
        version=batch.version,
        audit_facts=lambda row: {"reverses": original.pk, "plan": batches.hexadecimal(row.plan_digest)},
    )


def drafts_of(chunk: Chunk, batch: Batch) -> list[Draft]:
    """Return the drafts of a chunk of a reversal, in their order, having counted that they come to what the plan says.

    :raises Refused: records_differ, chunk_differs; already_reversed, where entries were reversed by themselves since the plan was made
    """
    entries = reversals.of_chunk(chunk)
    if reversals.digest(entries) != bytes(chunk.records_digest or b""):
        raise Refused([errors.RecordsDiffer(number=chunk.number)])
    since: list[LedgerError] = [
        AlreadyReversed(reference=entry.reference, by=entry.reversal[1]) for entry in entries if entry.reversal is not None
    ]
    if since:
        raise Refused(since[:REASONS_MOST])
    codes = dict(Book.objects.filter(id__in={entry.book_id for entry in entries}).values_list("id", "code"))
    drafts = list(reversible.drafts(entries, chunk.undoes_id, _Dates(batch.reversal_dates or {}, codes).day))
    totals: dict[str, list[int]] = {book: [0, 0, 0] for book in chunk.totals}
    for draft in drafts:
        of_book = totals.setdefault(codes[draft.book_id], [0, 0, 0])
        of_book[0] += 1
        of_book[1] += len(draft.lines)
        of_book[2] += sum([amount for _account_id, amount in draft.lines if amount > 0])
    undone = Chunk.objects.get(undone_by=chunk)
    found: Any = (undone.record_count, undone.record_sum, totals)
    wanted: Any = (chunk.record_count, chunk.record_sum, chunk.totals)
    if found != wanted:
        raise Refused([errors.ChunkDiffers(number=chunk.number, planned=wanted, found=found)])
    return drafts


def end_original(batch: Batch, caller: Caller) -> dict[str, Any]:
    """Say of the batch that a reversal undoes that it is reversed, in the transaction that ends the reversal; for any other batch, do nothing.

    Return the columns that are set with the end of ``batch`` itself: what is applied is not paused any more.

    :raises Refused: wrong_state, where somebody has ended the original otherwise
    """
    if batch.reverses_id is None:
        return {"is_paused": False}
    original = Batch.objects.get(pk=batch.reverses_id)
    transition = BATCH.transition("undo")
    if reasons := BATCH.reasons(transition, batches.facts(original, user=caller.user, deep=False)):
        raise Refused(reasons)
    transitions.compare_and_set(
        original,
        transition=transition,
        subject_type=BATCH.subject,
        caller=caller,
        reason="",
        columns={"holds_slot": None, "holds_file": None, "is_paused": False},
        facts={"reversal": batch.pk},
    )
    return {"is_paused": False}


def _make(original: Batch, caller: Caller) -> Batch:
    """Write the batch that is to reverse ``original``, ask for its validation, and return it."""
    # Whoever still holds one of these chunks has lost it: nothing of the original is posted once its reversal is proposed.
    Chunk.objects.filter(batch=original).exclude(state=Chunk.State.APPLIED).update(lease_token=F("lease_token") + 1)
    reversal = Batch(
        source_id=original.source_id,
        source_version_id=original.source_version_id,
        file_id=original.file_id,
        reverses=original,
        business_date=original.business_date,
        sequence=original.sequence,
        holds_slot=None,
        holds_file=None,
        holds_original=True,
        received_by=caller.user,
    )
    history.create(reversal, caller=caller, reason="propose")
    AskedValidation.objects.create(
        batch=reversal, batch_version=reversal.version, after_attempt=0, asked_by=caller.user, asked_at=caller.at
    )
    audit.record(
        subject=audit.Subject(BATCH.subject, reversal.pk, str(reversal)),
        action="propose",
        caller=caller,
        facts={"reverses": original.pk, "state": reversal.state},
    )
    return reversal


def _planned(reversal: Batch, original: Batch) -> tuple[dict[str, Any], list[Chunk]]:
    """Return the columns of a plan and its chunks: from the last of the original to the first, so that those of one series are undone in the opposite order."""
    days = Days()
    chunks: list[Chunk] = []
    codes = dict(Book.objects.values_list("id", "code"))
    for number, undone in enumerate(reversed(list(reversible.applied_chunks(original)))):
        of_chunk = reversals.days_of(undone.pk)
        days += of_chunk
        chunks.append(
            Chunk(
                number=number,
                holder_id=undone.holder_id,
                series=undone.series,
                record_count=undone.record_count,
                record_sum=undone.record_sum,
                totals=reversals.totals_of(undone.pk, of_chunk, codes),
                records_digest=reversals.digest(reversible.unreversed(undone.pk)),
                undoes=undone,
            )
        )
    columns = _summed(chunks, days, codes)
    for column, value in columns.items():
        setattr(reversal, column, value)
    plans = [(each.number, each.record_count, each.record_sum, each.totals, bytes(each.records_digest).hex()) for each in chunks]
    return {**columns, "plan_digest": batches.plan_digest(reversal, plans)}, chunks


def _summed(chunks: Sequence[Chunk], days: Days, codes: dict[int, str]) -> dict[str, Any]:
    """Return what the plan comes to as a whole: counts, sums, totals by book, and the dates."""
    totals: Counter[tuple[str, int]] = Counter()
    for chunk in chunks:
        totals.update({(book, place): count for book, counts in chunk.totals.items() for place, count in enumerate(counts)})
    dated, none = reversals.dated(days, codes)
    if none:
        raise Refused(none)
    planned: dict[str, dict[str, list[Any]]] = {}
    for book, period, moved_to, entries in dated:
        planned.setdefault(book, {})[period] = [moved_to.isoformat() if moved_to else None, entries]
    dates = _Dates(planned, codes)
    given = [dates.day(book_id, on)[0] for book_id, on in days]
    return {
        "record_count": sum(chunk.record_count for chunk in chunks),
        "record_sum": sum(chunk.record_sum for chunk in chunks),
        "totals": {book: [totals[book, place] for place in range(3)] for book in sorted({book for book, _place in totals})},
        "reversal_dates": planned,
        "first_on": min(given),
        "last_on": max(given),
    }


class _Dates:
    """The dates and descriptions that the plan of a reversal gives to its entries."""

    def __init__(self, planned: Mapping[str, Mapping[str, Sequence[Any]]], codes: Mapping[int, str]) -> None:
        self._codes = codes
        self._planned = planned
        self._periods = reversible.periods_of(codes)
        self._known: dict[tuple[int, date], tuple[date, str]] = {}

    def day(self, book_id: int, on: date) -> tuple[date, str]:
        """Return the date that entries of a day get, and the period that they are moved out of.

        What the plan says is what is done: whether the ledger takes it there is decided by ``post``, which never dates anew.
        """
        key = (book_id, on)
        if key not in self._known:
            period = next((each.name for each in self._periods[book_id] if each.starts_on <= on <= each.ends_on), "")
            moved_to, _entries = self._planned.get(self._codes[book_id], {}).get(period, [None, 0])
            self._known[key] = (date.fromisoformat(moved_to), period) if moved_to else (on, "")
        return self._known[key]
