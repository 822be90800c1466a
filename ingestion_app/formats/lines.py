"""Lines of a file as bytes: how they end, what they are called, and the text that they hold."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from ingestion_app.formats.definition import Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import Value

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


class LineFormat(ABC):
    """How one layout's lines are told apart and cut into fields. Holds no state between lines."""

    def __init__(self, layout: Layout) -> None:
        """Begin with what every layout has."""
        self.layout = layout
        self.piece_bytes = layout.line_bytes + len(layout.line_ending)
        self._by_marker = {each.marker.encode("ascii"): each for each in layout.record_types if each.marker is not None}
        self._unmarked = layout.data if layout.data.marker is None else None

    def complete(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the record's line that begins with ``piece`` (at most ``piece_bytes``), reading on to its end."""
        return self.to_ending(stream, piece, number=number, offset=offset)

    def to_ending(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the line from ``piece`` to the next ending, whatever stands in it, without keeping what is too long."""
        size, tail = len(piece), piece[-2:]
        while not tail.endswith(b"\n"):
            more = stream.readline(_PIECE_BYTES)
            if not more:
                break
            size += len(more)
            tail = (tail + more)[-2:]
        ending = ending_of(tail)
        length = size - len(ending)
        return Line(number, offset, piece[:length], ending, size, length > self.layout.line_bytes)

    def next_piece(self, stream: BinaryIO) -> bytes:
        """Return the bytes with which the next line begins, at most ``piece_bytes``; nothing at the end."""
        return stream.readline(self.piece_bytes)

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

    @abstractmethod
    def cut(self, line: Line, record_type: RecordType) -> Sequence[str] | Fault:
        """Return the text of each of the record type's columns, or what keeps the line from being cut into them."""

    @abstractmethod
    def quick_reader(self, record_type: RecordType) -> QuickReader:
        """Return a function from a whole line, ending included, to its typed values; None where the careful way must decide.

        Whatever it takes, ``cut`` and the careful readers take too, with the same values.
        """

    def unreadable(self, line: Line) -> Fault | None:
        """Return what keeps any line from being read: it is too long, or damaged."""
        if line.is_too_long:
            return Fault("line.too_long", {"length": line.size - len(line.ending), "limit": self.layout.line_bytes})
        nul = line.content.find(b"\0")
        return Fault("line.nul_byte", {"position": line.offset + nul}, nul) if nul >= 0 else None

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
        facts: dict[str, str | int] = {
            "byte": f"0x{content[place]:02X}",
            "position": offset + place,
            "encoding": self.layout.encoding,
        }
        return Fault("line.undecodable", facts, place)


def ending_of(tail: bytes) -> bytes:
    """Return the ending of a line that ends with these bytes."""
    return b"\r\n" if tail.endswith(b"\r\n") else b"\n" if tail.endswith(b"\n") else b""
