"""Masks card numbers in a file while it comes in: they are never written down, and every byte keeps its place."""

import hashlib
import re
import sys
from array import array
from typing import BinaryIO, Final, NamedTuple

from ingestion_app import errors
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.lines import WIDE_BYTES, WIDE_MARKS
from ledger_app.errors import Refused
from ledger_app.errors.card_numbers import ARRIVAL_MARK, masked, masked_text, may_hold
from ledger_app.operations.filing import PIECE_BYTES
from ledger_app.rules.identifiers import KINDS

# Of a line that does not end, kept back for what may begin in it: longer than any card number with all that may part its digits.
TAIL_BYTES: Final = 512
_NOT_ASCII: Final = 0x80
_SHIFTED: Final = re.compile(rb"\x1b\$[@B][^\x1b\r\n]*")


def is_masked(definition: Definition) -> bool:
    """Whether files of a layout are masked whole: not those that name members by card numbers, nor those with long numbers of the sender's own.

    In these each column is looked at by itself when the file is validated.
    """
    kind = KINDS.get(definition.roles.holder_kind)
    names_cards = kind is not None and kind.is_secret
    return not names_cards and not any(column.may_look_like_card for column in definition.layout.data.columns)


class Expected(NamedTuple):
    """What the sender said of the bytes: their SHA-256 in hexadecimal, and how many they are; None where nothing was said."""

    sha256: str | None = None
    size: int | None = None


NOTHING_SAID: Final = Expected()


def expecting(stream: BinaryIO, expected: Expected) -> BinaryIO:
    """Return the stream, held against what its sender said where something was said."""
    return stream if expected == NOTHING_SAID else _ExpectedStream(stream, expected)  # type: ignore[return-value]  # it is read, and no more


class _ExpectedStream:
    """A stream that refuses to end where other bytes came than were sent: whoever stores what it gives keeps nothing then."""

    def __init__(self, stream: BinaryIO, expected: Expected) -> None:
        self._stream, self._expected = stream, expected
        self._hasher, self._size = hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        """Return some more of it.

        :raises Refused: bytes_differ, at the end
        """
        piece = self._stream.read(size)
        self._hasher.update(piece)
        self._size += len(piece)
        if not piece:
            self._compare()
        return piece

    def _compare(self) -> None:
        sha256, size = self._hasher.hexdigest(), self._size
        if self._expected.size not in {None, size} or self._expected.sha256 not in {None, sha256}:
            raise Refused(
                [
                    errors.BytesDiffer(
                        size=size,
                        sha256=sha256,
                        expected_size="–" if self._expected.size is None else self._expected.size,
                        expected_sha256=self._expected.sha256 or "–",
                    )
                ]
            )


class MaskedStream:
    """A stream with each card number in it hidden but for its last four. ``count`` says how many bytes were hidden so far."""

    def __init__(self, stream: BinaryIO, encoding: str = "utf-8") -> None:
        """Read ``stream``."""
        self._stream = stream
        self._has_shifts = encoding == "iso-2022-jp"
        self._wide = encoding if encoding in WIDE_MARKS else None
        self._left = b""
        self._has_ended = False
        self.count = 0

    def read(self, _size: int = -1, /) -> bytes:
        """Return some more of it, however much was asked for; nothing at the end."""
        while not self._has_ended:
            piece = self._stream.read(PIECE_BYTES)
            self._has_ended = not piece
            given = self._left + piece
            end = len(given) if self._has_ended else self._end_of(given)
            given, self._left = given[:end], given[end:]
            if given:
                return self._masked(given)
        return b""

    def _end_of(self, given: bytes) -> int:
        """Return how much may be looked at by itself: whole lines, or all but the last of a line that goes on."""
        if self._wide is None:
            return given.rfind(b"\n") + 1 or max(len(given) - TAIL_BYTES, 0)
        feed = "\n".encode(self._wide)
        place = given.rfind(feed)
        while place > 0 and place % WIDE_BYTES:
            place = given.rfind(feed, 0, place + 1)
        end = place + WIDE_BYTES if place >= 0 else max(len(given) - TAIL_BYTES, 0)
        return end - end % WIDE_BYTES

    def _masked(self, given: bytes) -> bytes:
        if self._wide is not None:
            found = _masked_wide(given, self._wide)
        elif self._has_shifts and _SHIFTED.search(given):
            # Between shifts the bytes of digits are halves of other characters.
            shadow = _SHIFTED.sub(lambda match: b"\xff" * len(match[0]), given)
            hidden = masked(shadow, ARRIVAL_MARK)
            found = bytes(one if one != was else kept for one, was, kept in zip(hidden, shadow, given, strict=True))
        else:
            found = masked(given, ARRIVAL_MARK)
        if found != given:
            self.count += sum(one != other for one, other in zip(given, found, strict=True))
        return found


def _masked_wide(given: bytes, encoding: str) -> bytes:
    """Return bytes of an encoding of two a character with what is to be hidden in them hidden: each character keeps its place."""
    if not may_hold(given.decode(encoding, "replace")):
        return given
    units = array("H", given[: len(given) - len(given) % WIDE_BYTES])
    is_swapped = (sys.byteorder == "little") is not (encoding == "utf-16-le")
    if is_swapped:
        units.byteswap()
    # As an address writes it, a number stands in signs of ASCII alone; in whatever other writing it stands in no such sign.
    shadow = bytes(unit if unit < _NOT_ASCII else 0xFF for unit in units)
    text = "".join(map(chr, units)).replace("%", "_")
    seen = zip(shadow, masked(shadow, ARRIVAL_MARK), text, masked_text(text), strict=True)
    for place, (byte, left, character, shown) in enumerate(seen):
        if byte != left or character != shown:
            units[place] = ord(ARRIVAL_MARK)
    if is_swapped:
        units.byteswap()
    return units.tobytes() + given[len(units) * WIDE_BYTES :]
