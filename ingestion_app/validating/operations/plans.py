"""The plan of a batch: its rows, in one transaction with the state that they belong to."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any

from ingestion_app.batches.queries.record_proofs import FINDINGS_KEPT, RecordsHash, computed
from ingestion_app.checks.rules import IN_UNIT_OF_FILE, Seen, Severity
from ingestion_app.formats.definition import Definition
from ingestion_app.models import Batch, Chunk, Finding, Record, RecordsDigest
from ingestion_app.validating.operations import cutting
from ingestion_app.validating.operations.cutting import Cut
from ingestion_app.validating.operations.staging import Stage, Staged
from ingestion_app.validating.queries.ledger import Checked
from ledger_app.base.operations import bulk
from ledger_app.errors.card_bytes import masked_in
from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.stored import UNIT
from ledger_app.errors.units import Unit

Totals = dict[str, list[int]]  # by book code: [entries, lines, sum of debits]


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

    def keeps(self, rule: str) -> bool:
        """Whether the next finding of a rule will be kept."""
        return self.counts.get(rule, 0) < FINDINGS_KEPT

    def merge(self, others: "Findings") -> None:
        """Take in what was found elsewhere."""
        for seen in others.kept:
            self.add(seen)
        for rule, count in others.counts.items():
            # Those beyond the bound are counted and were not kept.
            self.counts[rule] = self.counts.get(rule, 0) + count - min(count, FINDINGS_KEPT)

    def write(self, batch: Batch, unit: Unit | None, encoding: str) -> None:
        """Write those that are kept in place of the batch's earlier ones, with the ``unit`` that the amounts of the file are in and its ``encoding``."""
        Finding.objects.filter(batch=batch).delete()
        rows = [
            Finding(
                batch=batch,
                severity=str(seen.severity),
                rule=seen.rule,
                line=seen.line,
                column=seen.column,
                offset=seen.offset,
                # Whatever a card number got into, it is not kept in the clear.
                raw=masked_in(seen.raw, encoding),
                facts={
                    **({UNIT: list(unit)} if unit is not None and seen.rule in IN_UNIT_OF_FILE else {}),
                    **{name: masked_text(value) if isinstance(value, str) else value for name, value in seen.facts.items()},
                },
            )
            for seen in sorted(self.kept, key=lambda seen: (seen.line, seen.column))
        ]
        bulk.create(rows, within=Finding.objects.filter(batch=batch))

    @property
    def errors(self) -> dict[str, int]:
        """How many of each rule that is an error."""
        grave = {seen.rule for seen in self.kept if seen.severity is Severity.ERROR}
        return {rule: count for rule, count in self.counts.items() if rule in grave}


@dataclass(slots=True)
class Survey:
    """All that the pass over a file found out: enough to reject it, or to plan it."""

    findings: Findings = field(default_factory=Findings)
    records_of: dict[int, int] = field(default_factory=dict)  # holder → how many of its records are to be applied
    totals: Totals = field(default_factory=dict)
    dates: Counter[date] = field(default_factory=Counter)  # how many entries have each
    left_out: set[int] = field(default_factory=set)  # lines of planned records that the ledger refuses in their order
    reasons: set[tuple[str, str]] = field(default_factory=set)  # book code, reason code
    set_aside: int = 0
    set_aside_sum: int = 0
    without_effect: int = 0

    def merge(self, others: "Survey") -> None:
        """Add what another process found out about another part of the file."""
        self.findings.merge(others.findings)
        for holder_id, count in others.records_of.items():
            self.records_of[holder_id] = self.records_of.get(holder_id, 0) + count
        for book, counts in others.totals.items():
            of_book = self.totals.setdefault(book, [0, 0, 0])
            for place, count in enumerate(counts):
                of_book[place] += count
        self.dates.update(others.dates)
        self.reasons |= others.reasons
        self.set_aside += others.set_aside
        self.set_aside_sum += others.set_aside_sum
        self.without_effect += others.without_effect

    def add(self, checked: Checked) -> Record.Status:
        """Count one checked row where it belongs, and say where."""
        row, holder_id, planned, errors, *_judged = checked
        if errors:
            self.set_aside += 1
            self.set_aside_sum += row.amount
            return Record.Status.SET_ASIDE
        if not planned or holder_id is None:
            self.without_effect += 1
            return Record.Status.WITHOUT_EFFECT
        self.records_of[holder_id] = self.records_of.get(holder_id, 0) + 1
        totals, dates = self.totals, self.dates
        for book, on, amount, _, _, _ in planned:
            _count(totals, book, amount)
            dates[on] += 1
        return Record.Status.PLANNED

    def leave_out(self, row: Staged, dates: Iterable[date]) -> None:
        """Count a planned record, whose entries have these dates, as set aside after all."""
        self.set_aside += 1
        self.set_aside_sum += row.amount
        self.left_out.add(row.line)
        for book, amount in row.posted:
            _count(self.totals, book, amount, times=-1)
            if not self.totals[book][0]:
                del self.totals[book]
        self.dates.subtract(dates)
        self.dates = +self.dates


def _count(totals: Totals, book: str, amount: int, *, times: int = 1) -> None:
    """Count one entry of two lines; -1 ``times``: count it no more."""
    of_book = totals.get(book)
    if of_book is None:
        of_book = totals[book] = [0, 0, 0]
    of_book[0] += times
    of_book[1] += 2 * times
    of_book[2] += amount * times


def cut(records_of: dict[int, int], definition: Definition) -> Cut:
    """Cut the holders into chunks, none of more records than one posting takes; each count in ``records_of`` becomes the number of a chunk."""
    return Cut(records_of, cutting.most_records(definition.chunk_records, len(definition.postings)))


def clear(batch: Batch) -> None:
    """Remove the rows of an earlier plan. The database refuses it where one of its chunks is applied."""
    RecordsDigest.objects.filter(batch=batch).delete()
    Record.objects.filter(batch=batch).delete()
    Chunk.objects.filter(batch=batch).delete()


def cover(batch: Batch) -> None:
    """Make the digest over all records of a batch anew, after records of it were set aside."""
    count, digest = computed(batch.pk)
    RecordsDigest.objects.filter(batch=batch).delete()
    RecordsDigest.objects.create(batch=batch, record_count=count, digest=digest)


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


class _Growing:
    """A chunk while its records are written: what they come to, and the digest over them."""

    def __init__(self) -> None:
        self.records = self.sum = 0
        self.totals: Totals = {}
        self.digest = hashlib.sha256()

    def add(self, row: Staged) -> None:
        self.records += 1
        self.sum += row.amount
        for book, amount in row.posted:
            _count(self.totals, book, amount)
        self.digest.update(row.content)


def write(batch: Batch, stages: Sequence[Stage], found: Cut, left_out: AbstractSet[int] = frozenset()) -> Iterator[int]:
    """Write a record for each staged row, in the order of the stages, and the chunks with what their records come to; yield how many records are written, block by block.

    ``left_out`` are the lines of rows that were staged to be applied, and are set aside.
    """
    planned = found.planned()
    chunks = [
        Chunk(batch=batch, record_count=0, record_sum=0, totals={}, **each._asdict()) for each in planned if each is not None
    ]
    bulk.create(chunks, within=Chunk.objects.filter(batch=batch))
    chunk_ids = list(Chunk.objects.filter(batch=batch).order_by("number").values_list("id", flat=True))
    numbers = [-1 if each is None else each.number for each in planned]
    chunk_of = found.chunk_finder()
    growing = [_Growing() for _ in chunk_ids]

    def block_of(staged: list[Staged]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for row in staged:
            line, offset, length, status, key, holder_id, amount, values, content, *_judged = row
            chunk_id = None
            if content and holder_id is not None:
                # Asked of what is left out too: the others keep the chunks in which they were judged.
                number = numbers[chunk_of(holder_id, line)]
                if line in left_out:
                    status = Record.Status.SET_ASIDE.value
                else:
                    chunk_id = chunk_ids[number]
                    growing[number].add(row)
            rows.append((batch.pk, line, offset, length, status, chunk_id, key, holder_id, amount, values))
        return rows

    covered = RecordsHash()

    def covered_block(staged: list[Staged]) -> list[tuple[Any, ...]]:
        rows = block_of(staged)
        covered.add(rows)
        return rows

    written = 0
    for count in bulk.insert_each(
        "ingestion_app_record", RECORD_COLUMNS, map(covered_block, chain.from_iterable(stage.blocks() for stage in stages))
    ):
        written += count
        yield written
    RecordsDigest.objects.create(batch=batch, record_count=covered.count, digest=covered.digest())
    for chunk_id, grown in zip(chunk_ids, growing, strict=True):
        Chunk.objects.filter(pk=chunk_id).update(
            record_count=grown.records, record_sum=grown.sum, totals=grown.totals, records_digest=grown.digest.digest()
        )
