"""What is a card number in any text, and how it is hidden. Pure, and the one place that says it.

A card number is 13 to 19 digits of a known issuer and a length that the issuer uses, whose last digit checks the others after Luhn, written in one
piece or in groups as cards print them, by digits of any script, with blanks or dashes between. It is no part of a longer number, of a decimal, of a
digest, or of a UUID. Beside it stands a code of three or four digits, which is known by its name alone ("CVV 123").

What is hidden stays as long as it was: of a card number the last four are left, of a code nothing.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

MARK: Final = "*"
# Where a file is masked as it arrives: a sender who masks by himself writes anything else.
ARRIVAL_MARK: Final = "#"
LEAST, MOST = 13, 19
LAST_SHOWN: Final = 4
DECODED_MOST: Final = 3


class Issuer(NamedTuple):
    """Numbers that begin with ``first`` to ``last``, six digits each, and the lengths that they have."""

    first: int
    last: int
    lengths: tuple[int, ...]


_LONG = (16, 17, 18, 19)
# Public ranges, wider where an issuer is about to widen them.
ISSUERS: Final = (
    Issuer(222100, 272099, (16,)),  # Mastercard
    Issuer(300000, 305999, (14, *_LONG)),  # Diners Club
    Issuer(309500, 309599, (14, *_LONG)),
    Issuer(340000, 349999, (15,)),  # American Express
    Issuer(352800, 358999, _LONG),  # JCB
    Issuer(360000, 369999, (14, *_LONG)),  # Diners Club
    Issuer(370000, 379999, (15,)),  # American Express
    Issuer(380000, 399999, (14, *_LONG)),  # Diners Club
    Issuer(400000, 499999, (13, 16, 19)),  # Visa
    Issuer(500000, 509999, tuple(range(LEAST, MOST + 1))),  # Maestro, Verve, Elo
    Issuer(510000, 559999, (16,)),  # Mastercard
    Issuer(560000, 589999, tuple(range(LEAST, MOST + 1))),  # Maestro
    Issuer(601100, 601199, _LONG),  # Discover
    Issuer(620000, 629999, _LONG),  # UnionPay
    Issuer(630400, 630499, tuple(range(LEAST, MOST + 1))),  # Maestro
    Issuer(644000, 659999, _LONG),  # Discover, RuPay
    Issuer(670000, 679999, tuple(range(LEAST, MOST + 1))),  # Maestro
    Issuer(810000, 829999, _LONG),  # UnionPay, RuPay
)

# Dashes and blanks that people and programs write, those that nobody sees among them.
_BLANKS = "\u00a0\u2000-\u200d\u202f\u2060\u3000\ufeff\u00ad"
_DASHES = "\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d\uff70"
_AS_BLANK = re.compile(f"[{_BLANKS}]")
_AS_DASH = re.compile(f"[{_DASHES}]")
_ENOUGH = b"0" * LEAST
_AS_ZERO = bytes(ord("0") if chr(byte) in "0123456789" else byte if byte > ord("9") else ord("x") for byte in range(256))
_FILL = "\x00"  # the further bytes of a character that is read as one
_PART = r"[ +\-\x00]{0,20}"  # an address writes a blank as +
_RUN = re.compile(rf"(?<![0-9])[0-9](?:{_PART}[0-9]){{{LEAST - 1},}}")
_GROUP = re.compile("[0-9\x00]+")
_DIGEST = re.compile("[0-9a-f]{24,}|[0-9A-F]{24,}", re.ASCII)
# The name of a request, among others: one in thirteen thousand has the digits of a card, over its dashes.
_UUID = re.compile("(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])", re.ASCII | re.IGNORECASE)
_UUID_LENGTH: Final = 36
_WORD, _NO_WORD = (re.compile(signs, re.ASCII) for signs in ("[0-9A-Za-z]", "[^0-9A-Za-z]"))
# Digits beyond ASCII, each as the digit that it is.
_DIGITS = {number: str(unicodedata.decimal(chr(number))) for number in range(0x80, 0x1FBFA) if chr(number).isdecimal()}
_BEYOND = re.compile(f"[{''.join(map(chr, _DIGITS))}{_BLANKS}{_DASHES}]")
# Full-width digits and dashes in the bytes of a file: in cp932 and in UTF-8.
_WIDE = re.compile(
    rb"\x82[\x4f-\x58]|\xef\xbc[\x90-\x99]|\x81[\x5b\x5d\x7c\x40]|\xef\xbc\x8d|\xe3\x83\xbc|\xe2\x80[\x90-\x95]|\xe2\x88\x92|\xe3\x80\x80"
    rb"|%EF%BC%9[0-9]|%82%(?:4F|5[0-8])|%3[0-9]|%20|%2D",
    re.IGNORECASE,
)
_WIDE_MARKS: Final[Mapping[str, Mapping[int, bytes]]] = {
    MARK: {2: b"\x81\x96", 3: b"\xef\xbc\x8a"},
    ARRIVAL_MARK: {2: b"\x81\x94", 3: b"\xef\xbc\x83"},
}
_PERCENT: Final = ord("%")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
# From the first mark of a row on, and no further than a number may reach: a line of nothing but marks is passed over once.
_ARRIVED = re.compile(
    rf"(?<![{ARRIVAL_MARK}\uff03])[{ARRIVAL_MARK}\uff03]{{3}}[{ARRIVAL_MARK}\uff03 \-\uff0d\u3000]{{0,1000}}[0-9\uff10-\uff19]{{{LAST_SHOWN}}}"
)
_ARRIVED_BYTES: Final = (b"###", b"\x81\x94" * 3, b"\xef\xbc\x83" * 3)

# Our own keys are posting × 2²⁰ + place: of 13 to 15 digits once there are a million postings. Almost all places are low.
_PLACES: Final = 1 << 20
_PLACES_USED: Final = 10_000
_OWN_DIGITS_MOST: Final = 15
_ARTICLE: Final = ("45", "49")  # what article numbers of Japan begin with
_ARTICLE_DIGITS: Final = 13


def holds(text: str) -> bool:
    """Whether a text holds a card number or a card's code, in whatever writing, as an address writes it among them."""
    if next(_found(text), None) is not None:
        return True
    return any(next(_found(each), None) is not None for each in _decoded(text))


def masked_text(text: str) -> str:
    """Return ``text`` with each card number hidden but for its last four, and each code whole."""
    hidden = _hide(text)
    for each in _decoded(hidden):
        # As an address writes it no digit has a place of its own: it is told as what it says.
        if next(_found(each), None) is not None:
            return masked_text(_hide(each))
    return hidden


def masked(raw: bytes, mark: str = MARK) -> bytes:
    """Return the bytes of a file or of a line as ``masked_text`` returns text, in cp932 and in UTF-8; they stay as long as they are."""
    text = _of_bytes(raw)
    # Such a text is read already: once more, and the inner bytes of a character would be those of blanks.
    places = [place for each in _found_in(text) for place in each]
    if not places:
        return raw
    found = bytearray(raw)
    for place in places:
        match = _WIDE.match(raw, place)
        length = match.end() - place if match else 1
        is_wide = match is not None and raw[place] != _PERCENT
        found[place : place + length] = _WIDE_MARKS[mark][length] if is_wide else mark.encode() * length
    return bytes(found)


def masked_all(value: Any) -> Any:
    """Return what JSON or a log holds with each text of it masked; numbers are left, which are keys and amounts."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {masked_text(name) if isinstance(name, str) else name: masked_all(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked_all(each) for each in value]
    return value


def masked_fact(value: Any) -> Any:
    """Return a fact of a refusal masked: of texts, and of tuples of them, whatever else they are."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, tuple) and any(isinstance(each, str) and holds(each) for each in value):
        return type(value)(masked_fact(each) for each in value)
    return value


def may_hold(text: str) -> bool:
    """Whether it is worth a look that costs more: quickly, of many texts at once."""
    read = _read(text)
    return _has_digits(read) or _has_code_name(read) or "%" in text or "\\u" in text


def may_hold_bytes(raw: bytes) -> bool:
    """Whether it is worth a look at a line of a file: it may hold a card number, or one that was masked as it arrived."""
    if raw.isascii() and not any(each in raw for each in (b"###", b"%")):
        read = raw.decode()
        return _has_digits(read) or _has_code_name(read)
    read = _of_bytes(raw)
    return b"%" in raw or any(each in raw for each in _ARRIVED_BYTES) or _has_digits(read) or _has_code_name(read)


def may_hold_of_line(text: str) -> bool:
    """Whether it is worth a look at what a line of a file says, in an encoding whose bytes are not those that ``may_hold_bytes`` reads."""
    return any(mark * 3 in text for mark in (ARRIVAL_MARK, "\uff03")) or may_hold(text)


def is_masked_on_arrival(text: str) -> bool:
    """Whether a text of a file had a card number, or a code, that was masked as the file arrived."""
    return _ARRIVED.search(text) is not None or _CODE_ARRIVED.search(_read(text)) is not None


def kept_holds(text: str) -> bool:
    """Whether a text that goes into a column holds one: JSON's escapes are read, and its numbers, which are keys and amounts, are not."""
    if not may_hold(text):
        return False
    if text[:1] in {"{", "["}:
        try:
            return any(map(holds, _texts(json.loads(text))))
        except ValueError:
            pass
    return holds(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text))


def is_card(digits: str) -> bool:
    """Whether ASCII digits in one piece are the number of a card of a known issuer."""
    if not LEAST <= len(digits) <= MOST or not checks(digits):
        return False
    head = int(digits[:6])
    if not any(first <= head <= last and len(digits) in lengths for first, last, lengths in ISSUERS):
        return False
    is_own = len(digits) <= _OWN_DIGITS_MOST and int(digits) % _PLACES < _PLACES_USED
    return not is_own and not _is_article(digits)


def checks(digits: str) -> bool:
    """Whether the last digit is the one that the others call for, after Luhn."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_article(digits: str) -> bool:
    """Whether thirteen digits are the number of an article (JAN), which are as long as the oldest cards; no such card is given out any more."""
    if len(digits) != _ARTICLE_DIGITS or not digits.startswith(_ARTICLE):
        return False
    return sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(digits)) % 10 == 0


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _decoded(text: str) -> list[str]:
    """Return what a text says where it is written as in an address, of an address within an address too."""
    found: list[str] = []
    while "%" in text and len(found) < DECODED_MOST and (decoded := unquote(text)) != text:
        text = decoded
        found.append(text)
    return found


def _hide(text: str) -> str:
    places = {place for each in _found(text) for place in each}
    return "".join([MARK if place in places else each for place, each in enumerate(text)]) if places else text


def _read(text: str) -> str:
    """Return a text of the same length with digits, blanks and dashes of all scripts as those of ASCII."""
    if text.isascii() or _BEYOND.search(text) is None:
        return text
    return _AS_DASH.sub("-", _AS_BLANK.sub(" ", text.translate(_DIGITS)))


def _of_bytes(raw: bytes) -> str:
    """Return bytes as a text of one character each, full-width digits and dashes read in cp932 and in UTF-8."""
    if not raw.isascii() or b"%" in raw:
        raw = _WIDE.sub(_narrow, raw)
    return raw.decode("latin-1")


def _narrow(match: re.Match[bytes]) -> bytes:
    found = match[0]
    if found[0] == _PERCENT:
        said = bytes.fromhex(found.replace(b"%", b"").decode())
        return _WIDE.sub(_narrow, said)[:1] + bytes(len(found) - 1)
    if found[:1] == b"\x82":
        return bytes([found[1] - 0x4F + 0x30, 0])
    if found[:2] == b"\xef\xbc" and found[2] != 0x8D:
        return bytes([found[2] - 0x90 + 0x30, 0, 0])
    sign = b" " if found in {b"\x81\x40", b"\xe3\x80\x80"} else b"-"
    return sign + bytes(len(found) - 1)


def _found(text: str) -> Iterator[list[int]]:
    """Yield the places to be hidden of each card number and each code."""
    return _found_in(_read(text))


def _found_in(read: str) -> Iterator[list[int]]:
    if _has_digits(read):
        words = _Words(read)
        for run in _RUN.finditer(read):
            yield from _in_run(read, run, words)
    if _has_code_name(read):
        for code in _CODE.finditer(read):
            begin, end = code.span(1)
            yield [place for place in range(begin, end) if read[place] != _FILL]


def _has_digits(text: str) -> bool:
    """Whether there are as many digits in a row as a card has at least, with what may part them: quickly, since hardly any text has."""
    if len(text) < LEAST:
        return False
    return _ENOUGH in text.encode("utf-8", "surrogatepass").translate(_AS_ZERO, b" +-\x00")


def _has_code_name(text: str) -> bool:
    lower = text.lower()
    return any(hint in lower for hint in _CODE_HINTS)


class _Words:
    """The words of a text, each looked at once, however many numbers stand in it. It is asked in the order of the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0
        self._is_digest = False

    def have_digest(self, begin: int, end: int) -> bool:
        """Whether the digits at ``begin`` to ``end`` are a part of a digest, which is one word."""
        if not self._text[begin:end].isdigit():
            return False
        if begin >= self._end:
            while begin and _WORD.match(self._text[begin - 1]):
                begin -= 1
            self._end = next((each.start() for each in _NO_WORD.finditer(self._text, end)), len(self._text))
            self._is_digest = _DIGEST.fullmatch(self._text, begin, self._end) is not None
        return self._is_digest


def _in_run(text: str, run: re.Match[str], words: _Words) -> Iterator[list[int]]:
    """Yield the places of each card number among groups of digits that blanks or dashes part: what stands beside one is none of it."""
    groups = [each.span() for each in _GROUP.finditer(text, *run.span())]
    sizes = [end - begin - text.count(_FILL, begin, end) for begin, end in groups]
    at = 0
    while at < len(groups):
        count = next((count for count in _counts(sizes, at) if _is_number(text, groups[at : at + count], words)), 0)
        if count:
            places = [place for begin, end in groups[at : at + count] for place in range(begin, end) if text[place] != _FILL]
            yield places[:-LAST_SHOWN]
        at += count or 1


def _counts(sizes: Sequence[int], at: int) -> Iterator[int]:
    """Yield how many groups from ``at`` on may be one number, the most first: as cards print them, or digit by digit."""
    if sizes[at] == 1:
        # Of more single digits than a card has none is looked at, and they are not counted to their end.
        most = min(at + MOST + 1, len(sizes))
        if at == 0 or sizes[at - 1] != 1:
            end = next((place for place in range(at, most) if sizes[place] != 1), most)
            if LEAST <= end - at <= MOST:
                yield end - at
        return
    for count in range(min(5, len(sizes) - at), 0, -1):
        window = tuple(sizes[at : at + count])
        is_of_fours = count > 3 and set(window[:-1]) == {4} and window[-1] <= 4
        if count == 1 or is_of_fours or window in {(4, 6, 5), (4, 6, 4), (6, 13)}:
            yield count


def _is_number(text: str, groups: Sequence[tuple[int, int]], words: _Words) -> bool:
    begin, end = groups[0][0], groups[-1][1]
    if not is_card("".join(each for each in text[begin:end] if "0" <= each <= "9")):
        return False
    if text[begin - 1 : begin] == "." and text[max(begin - 2, 0) : begin - 1].isdigit():
        return False  # the digits of a decimal
    if any(
        each.start() <= begin and end <= each.end()
        for each in _UUID.finditer(text, max(end - _UUID_LENGTH - 1, 0), begin + _UUID_LENGTH + 1)
    ):
        return False
    return not words.have_digest(begin, end)


# The names of a card's code in Japanese, as a text has them, and as the bytes of a file are read here.
_NAMES = [
    each
    for name in ("セキュリティコード", "セキュリティーコード", "セキュリティ番号")
    for each in (_read(name), _of_bytes(name.encode("utf-8")), _of_bytes(name.encode("cp932")))
]
_CODE_HINTS = ("cvv", "cvc", "cvn", "security", "verification", *sorted({name[:4].lower() for name in _NAMES}))
_CODE = re.compile(
    r"(?:(?<![a-z0-9])(?:cvv2?|cvc2?|cvn2?|security[ _-]?code|card[ _-]?verification[ _-]?(?:value|code|number))|"
    + "|".join(map(re.escape, _NAMES))
    + r")(?:[\W_\x80-\xff]|\x81[\x40-\x7e]){0,8}(?:(?:is|no|number|は)[\W_\x80-\xff]{1,8})?((?:[0-9]\x00{0,8}){3,4})(?![0-9])",
    re.IGNORECASE,
)
_CODE_ARRIVED = re.compile(_CODE.pattern.replace("[0-9]\\x00{0,8}", "[#\uff03]\\x00{0,8}"), re.IGNORECASE)
