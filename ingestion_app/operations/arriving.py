"""Masks card numbers in a file while it comes in: they are never written down, and every byte keeps its place."""

import re
from typing import BinaryIO, Final

from ingestion_app.formats.definition import Definition
from ledger_app.errors.card_numbers import ARRIVAL_MARK, masked
from ledger_app.operations.filing import PIECE_BYTES
from ledger_app.rules.identifiers import KINDS

# Of a line that does not end, kept back for what may begin in it: longer than any card number with all that may part its digits.
TAIL_BYTES: Final = 512
_SHIFTED: Final = re.compile(rb"\x1b\$[@B][^\x1b\r\n]*")


def is_masked(definition: Definition) -> bool:
    """Whether files of a layout are masked whole: not those that name members by card numbers, nor those with long numbers of the sender's own.

    In these each column is looked at by itself when the file is validated.
    """
    kind = KINDS.get(definition.roles.holder_kind)
    names_cards = kind is not None and kind.is_secret
    return not names_cards and not any(column.may_look_like_card for column in definition.layout.data.columns)


class MaskedStream:
    """A stream with each card number in it hidden but for its last four. ``count`` says how many bytes were hidden so far."""

    def __init__(self, stream: BinaryIO, encoding: str = "utf-8") -> None:
        """Read ``stream``."""
        self._stream = stream
        self._has_shifts = encoding == "iso-2022-jp"
        self._left = b""
        self._has_ended = False
        self.count = 0

    def read(self, _size: int = -1, /) -> bytes:
        """Return some more of it, however much was asked for; nothing at the end."""
        while not self._has_ended:
            piece = self._stream.read(PIECE_BYTES)
            self._has_ended = not piece
            given = self._left + piece
            end = len(given) if self._has_ended else given.rfind(b"\n") + 1 or max(len(given) - TAIL_BYTES, 0)
            given, self._left = given[:end], given[end:]
            if given:
                return self._masked(given)
        return b""

    def _masked(self, given: bytes) -> bytes:
        if self._has_shifts and _SHIFTED.search(given):
            # Between shifts the bytes of digits are halves of other characters.
            shadow = _SHIFTED.sub(lambda match: b"\xff" * len(match[0]), given)
            hidden = masked(shadow, ARRIVAL_MARK)
            found = bytes(one if one != was else kept for one, was, kept in zip(hidden, shadow, given, strict=True))
        else:
            found = masked(given, ARRIVAL_MARK)
        if found != given:
            self.count += sum(one != other for one, other in zip(given, found, strict=True))
        return found
