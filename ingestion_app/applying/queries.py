"""The receipt of a run of apply: what it found applied, what it added, and whether the ledger's change equals the plan."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from ingestion_app.batches.queries.sums import sums_of
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Attempt, Batch, Chunk
from ledger_app.base.queries.totals import Total
from ledger_app.models import Posting

NAMES = ("entries", "lines", "debits")


@dataclass(frozen=True, slots=True)
class Book:
    """One book: entries, lines and debits as they were planned, and as they are counted in the ledger's rows."""

    code: str
    planned: tuple[int, int, int]
    found: tuple[int, int, int]

    @property
    def is_equal(self) -> bool:
        """Tell whether nothing is missing and nothing too much."""
        return self.planned == self.found


@dataclass(frozen=True, slots=True)
class Replay:
    """What one run came to. Of a batch that was applied before, it found every chunk applied and added no entry."""

    chunks_found: int
    records_found: int
    chunks_applied: int
    new_entries: int
    books: tuple[Book, ...]

    @property
    def is_equal(self) -> bool:
        """Tell whether every book has changed by exactly what was planned."""
        return all(book.is_equal for book in self.books)

    def as_dict(self) -> dict[str, Any]:
        """Return the receipt as commands and the API give it."""
        return {
            "chunks_found": self.chunks_found,
            "records_found": self.records_found,
            "chunks_applied": self.chunks_applied,
            "new_entries": self.new_entries,
            "equal": self.is_equal,
            "books": {
                book.code: {
                    "planned": dict(zip(NAMES, book.planned, strict=True)),
                    "found": dict(zip(NAMES, book.found, strict=True)),
                    "equal": book.is_equal,
                }
                for book in self.books
            },
        }


def replay_of(batch: Batch, attempt: Attempt | None, posted: dict[str, tuple[int, int, int]] | None = None) -> Replay:
    """Return the receipt of ``attempt``, or, without one, of a run that found nothing left to do and so made none.

    ``posted`` is what the ledger's rows come to, where that was counted already.
    """
    done = Chunk.objects.filter(batch=batch, state=Chunk.State.APPLIED)
    mine = done.filter(attempt=attempt) if attempt is not None else done.none()
    found = done.exclude(attempt=attempt) if attempt is not None else done
    replayed = found.aggregate(chunks=Count("id"), records=Total("record_count"))
    postings = Posting.objects.filter(origin_kind=Posting.Origin.CHUNK, origin_id__in=mine.values("id"))
    there = batches.posted(batch) if posted is None else posted
    return Replay(
        chunks_found=replayed["chunks"],
        records_found=replayed["records"] or 0,
        chunks_applied=mine.count(),
        new_entries=postings.aggregate(entries=Total("entry_count"))["entries"] or 0,
        books=tuple(
            Book(code, _three(batch.totals.get(code, (0, 0, 0))), _three(there.get(code, (0, 0, 0))))
            for code in sorted(set(batch.totals) | set(there))
        ),
    )


def replay_of_attempt(batch: Batch, attempt: Attempt) -> Replay:
    """Return the receipt of ``attempt`` by what its chunks counted when they were applied: no row of the ledger is read for it."""
    mine, all_of_it = sums_of(batch, attempt_id=attempt.pk), sums_of(batch)
    return Replay(
        chunks_found=all_of_it.applied_chunks - mine.applied_chunks,
        records_found=all_of_it.applied_records - mine.applied_records,
        chunks_applied=mine.applied_chunks,
        new_entries=sum(totals[0] for totals in mine.posted.values()),
        books=tuple(
            Book(code, _three(planned), all_of_it.posted.get(code, (0, 0, 0))) for code, planned in sorted(batch.totals.items())
        ),
    )


def last_attempt(batch: Batch) -> Attempt | None:
    """Return the last attempt to apply a batch."""
    return Attempt.objects.filter(batch=batch, step=Attempt.Step.APPLY).order_by("-id").first()


def _three(totals: Any) -> tuple[int, int, int]:
    entries, lines, debits = totals
    return entries, lines, debits
