"""What the reversal of a batch posts: its plan, made of what the batch posted, and the drafts of each of its chunks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ingestion_app import errors
from ingestion_app.models import Batch, Chunk
from ingestion_app.reversing.queries import reversals, reversible
from ingestion_app.reversing.queries.reversals import Days
from ledger_app.errors import AlreadyReversed, LedgerError, Refused
from ledger_app.models import Book
from ledger_app.posting.rules.drafts import Draft
from ledger_app.values import dates

REASONS_MOST = 20


def planned(original: Batch) -> tuple[dict[str, Any], list[Chunk]]:
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
    return _summed(chunks, days, codes), chunks


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
            own = dates.taking(self._periods[book_id], on)
            period = own.name if own is not None else ""
            moved_to, _entries = self._planned.get(self._codes[book_id], {}).get(period, [None, 0])
            self._known[key] = (date.fromisoformat(moved_to), period) if moved_to else (on, "")
        return self._known[key]
