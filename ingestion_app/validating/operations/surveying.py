"""Surveys a file: finds what is wrong with it and what it would post, in one process, or in several that each read a part."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connections
from django.utils.translation import gettext_lazy as _

from ingestion_app.checks import duplicates
from ingestion_app.checks.file import Elsewhere, Examination, NotPlain
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import Seen
from ingestion_app.checks.shape import Shaping
from ingestion_app.formats.definition import Definition
from ingestion_app.models import Batch, SourceVersion
from ingestion_app.sources.queries import definitions
from ingestion_app.validating.operations import plans
from ingestion_app.validating.operations.drafting import Drawing
from ingestion_app.validating.operations.staging import Stage
from ingestion_app.validating.queries.ledger import Checked, LedgerCheck, card_number_column
from ledger_app.base.operations import collecting, measuring
from ledger_app.base.operations.pool import Pool
from ledger_app.errors import TryAgain
from ledger_app.models import Book
from ledger_app.values.balances import BALANCE_MOST

BLOCK = 5000
PART_BYTES = 8_000_000  # starting a process takes as long as reading some of this
TAIL_BYTES = 64_000  # the end of the file, with trailer and end record, is read by whoever reads the header
SUM_MOST = BALANCE_MOST  # what the columns of sums, and the ledger's balances, hold

OnProgress = Callable[[int], None]


class Part(NamedTuple):
    """A span of whole lines: from the byte ``offset``, at which line ``line`` begins, to the byte ``end``."""

    number: int
    offset: int
    end: int
    line: int
    lines: int


class Surveyor:
    """Takes rows, compares them with the ledger, counts them and stages them."""

    def __init__(
        self, definition: Definition, books: dict[str, Book], contras: definitions.Contras, shaping: Shaping | None = None
    ) -> None:
        """Begin with nothing found. Without all of the definition's books no row is compared with the ledger."""
        self.found = plans.Survey()
        self.keys = duplicates.KeyIndex()
        self.sizes = 0  # the amounts of the rows, signs left out: no sum over any of them is larger
        self.examined = 0
        self.stage = Stage(definition)
        missing = {rule.book for rule in definition.postings} - books.keys()
        planner = None if missing else definitions.planner_of(definition, books, contras)
        data = definition.layout.data
        reasons = [(rule.book, side.reason) for rule in definition.postings for side in (rule.debit, rule.credit) if side.reason]
        self._reasons = [(book, data.position(column)) for book, column in reasons]
        self.shaping = shaping
        self.drawing = Drawing(definition, books, planner) if planner else None
        self.check = LedgerCheck(definition, books, planner) if planner else None

    @property
    def taken(self) -> frozenset[int]:
        """The accounts that the rows take from, of which it matters what they have."""
        return frozenset(self.check.taken) if self.check else frozenset()

    def take(self, rows: Iterator[Row | Seen]) -> Iterator[int]:
        """Take rows, and what was seen beside them; yield how many were taken, block by block."""
        blocks = _blocks(rows, self.found.findings.add)
        while block := _next_of(blocks):
            with measuring.phase("check"):
                for row in block:
                    self.keys.add(row.key, row.line)
                    self.sizes += abs(row.amount)
                for book, place in self._reasons:
                    self.found.reasons.update((book, str(row.values[place])) for row in block)
                checked = list(self.check.check(block)) if self.check else []
            with measuring.phase("stage"):
                self._stage(checked)
            if self.shaping is not None:
                with measuring.phase("shape"):
                    self.shaping.add(block)
            self.examined += len(block)
            yield self.examined

    def _stage(self, checked: Iterable[Checked | Seen]) -> None:
        for each in checked:
            if isinstance(each, Seen):
                self.found.findings.add(each)
            else:
                self.stage.add(each, self.found.add(each))


def shaping_of(definition: Definition, books: dict[str, Book], batch: Batch) -> Shaping | None:
    """Return what the shape of a batch's file is counted with; None where the source says that its files are compared with none."""
    if not definition.shape.compared:
        return None
    book = books.get(definition.postings[0].book)
    zone = ZoneInfo(book.time_zone if book is not None else "UTC")
    is_secret = card_number_column(definition) is not None
    return Shaping(definition, business_date=batch.business_date, zone=zone, is_secret=is_secret)


class Surveyed(NamedTuple):
    """What one process found out about its part: all of it can be sent to another process."""

    found: plans.Survey
    keys: duplicates.KeyIndex
    sizes: int
    examined: int
    taken: frozenset[int]  # accounts that its records take from, of which it matters what they have
    elsewhere: Elsewhere
    measured: measuring.Measured
    shaping: Shaping | None
    stage: Stage | None = None  # comes after it, as a file


def survey_part(
    path: Path, batch_id: int, version_id: int, part: Part, contras: definitions.Contras
) -> Iterator[tuple[str, Any]]:
    """Survey a part of a file in this process: yield how far it is, what it found, and the file in which its rows are staged.

    Where the part is not made of data records alone, ``("plain", False)`` is all: only who reads the whole file can tell what is wrong.
    """
    batch = Batch.objects.get(pk=batch_id)
    definition = definitions.definition_of(SourceVersion.objects.get(pk=version_id))
    books = definitions.books_of(definition)
    surveyor = Surveyor(definition, books, contras, shaping_of(definition, books, batch))
    with path.open("rb") as stream, measuring.measured() as measured, collecting.rare():
        examination = Examination(stream, definition, business_date=batch.business_date, sequence=batch.sequence)
        try:
            for examined in surveyor.take(examination.data_rows(part.line, part.offset, part.end)):
                yield "progress", (part.number, examined)
        except NotPlain:
            yield "plain", False
            return
    surveyor.stage.finish()
    if surveyor.shaping is not None:
        surveyor.shaping.settle()
    elsewhere = examination.elsewhere(part.offset, part.end, part.lines)
    found = Surveyed(
        surveyor.found, surveyor.keys, surveyor.sizes, surveyor.examined, surveyor.taken, elsewhere, measured, surveyor.shaping
    )
    yield "surveyed", (part.number, found)
    yield "handle", (part.number, surveyor.stage.fileno())


def survey_parts(
    path: Path, batch: Batch, version: SourceVersion, parts: list[Part], on_progress: OnProgress, *, contras: definitions.Contras
) -> list[Surveyed] | None:
    """Survey parts in processes of their own; return what each found, its stage with it, or None where a part is not plain.

    :raises TryAgain: when a process ended before its work did
    """
    connections.close_all()  # a connection is never shared with another process
    pool = Pool([(survey_part, (path, batch.pk, version.pk, part, contras)) for part in parts], spares=0)
    examined: dict[int, int] = {}
    found: dict[int, Surveyed] = {}
    stages: dict[int, int] = {}
    try:
        for kind, said in pool.events():
            if kind == "progress":
                examined[said[0]] = said[1]
                on_progress(sum(examined.values()))
            elif kind == "surveyed":
                found[said[0]] = said[1]
            elif kind == "handle":
                stages[said[0]] = said[1]
            elif kind == "plain":
                return None
            elif kind == "died":
                raise TryAgain(cause=_("a worker process ended"))
        if pool.failures:
            raise pool.failures[0]
        return [found[part.number]._replace(stage=Stage.of(stages.pop(part.number))) for part in parts]
    finally:
        pool.stop()
        for handle in stages.values():
            os.close(handle)


def parts_of(path: Path, workers: int, definition: Definition) -> list[Part]:
    """Cut a file, beginning and tail left out, into as many parts as there are workers; none where it is too small for that, or not cut at lines."""
    size = path.stat().st_size
    count = min(workers, size // PART_BYTES)
    layout = definition.layout
    if count < 2 or not definition.is_cut_at_lines:
        return []
    with path.open("rb") as stream:
        heads = layout.preamble_lines + (layout.header is not None or layout.header_row is not None)
        for _line in range(heads):
            stream.readline()
        first = stream.tell()
        bounds = [first]
        for number in range(1, count + 1):
            stream.seek(first + (size - TAIL_BYTES - first) * number // count)
            stream.readline()
            bounds.append(stream.tell())
        parts: list[Part] = []
        line = 1 + heads
        for number, (offset, end) in enumerate(pairwise(bounds)):
            lines = _count_lines(stream, offset, end)
            parts.append(Part(number, offset, end, line, lines))
            line += lines
    return parts if all(part.lines for part in parts) and bounds[-1] < size else []


def _count_lines(stream: Any, offset: int, end: int) -> int:
    stream.seek(offset)
    found = 0
    left = end - offset
    while left > 0:
        piece = stream.read(min(1 << 20, left))
        if not piece:
            break
        found += piece.count(b"\n")
        left -= len(piece)
    return found


def _blocks(rows: Iterator[Row | Seen], seen: Callable[[Seen], None]) -> Iterator[list[Row]]:
    """Cut the rows into blocks, handing what else was seen to ``seen``."""

    def only_rows() -> Iterator[Row]:
        for each in rows:
            if isinstance(each, Seen):
                seen(each)
            else:
                yield each

    of_rows = only_rows()
    while block := list(islice(of_rows, BLOCK)):
        yield block


def _next_of(blocks: Iterator[list[Row]]) -> list[Row] | None:
    """Return the next block, or None at the end: reading it is what takes the time."""
    with measuring.phase("parse"):
        return next(blocks, None)
