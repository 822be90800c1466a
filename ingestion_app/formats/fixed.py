"""Reads lines of fixed width strictly: a column is so many bytes, and a character never stands in two."""

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, BinaryIO

from ingestion_app.formats.definition import Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import CR, STRAY_IN_CP932, Line, LineFormat, QuickReader, ReadsOn
from ingestion_app.formats.values import Value, field_reader

_RETURN = re.compile(b"\r\n?|\n")


class FixedFormat(LineFormat):
    """How lines are cut into columns by numbers of bytes; with line endings, or each right behind the one before."""

    def __init__(self, layout: Layout) -> None:
        """Find out where each column begins and ends."""
        super().__init__(layout)
        self._spans = {id(each): _spans(each) for each in layout.record_types}
        self._markers = sorted(self._by_marker, key=len, reverse=True)
        if not layout.line_ending:
            self.piece_bytes = layout.data.bytes

    def complete(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the line that begins with ``piece``; without line endings it is the piece."""
        if self.layout.line_ending:
            return super().complete(stream, piece, number=number, offset=offset)
        return Line(number, offset, piece, b"", len(piece), is_too_long=False)

    def reads_on(self, stream: BinaryIO) -> ReadsOn:
        """Return what reads the rest of a line, or as many bytes as every record has."""
        if self.layout.line_ending == CR:
            return _reads_to_return(stream)
        return stream.readline if self.layout.line_ending else stream.read

    def marker(self, content: bytes) -> bytes:
        """Return the marker that stands at its place, the longest of those that do; else as many bytes as the longest has."""
        place = self.layout.marker_place
        found = next((marker for marker in self._markers if content.startswith(marker, place)), None)
        most = max(map(len, self._markers), default=0)
        return content[place : place + most] if found is None else found

    def cut(self, line: Line, record_type: RecordType) -> Sequence[str] | Fault:
        """Return the text of each column."""
        if (fault := self.unreadable(line)) is not None:
            return fault
        expected = record_type.bytes
        if len(line.content) != expected:
            return Fault("line.width", {"found": len(line.content), "expected": expected})
        texts: list[str] = []
        for place, (start, end) in enumerate(self._spans[id(record_type)]):
            text = self.decode(line.content[start:end], line.offset + start)
            if isinstance(text, Fault):
                whole = self.decode(line.content, line.offset)
                if isinstance(whole, Fault):
                    return whole
                return Fault("line.character_cut", {"name": record_type.written[place].name, "position": line.offset + end}, end)
            texts.append(text)
        return texts

    def quick_reader(self, record_type: RecordType) -> QuickReader:
        """Return a function from a whole line to its values: columns are cut from its text where each character is one byte."""
        layout = self.layout
        size, spans = record_type.bytes, self._spans[id(record_type)]
        readers = [field_reader(column) for column in record_type.written]
        fields = list(
            zip(spans, [re.compile(each.pattern).fullmatch for each in readers], [each.convert for each in readers], strict=True)
        )
        has_stray = re.compile(f"[{STRAY_IN_CP932}]").search if layout.encoding == "cp932" else None
        encoding, ending, length = layout.encoding, layout.line_ending, size + len(layout.line_ending)
        names_it = self._naming(record_type)

        def read(whole: bytes) -> list[Value | None] | None:
            if len(whole) != length or not whole.endswith(ending) or not names_it(whole):
                return None
            try:
                # Each slice is decoded by itself unless a character is a byte: half of one must not pass for another.
                text: Any = whole.decode("ascii") if whole.isascii() else None
                values: list[Value | None] = []
                for (start, end), match, convert in fields:
                    piece = text[start:end] if text is not None else whole[start:end].decode(encoding)
                    if match(piece) is None or (has_stray is not None and text is None and has_stray(piece)):
                        return None
                    values.append(piece if convert is None else convert(piece))
            except ValueError:
                return None
            return values

        return read

    def _naming(self, record_type: RecordType) -> Callable[[bytes], bool]:
        """Return what tells whether a line is one of this type."""
        wanted = record_type.marker.encode("ascii") if record_type.marker is not None else None
        if wanted is not None and len(self._by_marker) == 1:
            place = self.layout.marker_place
            return lambda whole: whole.startswith(wanted, place)
        return lambda whole: self.record_type(whole) is record_type


def _reads_to_return(stream: BinaryIO) -> ReadsOn:
    """Return what reads on to a carriage return or a line feed, or to both."""

    def read_on(size: int) -> bytes:
        behind = stream.tell()
        piece = stream.read(size)
        ending = _RETURN.search(piece)
        if ending is None:
            return piece
        end = ending.end()
        stream.seek(behind + end)
        # Where it is the last byte that was read, a line feed may be the next.
        if piece[:end].endswith(CR) and end == len(piece):
            end += stream.read(1) == b"\n"
            stream.seek(behind + end)
            piece += b"\n"
        return piece[:end]

    return read_on


def _spans(record_type: RecordType) -> list[tuple[int, int]]:
    return list(pairwise(accumulate((column.bytes for column in record_type.written), initial=0)))
