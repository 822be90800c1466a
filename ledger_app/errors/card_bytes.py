"""Hides card numbers in the bytes of a file whose encoding has its digits in other bytes than cp932 and UTF-8."""

import re
import sys
from array import array
from typing import Final

from ledger_app.errors.card_numbers import MARK, masked, masked_text, may_hold

_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]+")
_OF_SHIFTS: Final = re.compile(rb"\x1b\$[@B]([^\x1b\r\n]*)|\x1b\([BJI]")
_WITH_HIGH_BIT: Final = bytes(byte | 0x80 for byte in range(256))
_OF_EUC: Final = re.compile(rb"\x8f[\xa1-\xfe]{2}|\x8e[\xa1-\xdf]|[\xa1-\xfe]{2}|[\x80-\xff]")
_WIDE_FIRST: Final = 0x81  # with which the marks of two bytes begin
_UNIT: Final = 2
_NOT_ASCII: Final = 0x80
_OF_UNITS: Final = ("utf-16-le", "utf-16-be")


def masked_in(raw: bytes, encoding: str, mark: str = MARK) -> bytes:
    """Return the bytes of a file as ``masked`` does, in an encoding whose full-width digits are other bytes than those of cp932 and UTF-8."""
    if encoding == "euc-jp":
        shadow = _BEYOND_ASCII.sub(lambda match: _in_shift_jis(match[0]), raw)
    elif encoding == "iso-2022-jp":
        shadow = _OF_SHIFTS.sub(_of_shift, raw)
    else:
        return _masked_units(raw, encoding, mark) if encoding in _OF_UNITS else masked(raw, mark)
    hidden = masked(shadow, mark)
    # Marks of two bytes are those of cp932: the others have them in other places of the same table.
    lead, trail = (0x20, 0x60) if encoding == "euc-jp" else (-0x60, -0x20)
    places = [place for place, (one, other) in enumerate(zip(hidden, shadow, strict=True)) if one != other]
    found = bytearray(raw)
    for place in places:
        said = hidden[place]
        found[place] = said if said < _WIDE_FIRST else said + (lead if said == _WIDE_FIRST else trail)
    return bytes(found)


def _of_shift(match: re.Match[bytes]) -> bytes:
    """Return what comes behind a shift as it would be in cp932; what shifts is read as nothing, so that it parts no digits."""
    said = match[1] or b""
    return bytes(len(match[0]) - len(said)) + _in_shift_jis(said.translate(_WITH_HIGH_BIT))


def _in_shift_jis(run: bytes) -> bytes:
    """Return characters of EUC-JP as cp932 has them, in as many bytes; those that it has not, or has in fewer, mean nothing."""
    found = run.decode("euc-jp", "replace").encode("shift_jis", "replace")
    if len(found) == len(run):
        return found
    if _OF_EUC.fullmatch(run):
        return b"\xff" * len(run)
    return _OF_EUC.sub(lambda match: _in_shift_jis(match[0]), run)


def _masked_units(raw: bytes, encoding: str, mark: str) -> bytes:
    """Return bytes of UTF-16 masked: each unit of two bytes that is a digit to be hidden becomes the mark."""
    if not may_hold(raw.decode(encoding, "replace")):
        return raw
    units = array("H", raw[: len(raw) - len(raw) % _UNIT])
    is_swapped = (sys.byteorder == "little") is not (encoding == "utf-16-le")
    if is_swapped:
        units.byteswap()
    # As an address writes it, a number stands in signs of ASCII alone; in whatever other writing it stands in no such sign.
    shadow = bytes(unit if unit < _NOT_ASCII else 0xFF for unit in units)
    text = "".join(map(chr, units)).replace("%", "_")
    both = zip(shadow, masked(shadow, mark), text, masked_text(text), strict=True)
    for place, (byte, hidden, character, shown) in enumerate(both):
        if byte != hidden or character != shown:
            units[place] = ord(mark)
    if is_swapped:
        units.byteswap()
    return units.tobytes() + raw[len(units) * _UNIT :]
