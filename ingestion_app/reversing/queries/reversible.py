"""The entries that a batch posted and that can be reversed, their lines, and the drafts that reverse them: the plan, the preview and the posting all read them here."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from ingestion_app.models import Batch, Chunk
from ledger_app import sql
from ledger_app.base.queries import totals
from ledger_app.models import Entry, Period, Posting
from ledger_app.posting.rules import reversal_dates
from ledger_app.posting.rules.drafts import Draft, Reversed
from ledger_app.values.locked import LockedPeriod

# The day on which an entry is reversed, and the period that it is moved out of; None where there is no day for it.
DayOf = Callable[[int, date], tuple[date, str] | None]


class Reversible(NamedTuple):
    """An entry that a reversal is about. ``reversal`` is the id, the reference and the posting of the entry that reverses it, if any."""

    id: int
    book_id: int
    effective_on: date
    reference: str
    digest: bytes
    reversal: tuple[int, str, int] | None


def rows_of(statement: str, *parameters: int | None, **parts: str) -> list[tuple[Any, ...]]:
    """Run a statement that says the order of its joins (docs/decisions/0017)."""
    with connection.cursor() as cursor:
        filled = statement.format(then=sql.then(), sign=sql.natural("1"), **parts)
        cursor.execute(totals.sql(filled), parameters)
        return list(cursor.fetchall())


def reference_of(entry_id: int) -> str:
    """Return the reference of the entry that reverses another: the one under which it would be reversed by itself."""
    return f"reversal:{entry_id}"


def posting_of(chunk_id: int | None) -> int | None:
    """Return the posting of a chunk; None where the chunk posted nothing."""
    if chunk_id is None:
        return None
    return Posting.objects.filter(origin_kind=Posting.Origin.CHUNK, origin_id=chunk_id).values_list("id", flat=True).first()


def unreversed(chunk_id: int) -> list[Reversible]:
    """Return the entries of a chunk that nothing has reversed, the last first: the order in which they are reversed.

    A balance that never fell below its floor on the way there does not on the way back, as far as nothing else moved it.
    """
    return [entry for entry in entries_in(chunk_id) if entry.reversal is None]


def lines_of(chunk_id: int | None) -> dict[int, list[tuple[int, int]]]:
    """Return (account id, amount) of each line that a chunk posted, by entry and in their order."""
    found: dict[int, list[tuple[int, int]]] = {}
    for entry_id, account_id, amount in rows_of(LINES, posting_of(chunk_id)):
        found.setdefault(entry_id, []).append((account_id, amount))
    return found


def drafts(entries: Iterable[Reversible], chunk_id: int | None, day_of: DayOf) -> Iterator[Draft]:
    """Yield the draft that reverses each of these entries of a chunk, but for those for which there is no day."""
    lines = lines_of(chunk_id)
    for entry in entries:
        if (day := day_of(entry.book_id, entry.effective_on)) is not None:
            on, prior_period = day
            yield Draft(
                book_id=entry.book_id,
                effective_on=on,
                reference=reference_of(entry.id),
                description=reversal_dates.description(entry.reference, prior_period=prior_period),
                lines=tuple([(account_id, -amount) for account_id, amount in lines.get(entry.id, ())]),
                reverses=Reversed(entry.id, entry.reference),
            )


def periods_of(book_ids: Iterable[int]) -> dict[int, list[LockedPeriod]]:
    """Return the periods of each book."""
    found: dict[int, list[LockedPeriod]] = {book_id: [] for book_id in book_ids}
    rows = Period.objects.filter(book__in=found).order_by("starts_on")
    for book_id, name, starts_on, ends_on, state in rows.values_list("book_id", "name", "starts_on", "ends_on", "state"):
        found[book_id].append(LockedPeriod(name, starts_on, ends_on, state))
    return found


def applied_chunks(batch: Batch) -> QuerySet[Chunk]:
    """Return the chunks of a batch that are in the ledger, in their order."""
    return Chunk.objects.filter(batch=batch, state=Chunk.State.APPLIED).order_by("number")


# The lines of a posting are reached through its entries, by their index: their keys say to which posting they belong only since 0018.
LINES = """
    SELECT line.entry_id, line.account_id, line.amount
      FROM ledger_app_entry AS entry
      {then} ledger_app_line AS line ON line.entry_id = entry.id
     WHERE entry.posting_id = %s
     ORDER BY line.id
"""


def entries_of(chunk_id: int | None) -> QuerySet[Entry]:
    """Return the entries that a chunk posted."""
    posting_id = posting_of(chunk_id)
    return Entry.objects.none() if posting_id is None else Entry.objects.filter(posting_id=posting_id)


def entries_in(chunk_id: int | None) -> list[Reversible]:
    """Return the entries that a chunk posted, the last first, each with what has reversed it."""
    columns = ("id", "book_id", "effective_on", "reference", "digest", "reversed_by__id", "reversed_by__reference")
    return [
        Reversible(key, book_id, on, name, bytes(fingerprint), None if by is None else (by, by_name, posting_id))
        for key, book_id, on, name, fingerprint, by, by_name, posting_id in entries_of(chunk_id)
        .order_by("-id")
        .values_list(*columns, "reversed_by__posting_id")
    ]
