"""Masks card numbers in a file while it comes in: they are never written down, and every byte keeps its place."""

import hashlib
from typing import BinaryIO, Final, NamedTuple

from ingestion_app import errors
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.lines import WIDE_BYTES, WIDE_MARKS
from ledger_app.base.operations.filing import PIECE_BYTES
from ledger_app.errors import Refused
from ledger_app.errors.card_bytes import masked_in
from ledger_app.errors.card_numbers import ARRIVAL_MARK
from ledger_app.values.identifiers import KINDS

# Of a line that does not end, kept back for what may begin in it: longer than any card number with all that may part its digits.
TAIL_BYTES: Final = 512
_FIRST_BEYOND_ASCII: Final = 0x80
_SHIFT: Final = b"\x1b"
_SHIFT_BYTES: Final = 3


def is_masked(definition: Definition) -> bool:
    """Whether files of a layout are masked whole: not those that name members by card numbers, nor those with long numbers of the sender's own.

    In these each column is looked at by itself when the file is validated.
    """
    kind = KINDS.get(definition.roles.holder_kind)
    names_cards = kind is not None and kind.is_secret
    columns = [column for each in definition.layout.record_types for column in each.columns]
    return not names_cards and not any(column.may_look_like_card for column in columns)


class Expected(NamedTuple):
    """What the sender said of the bytes: their SHA-256 in hexadecimal, and how many they are; None where nothing was said."""

    sha256: str | None = None
    size: int | None = None


NOTHING_SAID: Final = Expected()


def expecting(stream: BinaryIO, expected: Expected) -> BinaryIO:
    """Return the stream, compared with what its sender said where something was said."""
    return stream if expected == NOTHING_SAID else _ExpectedStream(stream, expected)  # type: ignore[return-value]  # it is read, and no more


class _ExpectedStream:
    """A stream that refuses to end where other bytes came than were sent, so that its reader stores nothing."""

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
        self._encoding = encoding
        self._before = b""
        self._left = b""
        self._has_ended = False
        self.count = 0

    def read(self, _size: int = -1, /) -> bytes:
        """Return some more of it, however much was asked for; nothing at the end."""
        while not self._has_ended:
            piece = self._stream.read(PIECE_BYTES)
            self._has_ended = not piece
            given, start = self._before + self._left + piece, len(self._before)
            of_lines = len(given) if self._has_ended else self._behind_lines(given, start)
            end = of_lines or max((len(given) - TAIL_BYTES) // WIDE_BYTES * WIDE_BYTES, start)
            self._before = b"" if of_lines else _before(given, end, self._encoding)
            self._left = given[end:]
            if end > start:
                # Of a line that goes on what stands on both sides is looked at, so that no number is lost where it is cut.
                found = masked_in(given[: of_lines or None], self._encoding, ARRIVAL_MARK)[start:end]
                self.count += sum(one != other for one, other in zip(given[start:end], found, strict=True))
                return found
        return b""

    def _behind_lines(self, given: bytes, start: int) -> int:
        """Return the place behind the last line that ends behind ``start``; 0 where none does."""
        if self._encoding not in WIDE_MARKS:
            return given.rfind(b"\n", start) + 1
        feed, end = "\n".encode(self._encoding), len(given)
        while (place := given.rfind(feed, start, end)) >= 0 and place % WIDE_BYTES:
            # It lies across two characters.
            end = place + len(feed) - 1
        return place + len(feed) if place >= 0 else 0


def _before(given: bytes, end: int, encoding: str) -> bytes:
    """Return what stands before a place in a line: as much as a number may take up there, from the first byte of a character on."""
    start = max(end - TAIL_BYTES, 0)
    if encoding == "euc-jp":
        # Every byte of ASCII is a character of its own.
        start = next(
            (place for place in range(start, max(start - TAIL_BYTES, 0), -1) if given[place - 1] < _FIRST_BEYOND_ASCII), start
        )
    shift = given.rfind(_SHIFT, 0, start) if encoding == "iso-2022-jp" else -1
    if shift < 0:
        return given[start:end]
    shifted = shift + _SHIFT_BYTES
    is_of_pairs = given[shift:shifted].startswith(_SHIFT + b"$")
    start = max(start + (start - shifted) % 2 if is_of_pairs else start, shifted)
    return given[shift:shifted] + given[start:end]
