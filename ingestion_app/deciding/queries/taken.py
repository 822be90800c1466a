"""Which planned records of a batch, or of one of its chunks, somebody else has posted since the plan was made."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Min

from ingestion_app.batches.queries import refusals
from ingestion_app.formats.postings import reference
from ingestion_app.models import Batch, Chunk, Record
from ledger_app import sql
from ledger_app.models import Book
from ledger_app.posting.queries import postings

# From the records, in the order of their lines, each to the entry that stands under its reference, by the index.
TAKEN = """
    SELECT record.line, record.{key}, entry.id
      FROM ingestion_app_record AS record
      {then} ledger_app_entry AS entry ON entry.book_id = %s AND entry.reference = {reference}
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
     WHERE record.{of} = %s AND record.status = 'planned' AND reversal.id IS NULL AND entry.posting_id <> %s
     ORDER BY record.line
     LIMIT %s
"""


class Taken(NamedTuple):
    """A record whose entry another has posted: its line and key, the book, and the batch that did; None where no batch did."""

    line: int
    key: str
    book: str
    batch: int | None


def of_batch(batch: Batch, most: int) -> list[Taken]:
    """Return the first of a batch's planned records that were posted meanwhile.

    Where the ledger has nothing between the first of its keys and the last, no record is looked up.
    """
    keys = Record.objects.filter(batch=batch, status=Record.Status.PLANNED).aggregate(first=Min("key"), last=Max("key"))
    if keys["first"] is None:
        return []
    source = batch.source.code
    span = reference(source, keys["first"]), reference(source, keys["last"])
    books = Book.objects.filter(code__in=batch.totals).order_by("code")
    met = [book for book in books if postings.any_between(book.pk, *span)]
    return _taken("batch_id", batch.pk, source, met, most, besides=0)


def of_chunk(chunk: Chunk, most: int, *, besides: int | None) -> list[Taken]:
    """Return the first of a chunk's records that were posted by another: by any but the posting ``besides``."""
    books = Book.objects.filter(code__in=chunk.totals).order_by("code")
    return _taken("chunk_id", chunk.pk, chunk.batch.source.code, list(books), most, besides=besides or 0)


def _taken(column: str, pk: int, source: str, books: Sequence[Book], most: int, *, besides: int) -> list[Taken]:
    key = connection.ops.quote_name("key")
    statement = TAKEN.format(key=key, then=sql.then(), reference=sql.joined("%s", f"record.{key}"), of=column)
    rows: list[tuple[int, str, int, str]] = []
    with connection.cursor() as cursor:
        for book in books:
            cursor.execute(statement, [book.pk, reference(source, ""), pk, besides, most])
            rows += [(*row, book.code) for row in cursor.fetchall()]
    first = sorted(rows)[:most]
    origins = refusals.origins_of([entry_id for _line, _key, entry_id, _book in first])
    return [Taken(line, name, book, origins[entry_id].batch) for line, name, entry_id, book in first]
