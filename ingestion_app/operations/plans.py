"""The plan of a batch: its rows, in one transaction with the state that they belong to."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ingestion_app.checks.rules import Seen, Severity
from ingestion_app.models import Batch, Chunk, Finding, Record
from ingestion_app.queries import records
from ingestion_app.queries.ledger import Checked, Placed
from ledger_app.operations import bulk

FINDINGS_KEPT = 1000  # of each rule; the batch counts all


@dataclass(slots=True)
class Totals:
    """Counts and sums of a set of records. ``books`` is by code: [entries, lines, sum of debits]."""

    records: int = 0
    sum: int = 0
    books: dict[str, list[int]] = field(default_factory=dict)

    def add(self, checked: Checked) -> None:
        """Count one record and what it posts."""
        self.records += 1
        self.sum += checked.row.amount
        for planned in checked.planned:
            of_book = self.books.setdefault(planned.book, [0, 0, 0])
            of_book[0] += 1
            of_book[1] += 2
            of_book[2] += planned.amount

    def merge(self, other: "Totals") -> None:
        """Add all that ``other`` counted."""
        self.records += other.records
        self.sum += other.sum
        for book, counts in other.books.items():
            of_book = self.books.setdefault(book, [0, 0, 0])
            for place, count in enumerate(counts):
                of_book[place] += count


class Findings:
    """Keeps findings up to a bound for each rule, and counts them all."""

    def __init__(self) -> None:
        self.kept: list[Seen] = []
        self.counts: dict[str, int] = {}

    def add(self, seen: Seen) -> None:
        """Take one in."""
        count = self.counts.get(seen.rule, 0)
        self.counts[seen.rule] = count + 1
        if count < FINDINGS_KEPT:
            self.kept.append(seen)

    def write(self, batch: Batch) -> None:
        """Write those that are kept in place of the batch's earlier ones."""
        Finding.objects.filter(batch=batch).delete()
        rows = [
            Finding(
                batch=batch,
                severity=str(seen.severity),
                rule=seen.rule,
                line=seen.line,
                column=seen.column,
                offset=seen.offset,
                raw=seen.raw,
                facts=dict(seen.facts),
            )
            for seen in sorted(self.kept, key=lambda seen: (seen.line, seen.column))
        ]
        Finding.objects.bulk_create(rows, batch_size=1000)

    @property
    def errors(self) -> dict[str, int]:
        """How many of each rule that is an error."""
        grave = {seen.rule for seen in self.kept if seen.severity is Severity.ERROR}
        return {rule: count for rule, count in self.counts.items() if rule in grave}


@dataclass(slots=True)
class Survey:
    """All that the first pass over a file found out: enough to reject it, or to plan it."""

    findings: Findings = field(default_factory=Findings)
    by_holder: dict[int, Totals] = field(default_factory=dict)
    planned: Totals = field(default_factory=Totals)
    set_aside: set[int] = field(default_factory=set)  # lines
    set_aside_sum: int = 0
    without_effect: int = 0
    first_on: date | None = None
    last_on: date | None = None

    def add(self, checked: Checked) -> None:
        """Count one checked row where it belongs."""
        if checked.errors:
            self.set_aside.add(checked.row.line)
            self.set_aside_sum += checked.row.amount
        elif not checked.planned or checked.holder_id is None:
            self.without_effect += 1
        else:
            self.planned.add(checked)
            self.by_holder.setdefault(checked.holder_id, Totals()).add(checked)
            for planned in checked.planned:
                self.first_on = min(self.first_on or planned.effective_on, planned.effective_on)
                self.last_on = max(self.last_on or planned.effective_on, planned.effective_on)


def cut(by_holder: dict[int, Totals], chunk_records: int) -> tuple[list[Totals], dict[int, int]]:
    """Cut the holders into chunks of about ``chunk_records`` records; return the chunks' totals and the chunk number of each holder.

    A chunk is whole holders, in the order of their ids; a holder with more records than that is a chunk alone.
    """
    chunks: list[Totals] = []
    chunk_of: dict[int, int] = {}
    for holder_id in sorted(by_holder):
        totals = by_holder[holder_id]
        if not chunks or chunks[-1].records + totals.records > chunk_records:
            chunks.append(Totals())
        chunks[-1].merge(totals)
        chunk_of[holder_id] = len(chunks) - 1
    return chunks, chunk_of


def clear(batch: Batch) -> None:
    """Remove the rows of an earlier plan. The database refuses it where one of its chunks is applied."""
    Record.objects.filter(batch=batch).delete()
    Chunk.objects.filter(batch=batch).delete()


def write_chunks(batch: Batch, chunks: Sequence[Totals]) -> list[int]:
    """Write the chunks, numbered from 0, and return their ids in that order."""
    rows = [
        Chunk(batch=batch, number=number, record_count=totals.records, record_sum=totals.sum, totals=totals.books)
        for number, totals in enumerate(chunks)
    ]
    Chunk.objects.bulk_create(rows, batch_size=1000)
    return list(Chunk.objects.filter(batch=batch).order_by("number").values_list("id", flat=True))


RECORD_COLUMNS = {
    "batch_id": bulk.INTEGER,
    "line": bulk.INTEGER,
    "offset": bulk.INTEGER,
    "length": bulk.INTEGER,
    "status": bulk.TEXT,
    "chunk_id": bulk.OPTIONAL_INTEGER,
    "key": bulk.TEXT,
    "holder_id": bulk.OPTIONAL_INTEGER,
    "amount": bulk.OPTIONAL_INTEGER,
    "values": bulk.TEXT,
}


def write_records(
    batch: Batch, placed: Iterable[Placed], survey: Survey, chunk_of: dict[int, int], chunk_ids: Sequence[int]
) -> Iterator[int]:
    """Write a record for each row, and each chunk's digest over its records; yield how many are written after each call to the database."""
    digests = [hashlib.sha256() for _ in chunk_ids]
    rows: list[tuple[Any, ...]] = []
    written = 0
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
    for each in placed:
        row = each.row
        if row.line in survey.set_aside:
            status, chunk = Record.Status.SET_ASIDE, None
        elif not each.has_effect or each.holder_id is None:
            status, chunk = Record.Status.WITHOUT_EFFECT, None
        else:
            number = chunk_of[each.holder_id]
            status, chunk = Record.Status.PLANNED, chunk_ids[number]
            digests[number].update(records.content(row.line, row.key, each.holder_id, row.amount, row.values))
        rows.append(
            (
                batch.pk,
                row.line,
                row.offset,
                row.length,
                status.value,
                chunk,
                row.key,
                each.holder_id,
                row.amount,
                encode(row.values),
            )
        )
        if len(rows) == bulk.ROWS_A_CALL:
            written += _insert(rows)
            yield written
    written += _insert(rows)
    for chunk_id, digest in zip(chunk_ids, digests, strict=True):
        Chunk.objects.filter(pk=chunk_id).update(records_digest=digest.digest())
    yield written


def _insert(rows: list[tuple[Any, ...]]) -> int:
    count = len(rows)
    bulk.insert("ingestion_app_record", RECORD_COLUMNS, rows)
    rows.clear()
    return count
