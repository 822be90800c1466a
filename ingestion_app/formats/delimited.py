"""Reads delimited files strictly: bytes to lines, a line to fields. Nothing is guessed, repaired or skipped.

A field is either plain, and then holds no quote, or quoted from its first to its last character, with a quote inside doubled. A line
ending always ends the record: a quoted field cannot hold one.
"""

import re
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from ingestion_app.formats.definition import Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import FieldReader, Value, field_reader

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The longer ones come first, since UTF-32's begins with UTF-16's.
FOREIGN_BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

_PIECE_BYTES = 65_536
# Single bytes that cp932 leaves undefined, which Python nevertheless turns into these characters.
_STRAY_IN_CP932 = "\\x80\\xa0\\uf8f0-\\uf8f3"
_STRAY = re.compile(f"[{_STRAY_IN_CP932}]")


class Line(NamedTuple):
    """One line: ``content`` without its ending, cut where it is too long; ``size`` all its bytes in the file with the ending."""

    number: int
    offset: int
    content: bytes
    ending: bytes  # b"\n", b"\r\n", or nothing at the end of a file that was cut off
    size: int
    is_too_long: bool


class DelimitedFormat:
    """How one layout's lines are told apart and cut into fields. Holds no state between lines."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.piece_bytes = layout.line_bytes + len(layout.line_ending)
        self._delimiter = layout.delimiter.encode("ascii")
        self._quote = layout.quote.encode("ascii") if layout.quote else None
        types = [layout.header, layout.data, layout.trailer] + ([layout.end] if layout.end else [])
        self._by_marker = {record_type.marker.encode("ascii"): record_type for record_type in types}

    def complete(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the line that begins with ``piece`` (at most ``piece_bytes``), reading on to its end without keeping what is too long."""
        size, tail = len(piece), piece[-2:]
        while not tail.endswith(b"\n"):
            more = stream.readline(_PIECE_BYTES)
            if not more:
                break
            size += len(more)
            tail = (tail + more)[-2:]
        ending = b"\r\n" if tail == b"\r\n" else b"\n" if tail.endswith(b"\n") else b""
        length = size - len(ending)
        return Line(number, offset, piece[:length], ending, size, length > self.layout.line_bytes)

    def marker(self, content: bytes) -> bytes:
        """Return the first field as bytes, without quotes around it."""
        first = content.partition(self._delimiter)[0]
        if self._quote and len(first) > 1 and first.startswith(self._quote) and first.endswith(self._quote):
            return first[1:-1]
        return first

    def record_type(self, content: bytes) -> RecordType | None:
        """Return the record type that the line's first field names, even where the rest cannot be decoded."""
        return self._by_marker.get(self.marker(content))

    def fields(self, line: Line) -> list[str] | Fault:
        """Return the line's fields, the marker first, or what keeps it from being cut into fields."""
        if line.is_too_long:
            return Fault("line.too_long", {"length": line.size - len(line.ending), "limit": self.layout.line_bytes})
        nul = line.content.find(b"\0")
        if nul >= 0:
            return Fault("line.nul_byte", {"position": line.offset + nul}, nul)
        text = self._decode(line.content, line.offset)
        if isinstance(text, Fault):
            return text
        if self.layout.quote is None or self.layout.quote not in text:
            return text.split(self.layout.delimiter)
        return _split_quoted(text, self.layout.delimiter, self.layout.quote)

    def _decode(self, content: bytes, offset: int) -> str | Fault:
        try:
            text = content.decode(self.layout.encoding)
        except UnicodeDecodeError as error:
            return self._undecodable(content, error.start, offset)
        stray = _STRAY.search(text) if self.layout.encoding == "cp932" else None
        if stray is not None:
            return self._undecodable(content, len(text[: stray.start()].encode("cp932")), offset)
        return text

    def _undecodable(self, content: bytes, place: int, offset: int) -> Fault:
        facts: dict[str, str | int] = {
            "byte": f"0x{content[place]:02X}",
            "position": offset + place,
            "encoding": self.layout.encoding,
        }
        return Fault("line.undecodable", facts, place)

    def quick_reader(self, record_type: RecordType) -> Callable[[bytes], list[Value] | None]:
        """Return a function from a whole line, ending included, to its typed values; None where the careful way must decide.

        Whatever it takes, ``fields`` and the careful readers take too, with the same values.
        """
        layout = self.layout
        never = re.escape(layout.delimiter + (layout.quote or "")) + (_STRAY_IN_CP932 if layout.encoding == "cp932" else "")
        readers = [field_reader(column, never=never) for column in record_type.columns]
        conversions = [(place, reader.convert) for place, reader in enumerate(readers) if reader.convert is not None]
        match_plain = re.compile(self._plain_pattern(record_type, readers)).fullmatch
        match_quoted = re.compile(self._quoted_pattern(record_type, readers)).fullmatch if layout.quote else None
        quoted_groups = slice(2, None, 2)
        encoding = layout.encoding

        def read(whole: bytes) -> list[Value] | None:
            try:
                text = whole.decode(encoding)
                match = match_plain(text)
                if match is not None:
                    values: list[Value] = list(match.groups())
                else:
                    match = match_quoted(text) if match_quoted is not None else None
                    if match is None:
                        return None
                    values = list(match.groups()[quoted_groups])
                for place, convert in conversions:
                    values[place] = convert(values[place])  # type: ignore[arg-type]  # still the text that was matched
            except ValueError:
                return None
            return values

        return read

    def _plain_pattern(self, record_type: RecordType, readers: list[FieldReader]) -> str:
        fields = [re.escape(record_type.marker)] + [f"({reader.pattern})" for reader in readers]
        return re.escape(self.layout.delimiter).join(fields) + re.escape(self.layout.line_ending.decode("ascii"))

    def _quoted_pattern(self, record_type: RecordType, readers: list[FieldReader]) -> str:
        """Return a pattern in which any field may be quoted; its groups are quote and value by turns, the marker's quote first."""
        quote = re.escape(self.layout.quote or "")
        fields = [f"({quote})?{re.escape(record_type.marker)}(?(1){quote})"]
        fields += [f"({quote})?({reader.pattern})(?({2 + 2 * place}){quote})" for place, reader in enumerate(readers)]
        return re.escape(self.layout.delimiter).join(fields) + re.escape(self.layout.line_ending.decode("ascii"))


def _split_quoted(text: str, delimiter: str, quote: str) -> list[str] | Fault:
    fields: list[str] = []
    start = 0
    while True:
        if text.startswith(quote, start):
            field, start = _quoted_field(text, start, quote)
            is_sound = start == len(text) or text.startswith(delimiter, start)
        else:
            end = text.find(delimiter, start)
            field, start = (text[start:], len(text)) if end < 0 else (text[start:end], end)
            is_sound = quote not in field
        if not is_sound or start < 0:
            return Fault("line.unbalanced_quotes", {"field": len(fields) + 1, "quote": quote})
        fields.append(field)
        if start == len(text):
            return fields
        start += 1


def _quoted_field(text: str, start: int, quote: str) -> tuple[str, int]:
    """Return the content of the field that opens at ``start`` and the place after its closing quote; -1: it never closes."""
    parts = []
    start += 1
    while True:
        end = text.find(quote, start)
        if end < 0:
            return "", -1
        parts.append(text[start:end])
        if not text.startswith(quote, end + 1):
            return quote.join(parts), end + 1
        start = end + 2
