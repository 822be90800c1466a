"""Reads delimited files strictly: bytes to lines, a line to fields. Nothing is guessed, repaired or skipped.

A field is either plain, and then holds no quote, or quoted from its first to its last character, with a quote inside doubled. A line
ending always ends the record, but inside a quoted field where the layout says so.
"""

import re
from collections.abc import Callable, Sequence
from typing import BinaryIO

from ingestion_app.formats.definition import Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import STRAY_IN_CP932, Line, LineFormat
from ingestion_app.formats.values import FieldReader, Value, field_reader, shown


class DelimitedFormat(LineFormat):
    """How lines are cut into fields at a delimiter."""

    def __init__(self, layout: Layout, order: tuple[int, ...] | None = None) -> None:
        """``order`` says, for each field of a data record, the place of its column, where the header row named them in another order."""
        super().__init__(layout)
        self._order = order
        self._delimiter = layout.delimiter.encode("utf-8" if self.is_wide else layout.encoding)
        self._quote = layout.quote.encode("ascii") if layout.quote else None
        self._comment = layout.comment.encode("ascii") if layout.comment else None

    def complete(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the record's line that begins with ``piece`` (at most ``piece_bytes``), reading on to its end.

        Where a quoted field may hold line endings, the line goes on to the one outside of quotes. Quotes that are not closed within the
        longest line allowed are those of this line alone: one quote too many never swallows the records behind it.
        """
        line = self.to_ending(stream, piece, number=number, offset=offset)
        if self.layout.has_quoted_newlines and self._quote and line.ending and not line.is_too_long:
            return self._closed(stream, line, self._quote)
        return line

    def _closed(self, stream: BinaryIO, line: Line, quote: bytes) -> Line:
        """Return the line, with those behind it up to the one that closes its quotes."""
        if self.narrow(line.content).count(quote) % 2 == 0 or self.is_comment(line.content):
            return line
        behind, read_on = stream.tell(), self.reads_on(stream)
        whole, lines, is_open = line.content + line.ending, 1, True
        while is_open:
            more = read_on(self.piece_bytes + self.unit - len(whole))
            if not more or len(whole) + len(more) > self.piece_bytes:
                # What comes behind is read anew, line by line.
                stream.seek(behind)
                return line
            whole += more
            lines += bool(self.ending_of(more))
            is_open ^= self.narrow(more).count(quote) % 2 == 1
        ending = self.ending_of(whole)
        content = whole[: len(whole) - len(ending)]
        return Line(line.number, line.offset, content, ending, len(whole), len(content) > self.layout.line_bytes, lines)

    def is_comment(self, content: bytes) -> bool:
        """Whether the line is one that the sender wrote for people."""
        return self._comment is not None and self.narrow(content).startswith(self._comment)

    def marker(self, content: bytes) -> bytes:
        """Return the first field as bytes, without quotes around it."""
        first = self.narrow(content).partition(self._delimiter)[0]
        if self._quote and len(first) > 1 and first.startswith(self._quote) and first.endswith(self._quote):
            return first[1:-1]
        return first

    def cut(self, line: Line, record_type: RecordType) -> Sequence[str] | Fault:
        """Return the text of each of the record type's columns, or what keeps the line from being cut into them."""
        texts = self.fields(line)
        if isinstance(texts, Fault):
            return texts
        if self.layout.has_trailing_delimiter:
            if texts[-1]:
                return Fault("line.trailing_delimiter_missing", {"delimiter": self.layout.delimiter, "found": shown(texts[-1])})
            texts.pop()
        # Field 1 is the marker, by which this record type was chosen.
        expected = len(record_type.written) + record_type.first_field - 1
        if len(texts) != expected:
            facts: dict[str, str | int] = {"found": len(texts), "expected": expected}
            if record_type.marker is None:
                return Fault("line.column_count", facts)
            return Fault("line.field_count", {**facts, "marker": record_type.marker})
        found = texts[record_type.first_field - 1 :]
        if self._order is None or record_type is not self.layout.data:
            return found
        ordered = found.copy()
        for text, place in zip(found, self._order, strict=True):
            ordered[place] = text
        return ordered

    def fields(self, line: Line) -> list[str] | Fault:
        """Return the line's fields, the marker first, or what keeps it from being cut into fields."""
        text = self.unreadable(line) or self.decode(line.content, line.offset)
        if isinstance(text, Fault):
            return text
        if self.layout.quote is None or self.layout.quote not in text:
            return text.split(self.layout.delimiter)
        return _split_quoted(text, self.layout.delimiter, self.layout.quote)

    def quick_reader(self, record_type: RecordType) -> Callable[[bytes], list[Value | None] | None]:
        """Return a function from a whole line, ending included, to its typed values; None where the careful way must decide.

        Whatever it takes, ``cut`` and the careful readers take too, with the same values.
        """
        layout = self.layout
        never = re.escape(layout.delimiter + (layout.quote or "")) + (STRAY_IN_CP932 if layout.encoding == "cp932" else "")
        columns = record_type.written
        places = range(len(columns)) if self._order is None else self._order
        readers = [field_reader(columns[place], never=never) for place in places]
        conversions = [(field, reader.convert) for field, reader in enumerate(readers) if reader.convert is not None]
        match_plain = re.compile(self._plain_pattern(record_type, readers)).fullmatch
        match_quoted = re.compile(self._quoted_pattern(record_type, readers)).fullmatch if layout.quote else None
        # The first two groups of the quoted pattern, where there is a marker: its quote, and the quote of the first field.
        quoted_groups = slice(record_type.first_field, None, 2)
        encoding = layout.encoding

        def read(whole: bytes) -> list[Value | None] | None:
            try:
                text = whole.decode(encoding)
                match = match_plain(text)
                if match is not None:
                    values: list[Value | None] = list(match.groups())
                else:
                    match = match_quoted(text) if match_quoted is not None else None
                    if match is None:
                        return None
                    values = list(match.groups()[quoted_groups])
                for field, convert in conversions:
                    values[field] = convert(values[field])  # type: ignore[arg-type]  # still the text that was matched
            except ValueError:
                return None
            return values

        if self._order is None:
            return read
        field_of = sorted(range(len(self._order)), key=self._order.__getitem__)

        def read_ordered(whole: bytes) -> list[Value | None] | None:
            values = read(whole)
            return None if values is None else [values[field] for field in field_of]

        return read_ordered

    def _plain_pattern(self, record_type: RecordType, readers: list[FieldReader]) -> str:
        fields = [f"({reader.pattern})" for reader in readers]
        if record_type.marker is not None:
            fields.insert(0, re.escape(record_type.marker))
        return self._no_other(record_type) + re.escape(self.layout.delimiter).join(fields) + self._line_end()

    def _quoted_pattern(self, record_type: RecordType, readers: list[FieldReader]) -> str:
        """Return a pattern in which any field may be quoted; its groups are quote and value by turns, the marker's quote first."""
        quote = re.escape(self.layout.quote or "")
        first = record_type.first_field
        fields = [f"({quote})?({reader.pattern})(?({first + 2 * place}){quote})" for place, reader in enumerate(readers)]
        if record_type.marker is not None:
            fields.insert(0, f"({quote})?{re.escape(record_type.marker)}(?(1){quote})")
        return self._no_other(record_type) + re.escape(self.layout.delimiter).join(fields) + self._line_end()

    def _no_other(self, record_type: RecordType) -> str:
        """Return a pattern that passes where a line is no comment and begins with no marker, where ``record_type`` has none."""
        pattern = f"(?!{re.escape(self.layout.comment)})" if self.layout.comment else ""
        if record_type.marker is None and self._by_marker:
            quote = f"{re.escape(self.layout.quote)}?" if self.layout.quote else ""
            markers = "|".join(re.escape(marker.decode("ascii")) for marker in self._by_marker)
            pattern += f"(?!{quote}(?:{markers}){quote}(?:{re.escape(self.layout.delimiter)}|[\r\n]))"
        return pattern

    def _line_end(self) -> str:
        trailing = re.escape(self.layout.delimiter) if self.layout.has_trailing_delimiter else ""
        return trailing + re.escape(self.layout.line_ending.decode(self.layout.encoding if self.is_wide else "ascii"))


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
