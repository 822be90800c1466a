"""The records around the data: whether each stands in its place, what it says, and whether the data holds it."""

from collections.abc import Iterator
from datetime import date

from ingestion_app.checks.groups import Differences
from ingestion_app.checks.record import CarefulReader, holds_card
from ingestion_app.checks.rules import Seen
from ingestion_app.checks.sections import Reached, Sections
from ingestion_app.checks.telling import NOWHERE, Teller
from ingestion_app.checks.totals import Controls, Counted
from ingestion_app.formats.computing import Head
from ingestion_app.formats.definition import Definition, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import Line, LineFormat, shown_marker
from ingestion_app.formats.values import Value, shown
from ledger_app.errors.card_numbers import masked_text

_NOTHING = Counted(0, 0, 0)


class ControlRecords:
    """Looks at headers, trailers and end records in the order of a file, and at all else that stands where no data record may.

    ``stage`` is the type of the last record that stood in its place; without a header a file begins as if one had. ``head`` is what the
    header says under which data records stand. ``trailer_count`` and ``trailer_sum`` are what the trailers say of the whole file.
    """

    def __init__(
        self, definition: Definition, lines: LineFormat, tell: Teller, controls: Controls, *, business_date: date, sequence: int
    ) -> None:
        """Begin before the first record."""
        self._roles = definition.roles
        self._layout = layout = definition.layout
        self._lines, self._tell, self._controls = lines, tell, controls
        self._expected = {"business_date": business_date, "sequence": sequence}
        self._carried = {column.from_header for column in layout.data.columns if column.from_header is not None}
        self.head: dict[str, Value | None] = {}
        self.stage: RecordType | None = layout.data if layout.header is None and layout.file_header is None else None
        self.is_over = False
        self.read = 0  # how many records that are no data
        self.continued = 0  # how many lines that continue a record
        self._sections = Sections(layout, definition.roles, tell)
        self._has_end = False
        self._has_trailer = False
        self._groups = 0
        self._opened: Line = NOWHERE
        self._before = _NOTHING  # what was counted before the group
        self._records_before = 0  # all records before the group
        self._differences = Differences(self._roles)
        self._said: dict[str, int | None] = {}
        self._said_by_end: Head = {}

    @property
    def takes_data(self) -> bool:
        """Whether a data record stands in its place here."""
        layout = self._layout
        if layout.has_groups:
            return self.stage is layout.header or self.stage is layout.data
        return layout.trailer is None or self.stage is not layout.trailer

    @property
    def trailer_count(self) -> int | None:
        """How many records the trailers say there are, or else the end record; None where that cannot be read."""
        return self._of_file(self._roles.trailer_count, self._roles.of_file.count)

    @property
    def trailer_sum(self) -> int | None:
        """What the trailers say that the records add up to, or else the end record; None where that cannot be read."""
        return self._of_file(self._roles.trailer_sum, self._roles.of_file.sum)

    def _of_file(self, of_trailer: str | None, of_end: str | None) -> int | None:
        if of_trailer is not None:
            return self._said.get(of_trailer)
        said = self._said_by_end.get(of_end) if of_end is not None else None
        return said if isinstance(said, int) else None

    def _records(self, counted: Counted) -> int:
        """Return how many records of all types were read, and lines that continue them."""
        return counted.records + self.read + self.continued

    def begin(self, record_type: RecordType | None) -> Iterator[Seen]:
        """Look at the type of the first record of a file: say it where that is not the header that it should be."""
        layout = self._layout
        first = layout.file_header or layout.section_header or layout.header
        # A group that begins without its header is told as any other.
        is_group = layout.has_groups and layout.file_header is None
        if self.stage is None and first is not None and record_type is not first and not is_group:
            self.stage = first
            yield self._tell.seen("file.header_missing", NOWHERE, marker=shown_marker(first))

    def examine(self, line: Line, record_type: RecordType | None, counted: Counted) -> Iterator[Seen]:
        """Look at a record that is no data record in its place; ``counted`` are the data records before it."""
        layout = self._layout
        self.read += record_type is not None and record_type is not layout.data
        if record_type is None:
            yield from self._misplaced(line, record_type)
        elif self.stage is None and record_type is (layout.file_header or layout.header) and not self._begins_group(record_type):
            self.stage = record_type
            yield from self._header_record(line, record_type)
        elif layout.has_groups and record_type is not layout.file_header:
            yield from self._in_groups(line, record_type, counted)
        elif record_type is layout.trailer and self.takes_data:
            self.is_over = layout.end is None
            yield from self._trailer_record(line, record_type, counted)
        elif record_type is layout.end and (layout.trailer is None or not self.takes_data):
            yield from self._end_record(line, record_type, counted)
        else:
            self._has_end = self._has_end or record_type is layout.end
            yield from self._misplaced(line, record_type)

    def _begins_group(self, record_type: RecordType) -> bool:
        return self._layout.has_groups and record_type in (self._layout.section_header, self._layout.header)

    def _in_groups(self, line: Line, record_type: RecordType, counted: Counted) -> Iterator[Seen]:
        layout, is_open = self._layout, self.takes_data
        if record_type is layout.data:
            self._tell.repeat("line.outside_group", line, behind=self._groups)
        elif record_type is layout.trailer:
            if is_open:
                yield from self._trailer_record(line, record_type, counted)
            else:
                self._groups += 1
                yield self._tell.seen("line.group_header_missing", line, group=self._groups, marker=self._marker("header"))
            self._close()
        else:
            if is_open:
                yield from self._trailer_missing()
            if record_type is layout.section_header:
                yield from self._section(line, record_type, counted)
            elif record_type is layout.section_trailer:
                yield from self._section_end(line, record_type, counted)
            elif record_type is layout.end:
                yield from self._sections.close()
                yield from self._end_record(line, record_type, counted)
            else:
                yield from self._sections.group(line)
                yield from self._open(line, record_type, counted)

    def _section(self, line: Line, header: RecordType, counted: Counted) -> Iterator[Seen]:
        yield from self._sections.close()
        said, seen = self._say(line, header)
        yield from seen
        reached = Reached(self._groups, self._records(counted) - line.lines, self._controls.summed)
        self._sections.begin(line, {} if seen else said, reached)
        if self.stage is None:
            self.stage = self._layout.file_header or self._layout.trailer

    def _section_end(self, line: Line, trailer: RecordType, counted: Counted) -> Iterator[Seen]:
        said, seen = self._say(line, trailer)
        yield from seen
        yield from self._sections.compare(line, said, Reached(self._groups, self._records(counted), self._controls.summed))

    def _open(self, line: Line, header: RecordType, counted: Counted) -> Iterator[Seen]:
        self._groups += 1
        self._tell.group = self._groups
        self._opened, self._before = line, counted
        self._records_before = self._records(counted) - line.lines
        self.stage = header
        self._controls.begin_group()
        yield from self._header_record(line, header)

    def _close(self) -> None:
        self.stage = self._layout.trailer
        self._tell.group = 0
        self.head.clear()

    def _trailer_missing(self) -> Iterator[Seen]:
        for name in (self._roles.trailer_count, self._roles.trailer_sum):
            self._add(name, None)
        yield self._tell.seen("line.group_trailer_missing", self._opened, group=self._groups, marker=self._marker("trailer"))
        self._close()

    def _marker(self, name: str) -> str:
        record_type = getattr(self._layout, name)
        return shown_marker(record_type)

    def _misplaced(self, line: Line, record_type: RecordType | None) -> Iterator[Seen]:
        layout, types = self._layout, self._layout.record_types
        if not is_whole(line, self._lines):
            yield self._tell.seen("line.cut_off", line)
        if record_type is None:
            self._tell.errors += 1
            yield self._tell.explain(line, 0, self._lines.unknown(line))
            return
        if layout.has_groups:
            next_types = (layout.data, layout.trailer) if self.takes_data else (layout.header, layout.end)
        elif self.takes_data:
            next_types = (layout.data, layout.trailer or layout.end)
        else:
            next_types = (layout.end, None)
        expected = [each for each in next_types if each is not None]
        facts = {name: ", ".join(map(shown_marker, given)) for name, given in (("expected", expected), ("order", types))}
        yield self._tell.seen("line.out_of_order", line, found=shown_marker(record_type), **facts)

    def _say(self, line: Line, record_type: RecordType) -> tuple[dict[str, Value | None], list[Seen]]:
        """Return what a header, trailer or end record says by column name (None or absent: unreadable), and what is wrong with it."""
        if not is_whole(line, self._lines):
            return {}, [self._tell.seen("line.cut_off", line)]
        fields = CarefulReader(self._lines, record_type).read(line)
        said = {column.name: value for column, value in zip(record_type.columns, fields.values, strict=False)}
        faults = [*fields.faults, *(self._cards(record_type, said) if record_type is self._layout.header else [])]
        self._tell.errors += len(faults)
        return said, [self._tell.explain(line, column, fault) for column, fault in faults]

    def _cards(self, header: RecordType, said: Head) -> list[tuple[int, Fault]]:
        """Name the columns of a header that go with each record, and hold a card number."""
        found = []
        for column in header.columns:
            is_open = column.name in self._carried and column.kind.is_text
            value = said.get(column.name)
            if is_open and not column.may_look_like_card and isinstance(value, str) and holds_card(value):
                facts = {"name": column.name, "found": shown(masked_text(value))}
                found.append((header.field_number(column.name), Fault("record.card_number", facts)))
        return found

    def _header_record(self, line: Line, header: RecordType) -> Iterator[Seen]:
        said, seen = self._say(line, header)
        yield from seen
        if header is not self._layout.header:
            return
        self.head.clear()
        if not seen:
            outer = self._sections.head
            self.head.update({**outer, **{name: value for name, value in said.items() if value is not None or name not in outer}})
        self._controls.hear_header(said)
        for rule, name, expected in (
            ("control.header_business_date_differs", self._roles.header_business_date, self._expected["business_date"]),
            ("control.header_sequence_differs", self._roles.header_sequence, self._expected["sequence"]),
        ):
            found = said.get(name) if name is not None else None
            if name is not None and found is not None and found != expected:
                yield self._tell.seen(rule, line, header.field_number(name), found=str(found), expected=str(expected))

    def _trailer_record(self, line: Line, trailer: RecordType, counted: Counted) -> Iterator[Seen]:
        self.stage = trailer
        self._has_trailer = True
        said, seen = self._say(line, trailer)
        yield from seen
        controls = self._controls
        controls.hear_trailer(said)
        for name in (self._roles.trailer_count, self._roles.trailer_sum):
            self._add(name, controls.stated(name))
        own = counted.less(self._before)
        for rule, column, facts in controls.compare(own):
            yield self._tell.seen(rule, line, trailer.field_number(column), **facts)
        if not self._layout.has_groups:
            return
        lines, name = self._records(counted) - self._records_before, self._roles.trailer_lines
        expected = said.get(name) if name is not None else None
        if name is not None and isinstance(expected, int) and expected != lines:
            place = trailer.field_number(name)
            yield self._tell.seen("control.lines_differs", line, place, name=name, expected=expected, found=lines)
        self._differences.add(self._groups, line, said, own)
        for name in self._roles.same:
            if said.get(name) is not None and name in self.head and said[name] != self.head[name]:
                says, wanted = shown(str(said[name])), shown(str(self.head[name]))
                place = trailer.field_number(name)
                yield self._tell.seen("control.trailer_of_another", line, place, name=name, found=says, expected=wanted)
        if own.records == 0:
            yield self._tell.seen("line.group_empty", line, group=self._groups)

    def _add(self, name: str | None, said: int | None) -> None:
        """Add up what trailers say; what one does not say is not said of the file."""
        if name is not None:
            before = self._said.get(name, 0)
            self._said[name] = None if before is None or said is None else before + said

    def _end_record(self, line: Line, end: RecordType, counted: Counted) -> Iterator[Seen]:
        # Without a trailer too, a record behind it is in no place: nobody counted it.
        self.stage = end
        self.is_over = self._has_end = True
        self._said_by_end, seen = self._say(line, end)
        yield from seen
        of_file = self._roles.of_file
        for rule, name, found in (
            ("control.end_groups_differs", of_file.groups, self._groups),
            ("control.end_count_differs", of_file.count, counted.records),
            ("control.end_sum_differs", of_file.sum, counted.total),
            ("control.end_lines_differs", of_file.lines, self._records(counted)),
            ("control.end_sections_differs", of_file.sections, self._sections.number),
        ):
            expected = self._said_by_end.get(name) if name is not None else None
            if name is None or not isinstance(expected, int):
                continue
            if name == of_file.sum and counted.unreadable:
                column, bad = end.field_number(name), counted.unreadable
                yield self._tell.seen("control.end_unverifiable", line, column, name=name, expected=expected, records=bad)
            elif found != expected:
                yield self._tell.seen(rule, line, end.field_number(name), name=name, expected=expected, found=found)
        total = self._roles.nested_sum
        name = total.end if total is not None else None
        if name is not None:
            for rule, facts in self._controls.summed.differing("control.end_", name, self._said_by_end.get(name)):
                yield self._tell.seen(rule, line, end.field_number(name), **facts)

    def conclude(self, counted: Counted) -> Iterator[Seen]:
        """Say what a file lacks that has ended."""
        layout, tell = self._layout, self._tell
        if layout.has_groups and self.takes_data:
            yield from self._trailer_missing()
        yield from self._sections.close()
        yield from self._differences.told(tell)
        first = layout.file_header or layout.section_header or layout.header
        has_no_beginning = self.stage is None or (layout.has_groups and not self._groups and layout.file_header is None)
        if first is not None and has_no_beginning:
            yield tell.seen("file.header_missing", NOWHERE, marker=shown_marker(first))
        if layout.trailer is not None and not layout.has_groups and not self._has_trailer:
            yield tell.seen("file.trailer_missing", NOWHERE, marker=shown_marker(layout.trailer))
        if layout.end is not None and not self._has_end:
            yield tell.seen("file.end_missing", NOWHERE, marker=shown_marker(layout.end))
        if not self._roles.controls:
            yield tell.seen("control.none", NOWHERE)
        if counted.records == 0:
            # Without a record of any other type, or a row of headings, an empty day cannot be told from a file that was lost.
            says_so = layout.header_row is not None or len(layout.record_types) > 1
            yield tell.seen("file.no_records" if says_so else "file.nothing_said", NOWHERE)


def is_whole(line: Line, lines: LineFormat) -> bool:
    """Whether a line ends as it has to: what is left of a number that was cut off would read as a smaller one."""
    layout = lines.layout
    return bool(line.ending) or layout.may_end_without_ending or not layout.line_ending
