"""How a file begins: its mark, its encoding, the lines that are not read, and the row that names its columns."""

import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from ingestion_app.checks import foreign
from ingestion_app.checks.rules import RAW_BYTES, RULES, Seen, Severity
from ingestion_app.formats.definition import HeaderRow, Layout, Mark
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import BYTE_ORDER_MARK, CR, FOREIGN_BYTE_ORDER_MARKS, WIDE_BYTES, WIDE_MARKS, Line, LineFormat
from ingestion_app.formats.reading import format_of
from ingestion_app.formats.values import shown

_ENDINGS = re.compile(rb"\r\n?|\n")
_NO_LINE = Line(0, 0, b"", b"", 0, is_too_long=False)


class Beginning(NamedTuple):
    """What the first bytes of a file show. ``offset`` and ``number`` are those of the line at which records begin.

    ``offset`` is None where nothing more can be read. ``order`` says, for each field of a data record, which column it is, where the header
    row named them in another order than the layout; ``row`` is the line of that row.
    """

    seen: tuple[Seen, ...]
    number: int = 1
    offset: int | None = None
    order: tuple[int, ...] | None = None
    is_empty: bool = False
    row: Line | None = None


def begin(stream: BinaryIO, layout: Layout) -> Beginning:
    """Read the beginning of a file, and leave ``stream`` where its records begin."""
    stream.seek(0)
    head = stream.read(foreign.HEAD_BYTES)
    if not head:
        return Beginning((_at("file.empty", _NO_LINE),), is_empty=True)
    if layout.encoding in WIDE_MARKS:
        seen, offset = _marked_wide(head, layout, stream.seek(0, io.SEEK_END))
    else:
        seen, offset = _marked(head, layout)
    if offset is None:
        return Beginning(tuple(seen))
    stream.seek(offset)
    lines = format_of(layout)
    number = 1
    for _ in range(layout.preamble_lines):
        # A quote in a line that is not read means nothing: it never takes in the lines behind it.
        passed = _next(stream, lines, lines.to_ending, number, offset)
        if passed is None:
            return Beginning((*seen, _at("file.preamble_short", _NO_LINE, lines=number - 1, expected=layout.preamble_lines)))
        number, offset = number + 1, offset + passed.size
    if layout.header_row is None:
        return Beginning(tuple(seen), number, offset)
    line = _next(stream, lines, lines.complete, number, offset)
    while line is not None and lines.is_comment(line.content):
        number, offset = number + line.lines, offset + line.size
        line = _next(stream, lines, lines.complete, number, offset)
    if line is None:
        return Beginning((*seen, _at("file.header_row_missing", _NO_LINE, first=_headings(layout)[0])))
    faults, order = _header_row(line, layout, DelimitedFormat(layout))
    if faults:
        return Beginning((*seen, *faults))
    return Beginning(tuple(seen), number + line.lines, offset + line.size, order, row=line)


def _at(rule: str, line: Line, column: int = 0, /, **facts: str | int) -> Seen:
    return Seen(rule, line.number, column, line.offset, line.content[:RAW_BYTES], facts)


def _next(stream: BinaryIO, lines: LineFormat, complete: Callable[..., Line], number: int, offset: int) -> Line | None:
    piece = lines.reads_on(stream)(lines.piece_bytes)
    return complete(stream, piece, number=number, offset=offset) if piece else None


def _marked(head: bytes, layout: Layout) -> tuple[list[Seen], int | None]:
    """Return what mark and encoding show, and how many bytes the mark has; None where the rest cannot be read."""
    first = Line(1, 0, head[: head.find(b"\n") + 1 or RAW_BYTES], b"", 0, is_too_long=False)
    mark, size = _mark_of(head), 0
    if mark is not None and mark != "UTF-8":
        return [_at("file.byte_order_mark", first, mark=mark, encoding=layout.encoding)], None
    seen: list[Seen] = []
    if mark is not None:
        size = len(BYTE_ORDER_MARK)
        if layout.byte_order_mark is None:
            seen.append(_at("file.byte_order_mark", first, mark=mark, encoding=layout.encoding))
    elif layout.byte_order_mark is Mark.REQUIRED:
        seen.append(_at("file.byte_order_mark_missing", first, encoding=layout.encoding))
    fault = foreign.recognise(head, layout.encoding)
    if fault is not None and not (fault.rule == "file.cr_endings" and layout.line_ending == CR):
        told = _at(fault.rule, first, **fault.facts)
        if RULES[fault.rule].severity is Severity.ERROR:
            # What the bytes are is the cause, and a mark of theirs goes with it.
            return [told], None
        seen.append(told)
    if not layout.line_ending and (between := _ENDINGS.match(head, layout.data.bytes)):
        # Every record behind the first would be read from a wrong byte on.
        seen.append(_at("file.records_ended", first, found=between[0].decode().replace("\r", "CR").replace("\n", "LF")))
        return seen, None
    return seen, size


def _marked_wide(head: bytes, layout: Layout, size: int) -> tuple[list[Seen], int | None]:
    """Return the same of an encoding of two bytes a character, whose mark says which of the two comes first."""
    first = Line(1, 0, head[:RAW_BYTES], b"", 0, is_too_long=False)
    own, found = WIDE_MARKS[layout.encoding], _mark_of(head)
    is_own = head.startswith(own) and found != "UTF-32"
    if found is not None and not is_own:
        return [_at("file.byte_order_mark_differs", first, found=found, encoding=layout.encoding)], None
    if (fault := foreign.recognise_wide(head[len(own) if is_own else 0 :], layout.encoding)) is not None:
        return [_at(fault.rule, first, **fault.facts)], None
    if size % WIDE_BYTES:
        # Where the byte was lost nobody knows, and behind it every character is another.
        return [_at("file.odd_length", first, size=size, encoding=layout.encoding)], None
    if not is_own:
        return [_at("file.byte_order_mark_missing", first, encoding=layout.encoding)], None
    return [], len(own)


def _mark_of(head: bytes) -> str | None:
    if head.startswith(BYTE_ORDER_MARK):
        return "UTF-8"
    return next((name for mark, name in FOREIGN_BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)


def _headings(layout: Layout) -> list[str]:
    return [column.heading or column.name for column in layout.data.written]


def _header_row(line: Line, layout: Layout, lines: DelimitedFormat) -> tuple[list[Seen], tuple[int, ...] | None]:
    """Return what is wrong with the row, and the place of the column that each of its fields names, where they are in another order."""
    found = lines.fields(line)
    if isinstance(found, Fault):
        return [Seen(found.rule, line.number, 0, line.offset + found.place, line.content[:RAW_BYTES], found.facts)], None
    if layout.has_trailing_delimiter and not found[-1]:
        found = found[:-1]
    wanted = _headings(layout)
    if found == wanted:
        return [], None
    if not set(found) & set(wanted):
        return [_at("file.header_row_missing", line, first=wanted[0])], None
    seen = list(_differing(line, found, wanted))
    if layout.header_row is HeaderRow.IN_ORDER and not seen:
        field = next(number for number, pair in enumerate(zip(found, wanted, strict=True)) if pair[0] != pair[1])
        seen.append(_at("line.heading_moved", line, field + 1, found=shown(found[field]), expected=wanted[field]))
    return seen, None if seen else tuple(wanted.index(name) for name in found)


def _differing(line: Line, found: list[str], wanted: list[str]) -> Iterator[Seen]:
    for number, name in enumerate(found, start=1):
        if name not in wanted:
            yield _at("line.heading_unknown", line, number, found=shown(name), known=", ".join(wanted))
        elif name in found[: number - 1]:
            yield _at("line.heading_twice", line, number, found=shown(name))
    for name in wanted:
        if name not in found:
            yield _at("line.heading_missing", line, name=name)
