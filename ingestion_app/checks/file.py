"""One pass over the bytes of a file: every record read, every line checked against the layout, the controls compared at the end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import BinaryIO, NamedTuple

from ingestion_app.checks.beginning import begin
from ingestion_app.checks.duplicates import KeyIndex
from ingestion_app.checks.keys import Keys
from ingestion_app.checks.record import CarefulReader, DataReader, Row
from ingestion_app.checks.rules import RAW_BYTES, RULES, Seen, Severity
from ingestion_app.checks.totals import Controls, Counted, Tally
from ingestion_app.formats.definition import OCCURRENCE, Definition, RecordType
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import Line, LineFormat, shown_marker
from ingestion_app.formats.reading import format_of
from ingestion_app.formats.values import Value

_NOWHERE = Line(0, 0, b"", b"", 0, is_too_long=False)
_ENDING_NAMES = {"\n": "LF", "\r\n": "CRLF"}


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
        self._definition = definition
        self._business_date = business_date
        self._sequence = sequence
        self._layout = definition.layout
        self._format: LineFormat = format_of(definition.layout)
        self._keys = keys or Keys(definition, business_date=business_date, sequence=sequence)
        self._is_counted = keys is not None or OCCURRENCE not in definition.roles.key
        self._data = DataReader(self._format, definition, self._keys)
        self._controls = Controls(definition)
        # The type of the last record that stood in its place; without a header a file begins as if one had.
        self._stage: RecordType | None = definition.layout.data if definition.layout.header is None else None
        self._is_over = False
        self._has_end = False
        self._trailer: Line | None = None
        self._unreadable_count = 0
        self._repeated: dict[str, tuple[Seen, int]] = {}
        self.received_count = self.received_sum = 0
        self.bad_count = self.bad_sum = 0
        self.bad_sum_known = True
        self.trailer_count: int | None = None
        self.trailer_sum: int | None = None
        self.zero_count = 0
        self.file_errors = 0

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
        self._stage = self._layout.data
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
            self.file_errors += seen.severity is Severity.ERROR
            yield seen
        if beginning.offset is None:
            # Nothing more can be said of bytes that are no text in the layout's encoding, or whose columns are not those of the layout.
            self.bad_sum_known = beginning.is_empty
            return
        if beginning.row is not None:
            yield from self._header_row(beginning.row)
        self._take_order(beginning.order)
        read_on, piece_bytes = self._format.reads_on(self._stream), self._format.piece_bytes
        quick, data = self._controls.counting(self._data.quick), self._layout.data
        number, offset = beginning.number, beginning.offset
        while True:
            if elsewhere and offset == elsewhere[0].offset:
                lines, size = self._pass_over(elsewhere)
                number, offset = number + lines, offset + size
            if not (piece := read_on(piece_bytes)):
                break
            # Only a data record in its place may take the quick way; everything else is looked at carefully.
            row = quick(piece, number, offset) if self._stage is data or self._stage is self._layout.header else None
            if row is not None:
                self._stage = data
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
        yield from self._conclude()

    def _take_order(self, order: tuple[int, ...] | None) -> None:
        """Read the fields of data records in the order in which the header row names them."""
        if order is not None:
            self._format = DelimitedFormat(self._layout, order)
            self._data = DataReader(self._format, self._definition, self._keys)

    def _find_repeated(self) -> None:
        """Find out first, where keys count occurrences, which records the file repeats: only those are remembered while it is read."""
        day, sequence, index = self._business_date, self._sequence, KeyIndex()
        first = Examination(self._stream, self._definition, business_date=day, sequence=sequence, keys=self._keys)
        for row in first.rows():
            if isinstance(row, Row):
                index.add(row.key, row.line)
        self._keys = Keys(self._definition, business_date=day, sequence=sequence, repeated=index.suspects())
        self._data = DataReader(self._format, self._definition, self._keys)

    def _seen(self, rule: str, line: Line, column: int = 0, /, **facts: str | int) -> Seen:
        """Return what was seen, counted where it is an error; not for what is wrong with a data record."""
        if RULES[rule].severity is Severity.ERROR:
            self.file_errors += 1
        return Seen(rule, line.number, column, line.offset, line.content[:RAW_BYTES], facts)

    def _repeat(self, rule: str, line: Line, **facts: str | int) -> None:
        """Remember a fault of many lines, which is told once, at the end, with its first line and the number of lines."""
        if rule in self._repeated:
            first, lines = self._repeated[rule]
            self._repeated[rule] = first, lines + 1
        else:
            self._repeated[rule] = self._seen(rule, line, **facts), 1

    def _is_blank(self, line: Line) -> bool:
        return not self._format.narrow(line.content).strip(b" \t" if self._layout.delimiter != "\t" else b" ")

    def _header_row(self, line: Line) -> Iterator[Seen]:
        """Look at how the row ends that names the columns, as at any other line: a file cut off in it has lost its records."""
        if not self._is_whole(line):
            yield self._seen("line.cut_off", line)
        self._look_at_ending(line)

    def _look_at_ending(self, line: Line) -> None:
        if line.ending and line.ending != self._layout.line_ending:
            found, expected = (_ENDING_NAMES[self._format.text_of(each)] for each in (line.ending, self._layout.line_ending))
            self._repeat("line.ending", line, found=found, expected=expected)

    def _examine(self, line: Line) -> Iterator[Row | Seen]:
        if self._is_blank(line):
            self._repeat("line.blank", line)
            return
        if line.content.endswith(self._format.end_mark) and not line.ending:
            if not self._layout.may_end_with_mark:
                yield self._seen("line.end_of_file_mark", line)
            line = line._replace(content=self._format.without_end_mark(line.content))
            if not line.content:
                return
        if self._format.is_comment(line.content):
            if not self._is_whole(line):
                yield self._seen("line.cut_off", line)
            return
        if self._is_over:
            self._repeat("line.after_end", line, marker=shown_marker(self._layout.record_types[-1]))
            return
        self._look_at_ending(line)
        record_type = self._format.record_type(line.content)
        header = self._layout.header
        if header is not None and self._stage is None:
            self._stage = header
            if record_type is header:
                yield from self._header_record(line, header)
                return
            yield self._seen("file.header_missing", _NOWHERE, marker=shown_marker(header))
        yield from self._in_order(line, record_type)

    def _in_order(self, line: Line, record_type: RecordType | None) -> Iterator[Row | Seen]:
        """Examine a line after the place of the header."""
        layout = self._layout
        is_in_body = layout.trailer is None or self._stage is not layout.trailer
        if record_type is not None and record_type is layout.data and is_in_body:
            self._stage = layout.data
            yield from self._data_record(line)
        elif record_type is not None and record_type is layout.trailer and is_in_body:
            self._stage = layout.trailer
            self._trailer = line
            self._is_over = layout.end is None
            yield from self._trailer_record(line, record_type)
        elif record_type is not None and record_type is layout.end and (layout.trailer is None or not is_in_body):
            self._is_over = self._has_end = True
            yield from self._control_record(line, record_type)[1]
        else:
            self._has_end = self._has_end or (record_type is not None and record_type is layout.end)
            yield from self._misplaced(line, record_type)

    def _misplaced(self, line: Line, record_type: RecordType | None) -> Iterator[Seen]:
        types = self._layout.record_types
        if not self._is_whole(line):
            yield self._seen("line.cut_off", line)
        if record_type is None:
            self.file_errors += 1
            yield _explain(line, 0, self._format.unknown(line))
            return
        is_past_trailer = self._layout.trailer is not None and self._stage is self._layout.trailer
        next_types = (self._layout.end,) if is_past_trailer else (self._layout.data, self._layout.trailer or self._layout.end)
        expected = [each for each in next_types if each is not None]
        facts = {name: ", ".join(map(shown_marker, given)) for name, given in (("expected", expected), ("order", types))}
        yield self._seen("line.out_of_order", line, found=shown_marker(record_type), **facts)

    def _data_record(self, line: Line) -> Iterator[Row | Seen]:
        self.received_count += 1
        row: Row | None = None
        faults: list[tuple[int, Fault]] = []
        amount: int | None = None
        if self._is_whole(line):
            row, faults, amount = self._data.careful(line)
        else:
            # What is left of its amount would read as a smaller one.
            yield self._seen("line.cut_off", line)
        self.received_sum += amount or 0
        if row is not None:
            self._controls.take(row)
            yield row
            if row.amount == 0:
                yield self._zero(row)
            return
        self.bad_count += 1
        self.bad_sum += amount or 0
        self._controls.take_bad(amount)
        if amount is None:
            self.bad_sum_known = False
            self._unreadable_count += 1
        for column, fault in faults:
            yield _explain(line, column, fault)

    def _is_whole(self, line: Line) -> bool:
        return bool(line.ending) or self._layout.may_end_without_ending or not self._layout.line_ending

    def _zero(self, row: Row) -> Seen:
        self.zero_count += 1
        name = self._definition.roles.amount
        column = self._layout.data.field_number(name)
        return Seen("record.zero_amount", row.line, column, row.offset, row.raw[:RAW_BYTES], {"name": name})

    def _control_record(self, line: Line, record_type: RecordType) -> tuple[dict[str, Value | None], list[Seen]]:
        """Return what a header, trailer or end record says by column name (None or absent: unreadable), and what is wrong with it."""
        if not self._is_whole(line):
            return {}, [self._seen("line.cut_off", line)]
        fields = CarefulReader(self._format, record_type).read(line)
        self.file_errors += len(fields.faults)
        seen = [_explain(line, column, fault) for column, fault in fields.faults]
        return {column.name: value for column, value in zip(record_type.columns, fields.values, strict=False)}, seen

    def _header_record(self, line: Line, header: RecordType) -> Iterator[Seen]:
        said, seen = self._control_record(line, header)
        yield from seen
        self._controls.hear_header(said)
        roles = self._definition.roles
        for rule, name, expected in (
            ("control.header_business_date_differs", roles.header_business_date, self._business_date),
            ("control.header_sequence_differs", roles.header_sequence, self._sequence),
        ):
            found = said.get(name) if name is not None else None
            if name is not None and found is not None and found != expected:
                yield self._seen(rule, line, header.field_number(name), found=str(found), expected=str(expected))

    def _trailer_record(self, line: Line, trailer: RecordType) -> Iterator[Seen]:
        said, seen = self._control_record(line, trailer)
        yield from seen
        roles, controls = self._definition.roles, self._controls
        controls.hear_trailer(said)
        self.trailer_count, self.trailer_sum = controls.stated(roles.trailer_count), controls.stated(roles.trailer_sum)

    def _conclude(self) -> Iterator[Seen]:
        layout = self._layout
        for first, lines in self._repeated.values():
            yield replace(first, facts={**first.facts, "lines": lines})
        if layout.header is not None and self._stage is None:
            yield self._seen("file.header_missing", _NOWHERE, marker=shown_marker(layout.header))
        if layout.trailer is not None:
            if self._trailer is None:
                yield self._seen("file.trailer_missing", _NOWHERE, marker=shown_marker(layout.trailer))
            else:
                yield from self._compare_controls(self._trailer, layout.trailer)
        if layout.end is not None and not self._has_end:
            yield self._seen("file.end_missing", _NOWHERE, marker=shown_marker(layout.end))
        if not self._definition.roles.controls:
            yield self._seen("control.none", _NOWHERE)
        if self.received_count == 0:
            # Without a record of any other type, or a row of headings, an empty day cannot be told from a file that was lost.
            says_so = layout.header_row is not None or len(layout.record_types) > 1
            yield self._seen("file.no_records" if says_so else "file.nothing_said", _NOWHERE)

    def _compare_controls(self, line: Line, trailer: RecordType) -> Iterator[Seen]:
        counted = Counted(self.received_count, self.received_sum, self._unreadable_count)
        for rule, column, facts in self._controls.compare(counted):
            yield self._seen(rule, line, trailer.field_number(column), **facts)


def _explain(line: Line, column: int, fault: Fault) -> Seen:
    return Seen(fault.rule, line.number, column, line.offset + fault.place, line.content[:RAW_BYTES], fault.facts)
