"""One pass over the bytes of a file: every record read, every line checked against the layout, the controls compared at the end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import BinaryIO, NamedTuple

from ingestion_app.checks.beginning import begin
from ingestion_app.checks.control_records import ControlRecords, is_whole
from ingestion_app.checks.duplicates import KeyIndex
from ingestion_app.checks.keys import Keys
from ingestion_app.checks.record import DataReader, Row
from ingestion_app.checks.rules import Seen, Severity
from ingestion_app.checks.telling import Teller
from ingestion_app.checks.totals import Controls, Counted, Tally
from ingestion_app.formats.computing import HEADER_UNREAD
from ingestion_app.formats.definition import OCCURRENCE, Cutting, Definition
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import Line, LineFormat, shown_marker
from ingestion_app.formats.reading import format_of

_ENDING_NAMES = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}


class NotPlain(Exception):
    """A part of a file that was to be read by itself holds more than data records in their place: only the whole file tells what it is."""


class Elsewhere(NamedTuple):
    """What another examination counted of the lines from the byte ``offset`` to ``end``: data records, each in its place."""

    offset: int
    end: int
    lines: int
    received_count: int
    received_sum: int
    bad_count: int
    bad_sum: int
    bad_sum_known: bool
    unreadable_count: int
    zero_count: int
    tally: Tally


class Examination:
    """Examines one file. The same bytes under the same definition always give the same rows and findings, in the same order.

    After ``rows`` is exhausted: ``received_count`` data records in their place in the file, bad ones included; ``received_sum`` of their
    readable amounts; ``bad_count`` and ``bad_sum`` of those among them that are bad, the sum known only if ``bad_sum_known``; what the
    trailer says (None: it cannot be read); ``zero_count``; and ``file_errors``, the errors that are no single data record's.
    """

    def __init__(
        self, stream: BinaryIO, definition: Definition, *, business_date: date, sequence: int, keys: Keys | None = None
    ) -> None:
        """``keys`` are those of a first pass, which only looks for what the file repeats."""
        self._stream = stream
        layout = definition.layout.near(business_date)
        self._definition = definition if layout is definition.layout else replace(definition, layout=layout)
        self._business_date = business_date
        self._sequence = sequence
        self._layout = layout
        self._format: LineFormat = format_of(layout)
        self._keys = keys or Keys(definition, business_date=business_date, sequence=sequence)
        self._is_counted = keys is not None or OCCURRENCE not in definition.roles.key
        self._controls = Controls(definition)
        self._tell = Teller()
        self._control_records = ControlRecords(
            self._definition, self._format, self._tell, self._controls, business_date=business_date, sequence=sequence
        )
        self._data = DataReader(self._format, self._definition, self._keys, self._control_records.head)
        self._unreadable_count = 0
        self.received_count = self.received_sum = 0
        self.bad_count = self.bad_sum = 0
        self.bad_sum_known = True
        self.zero_count = 0

    @property
    def file_errors(self) -> int:
        """The number of errors that are no single data record's."""
        return self._tell.errors

    @property
    def trailer_count(self) -> int | None:
        """How many records trailers, or the end record, say there are; None where that cannot be read."""
        return self._control_records.trailer_count

    @property
    def trailer_sum(self) -> int | None:
        """What they say that the records add up to; None where that cannot be read."""
        return self._control_records.trailer_sum

    @property
    def _counted(self) -> Counted:
        return Counted(self.received_count, self.received_sum, self._unreadable_count)

    @property
    def record_errors(self) -> int:
        """The number of bad data records, each counted once however much is wrong with it."""
        return self.bad_count

    def data_rows(self, number: int, offset: int, end: int) -> Iterator[Row | Seen]:
        """Yield as ``rows`` does for the lines from the byte ``offset``, at which line ``number`` begins, to ``end``: data records alone.

        :raises NotPlain: at anything else, or at a line that does not end as the layout says
        """
        if self._layout.header_row is not None:
            beginning = begin(self._stream, self._layout)
            if beginning.offset is None:
                raise NotPlain
            self._take_order(beginning.order)
        self._stream.seek(offset)
        readline, piece_bytes, quick = self._stream.readline, self._format.piece_bytes, self._controls.counting(self._data.quick)
        while offset < end:
            piece = readline(piece_bytes)
            row = quick(piece, number, offset)
            if row is not None:
                self.received_count += 1
                self.received_sum += row.amount
                offset += len(piece)
                yield row
                if row.amount == 0:
                    yield self._zero(row)
            else:
                line = self._format.complete(self._stream, piece, number=number, offset=offset)
                is_data = self._format.record_type(line.content) is self._layout.data and not self._is_blank(line)
                if line.ending != self._layout.line_ending or not is_data:
                    raise NotPlain
                yield from self._data_record(line)
                offset += line.size
            number += 1

    def elsewhere(self, offset: int, end: int, lines: int) -> Elsewhere:
        """Return what ``data_rows`` has counted."""
        return Elsewhere(
            offset,
            end,
            lines,
            self.received_count,
            self.received_sum,
            self.bad_count,
            self.bad_sum,
            self.bad_sum_known,
            self._unreadable_count,
            self.zero_count,
            self._controls.tally,
        )

    def _pass_over(self, parts: Sequence[Elsewhere]) -> tuple[int, int]:
        """Count what was examined elsewhere, and go on behind it; return how many lines and bytes that was."""
        self._control_records.stage = self._layout.data
        for part in parts:
            self.received_count += part.received_count
            self.received_sum += part.received_sum
            self.bad_count += part.bad_count
            self.bad_sum += part.bad_sum
            self.bad_sum_known = self.bad_sum_known and part.bad_sum_known
            self._unreadable_count += part.unreadable_count
            self.zero_count += part.zero_count
            self._controls.tally.add(part.tally)
        self._stream.seek(parts[-1].end)
        return sum(part.lines for part in parts), parts[-1].end - parts[0].offset

    def rows(self, elsewhere: Sequence[Elsewhere] = ()) -> Iterator[Row | Seen]:
        """Yield a row for each well-formed data record and a finding for each thing seen; may be called once.

        ``elsewhere`` are parts that follow the header, one after the other, and were examined by others: they are counted and passed over.
        """
        if not self._is_counted:
            self._find_repeated()
        beginning = begin(self._stream, self._layout)
        for seen in beginning.seen:
            self._tell.errors += seen.severity is Severity.ERROR
            yield seen
        if beginning.offset is None:
            # Nothing more can be said of bytes that are no text in the layout's encoding, or whose columns are not those of the layout.
            self.bad_sum_known = beginning.is_empty
            return
        if beginning.row is not None:
            yield from self._header_row(beginning.row)
        self._take_order(beginning.order)
        read_on, piece_bytes = self._format.reads_on(self._stream), self._format.piece_bytes
        quick, data, order = self._controls.counting(self._data.quick), self._layout.data, self._control_records
        header = self._layout.header or data
        number, offset = beginning.number, beginning.offset
        while True:
            if elsewhere and offset == elsewhere[0].offset:
                lines, size = self._pass_over(elsewhere)
                number, offset = number + lines, offset + size
            if not (piece := read_on(piece_bytes)):
                break
            # Only a data record in its place may take the quick way; everything else is looked at carefully.
            row = quick(piece, number, offset) if order.stage is data or order.stage is header else None
            if row is not None:
                order.stage = data
                self.received_count += 1
                self.received_sum += row.amount
                offset += len(piece)
                number += 1
                yield row
                if row.amount == 0:
                    yield self._zero(row)
            else:
                line = self._format.complete(self._stream, piece, number=number, offset=offset)
                yield from self._examine(line)
                offset += line.size
                number += line.lines
        yield from self._tell.repeated()
        yield from order.conclude(self._counted)

    def _take_order(self, order: tuple[int, ...] | None) -> None:
        """Read the fields of data records in the order in which the header row names them."""
        if order is not None:
            self._format = DelimitedFormat(self._layout, order)
            self._data = DataReader(self._format, self._definition, self._keys, self._control_records.head)

    def _find_repeated(self) -> None:
        """Find out first, where keys count occurrences, which records the file repeats: only those are remembered while it is read."""
        day, sequence, index = self._business_date, self._sequence, KeyIndex()
        first = Examination(self._stream, self._definition, business_date=day, sequence=sequence, keys=self._keys)
        for row in first.rows():
            if isinstance(row, Row):
                index.add(row.key, row.line)
        self._keys = Keys(self._definition, business_date=day, sequence=sequence, repeated=index.suspects())
        self._data = DataReader(self._format, self._definition, self._keys, self._control_records.head)

    def _is_blank(self, line: Line) -> bool:
        return not self._format.narrow(line.content).strip(b" \t" if self._layout.delimiter != "\t" else b" ")

    def _header_row(self, line: Line) -> Iterator[Seen]:
        """Look at how the row ends that names the columns, as at any other line: a file cut off in it has lost its records."""
        if not is_whole(line, self._format):
            yield self._tell.seen("line.cut_off", line)
        self._look_at_ending(line)

    def _look_at_ending(self, line: Line) -> None:
        if line.ending and line.ending != self._layout.line_ending:
            found, expected = (_ENDING_NAMES[self._format.text_of(each)] for each in (line.ending, self._layout.line_ending))
            self._tell.repeat("line.ending", line, found=found, expected=expected)

    def _examine(self, line: Line) -> Iterator[Row | Seen]:
        if self._is_blank(line):
            self._tell.repeat("line.blank", line)
            return
        if line.content.endswith(self._format.end_mark) and not line.ending:
            if not self._layout.may_end_with_mark:
                yield self._tell.seen("line.end_of_file_mark", line)
            line = line._replace(content=self._format.without_end_mark(line.content))
            if not line.content:
                return
        if self._format.is_comment(line.content):
            if not is_whole(line, self._format):
                yield self._tell.seen("line.cut_off", line)
            return
        if self._control_records.is_over:
            self._tell.repeat("line.after_end", line, marker=shown_marker(self._layout.record_types[-1]))
            return
        self._look_at_ending(line)
        record_type, order = self._format.record_type(line.content), self._control_records
        if self._layout.cutting is Cutting.BAI2:
            # There each line counts as a record; in a quoted field a line ending is a part of its record.
            order.continued += line.lines - 1
        yield from order.begin(record_type)
        if record_type is self._layout.data and order.takes_data:
            order.stage = self._layout.data
            yield from self._data_record(line)
        else:
            yield from order.examine(line, record_type, self._counted)

    def _data_record(self, line: Line) -> Iterator[Row | Seen]:
        self.received_count += 1
        row: Row | None = None
        faults: list[tuple[int, Fault]] = []
        amount: int | None = None
        if is_whole(line, self._format):
            row, faults, amount = self._data.careful(line)
        else:
            # What is left of its amount would read as a smaller one.
            yield self._tell.seen("line.cut_off", line)
        self.received_sum += amount or 0
        if row is not None:
            self._controls.take(row)
            yield row
            if row.amount == 0:
                yield self._zero(row)
            return
        self.bad_count += 1
        self.bad_sum += amount or 0
        if amount is not None and faults and all(fault.rule == HEADER_UNREAD for _column, fault in faults):
            # The record itself can be read, and counts in the totals.
            self._controls.take_values(self._data.values(line), amount)
        else:
            self._controls.take_bad(amount)
        if amount is None:
            self.bad_sum_known = False
            self._unreadable_count += 1
        for column, fault in faults:
            if fault.rule == HEADER_UNREAD:
                # The header's own faults are told; its records are named once, and not one by one.
                self._tell.repeat(HEADER_UNREAD, line)
                continue
            yield self._tell.explain(line, column, fault)

    def _zero(self, row: Row) -> Seen:
        self.zero_count += 1
        name = self._definition.roles.amount
        column = self._layout.data.field_number(name)
        line = Line(row.line, row.offset, row.raw, b"", row.length, is_too_long=False)
        return self._tell.seen("record.zero_amount", line, column, name=name)
