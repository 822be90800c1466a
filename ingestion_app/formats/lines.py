"""Lines of a file as bytes: how they end, what they are called, and the text that they hold."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from ingestion_app.formats.definition import Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import Value, shown

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The longer ones come first, since UTF-32's begins with UTF-16's.
FOREIGN_BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16LE",
    b"\xfe\xff": "UTF-16BE",
}
# Encodings of two bytes or more a character, and the mark with which files in them begin.
WIDE_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
WIDE_BYTES = 2

CR = b"\r"

NO_MARKER = "–"  # how records are named that have none

END_MARK = "\x1a"  # what CP/M and its heirs end a text file with

_PIECE_BYTES = 65_536
_TAIL_BYTES = 4  # as many as the longest ending has
# Single bytes that cp932 leaves undefined, which Python nevertheless turns into these characters.
STRAY_IN_CP932 = "\\x80\\xa0\\uf8f0-\\uf8f3"
_STRAY = re.compile(f"[{STRAY_IN_CP932}]")


class Line(NamedTuple):
    """One record's bytes: ``content`` without its ending, cut where it is too long; ``size`` all its bytes in the file with the ending.

    ``number`` is that of its first line; it takes more than one only where a quoted field holds line endings.
    """

    number: int
    offset: int
    content: bytes
    ending: bytes  # b"\n", b"\r\n", or nothing at the end of a file that was cut off
    size: int
    is_too_long: bool
    lines: int = 1


QuickReader = Callable[[bytes], list[Value | None] | None]
ReadsOn = Callable[[int], bytes]


class LineFormat(ABC):
    """How one layout's lines are told apart and cut into fields. Holds no state between lines."""

    def __init__(self, layout: Layout) -> None:
        """Begin with what every layout has."""
        self.layout = layout
        self.is_wide = layout.encoding in WIDE_MARKS
        self.unit = WIDE_BYTES if self.is_wide else 1
        # Never the half of a character.
        self.piece_bytes = layout.line_bytes + layout.line_bytes % self.unit + len(layout.line_ending)
        self.end_mark = self._written(END_MARK)
        # A carriage return alone ends a line only where the layout says so.
        ends = ("\r\n", "\n", "\r") if layout.line_ending == CR else ("\r\n", "\n")
        self._endings = [self._written(ending) for ending in ends]
        self._by_marker = {each.marker.encode("ascii"): each for each in layout.record_types if each.marker is not None}
        self._unmarked = layout.data if layout.data.marker is None else None

    def complete(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the record's line that begins with ``piece`` (at most ``piece_bytes``), reading on to its end."""
        return self.to_ending(stream, piece, number=number, offset=offset)

    def to_ending(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the line from ``piece`` to the next ending, whatever stands in it, without keeping what is too long."""
        read_on = self.reads_on(stream)
        size, tail = len(piece), piece[-_TAIL_BYTES:]
        while not self.ending_of(tail):
            more = read_on(_PIECE_BYTES)
            if not more:
                break
            size += len(more)
            tail = (tail + more)[-_TAIL_BYTES:]
        ending = self.ending_of(tail)
        length = size - len(ending)
        return Line(number, offset, piece[:length], ending, size, length > self.layout.line_bytes)

    def reads_on(self, stream: BinaryIO) -> ReadsOn:
        """Return what reads the rest of a line of ``stream``, or so many bytes of it; nothing at the end."""
        return _reads_wide(stream, self._written("\n")) if self.is_wide else stream.readline

    def ending_of(self, tail: bytes) -> bytes:
        """Return the ending of a line that ends with these bytes."""
        return next((ending for ending in self._endings if tail.endswith(ending)), b"")

    def narrow(self, content: bytes) -> bytes:
        """Return the bytes in which the signs of a layout are those of ASCII: of an encoding of two bytes a character, those in UTF-8."""
        return content.decode(self.layout.encoding, "replace").encode() if self.is_wide else content

    def text_of(self, signs: bytes) -> str:
        """Return what bytes say that the layout itself names."""
        return self.narrow(signs).decode()

    def without_end_mark(self, content: bytes) -> bytes:
        """Return the last bytes of a file without the marks that say that it ends."""
        while content.endswith(self.end_mark):
            content = content[: -len(self.end_mark)]
        return content

    def _written(self, sign: str) -> bytes:
        return sign.encode(self.layout.encoding if self.is_wide else "ascii")

    def is_comment(self, content: bytes) -> bool:
        """Whether the line is one that the sender wrote for people."""
        del content
        return False

    @abstractmethod
    def marker(self, content: bytes) -> bytes:
        """Return what stands in the place of the marker."""

    def record_type(self, content: bytes) -> RecordType | None:
        """Return the record type that the line's marker names, even where the rest cannot be decoded; else the one without a marker."""
        return self._by_marker.get(self.marker(content), self._unmarked)

    def unknown(self, line: Line) -> Fault:
        """Return why the line is of no record type."""
        found = shown(self.marker(line.content).decode("ascii", "backslashreplace"))
        return Fault("line.unknown_type", {"found": found, "markers": self.markers})

    @property
    def markers(self) -> str:
        """The markers of the layout, as they are told."""
        return ", ".join(map(shown_marker, self.layout.record_types))

    @abstractmethod
    def cut(self, line: Line, record_type: RecordType) -> Sequence[str | Fault] | Fault:
        """Return the text of each of the record type's columns, or why it has none; or what keeps the line from being cut into them."""

    @abstractmethod
    def quick_reader(self, record_type: RecordType) -> QuickReader:
        """Return a function from a whole line, ending included, to its typed values; None where the careful way must decide.

        Whatever it takes, ``cut`` and the careful readers take too, with the same values.
        """

    def unreadable(self, line: Line) -> Fault | None:
        """Return what keeps any line from being read: it is too long, or damaged."""
        if line.is_too_long:
            return Fault("line.too_long", {"length": line.size - len(line.ending), "limit": self.layout.line_bytes})
        nul = self._find_nul(line.content)
        return Fault("line.nul_byte", {"position": line.offset + nul}, nul) if nul >= 0 else None

    def _find_nul(self, content: bytes) -> int:
        nul = content.find(bytes(self.unit))
        while nul > 0 and nul % self.unit:
            nul = content.find(bytes(self.unit), nul + 1)
        return nul

    def decode(self, content: bytes, offset: int) -> str | Fault:
        """Return the text of some bytes that stand at ``offset``, or the first byte that is none."""
        try:
            text = content.decode(self.layout.encoding)
        except UnicodeDecodeError as error:
            return self._undecodable(content, error.start, offset)
        stray = _STRAY.search(text) if self.layout.encoding == "cp932" else None
        if stray is not None:
            return self._undecodable(content, len(text[: stray.start()].encode("cp932")), offset)
        return text

    def _undecodable(self, content: bytes, place: int, offset: int) -> Fault:
        unit = content[place : place + self.unit]
        facts: dict[str, str | int] = {
            "byte": f"0x{(unit[::-1] if self.layout.encoding == 'utf-16-le' else unit).hex().upper()}",
            "position": offset + place,
            "encoding": self.layout.encoding,
        }
        return Fault("line.undecodable", facts, place)


def shown_marker(record_type: RecordType) -> str:
    """Return what a record type is called."""
    return record_type.marker or NO_MARKER


def _reads_wide(stream: BinaryIO, feed: bytes) -> ReadsOn:
    """Return what reads on to a line feed of two bytes: the byte 0A alone is a part of other characters too."""
    readline, read = stream.readline, stream.read
    first_is_low = feed[0] != 0

    def read_on(size: int) -> bytes:
        piece = readline(size)
        while piece[-1:] == b"\n":
            # The low byte comes first or last: an odd number of bytes says which of the two was just read.
            if len(piece) % WIDE_BYTES:
                piece += read(1)
                if first_is_low and piece.endswith(feed):
                    break
            elif not first_is_low and piece.endswith(feed):
                break
            if len(piece) >= size:
                break
            more = readline(size - len(piece))
            if not more:
                break
            piece += more
        return piece

    return read_on
