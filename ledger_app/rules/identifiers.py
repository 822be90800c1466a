"""The kinds of identifiers, and what makes a number a card number. Pure: the keys are given."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MEMBER_NUMBER = "member_number"
CARD_TOKEN = "card_token"  # noqa: S105 - a kind, not a secret
CARD_NUMBER = "card_number"

VALUE_MOST = 64
PREFIX_LEAST = 3  # characters of a member number or a name that are looked for by their beginning
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DIGITS = re.compile(r"[0-9]{13,19}")
WRITTEN_MOST = 2 * 19  # characters of a card number, with what parts its digits
LAST_FOUR = re.compile(r"[*…]?([0-9]{4})")
# In bytes of a file: digits that no other digit touches, in groups that a space or a hyphen parts.
IN_TEXT = re.compile(rb"[0-9]+(?:[ -][0-9]+)*")


class IdentifierKind(NamedTuple):
    """A kind of identifier. A secret one is kept as a keyed hash and shown by its last four."""

    label: str | Promise
    is_secret: bool = False


# Room for more: whoever adds one adds a line here, and nothing else.
KINDS: Mapping[str, IdentifierKind] = {
    MEMBER_NUMBER: IdentifierKind(_("Member number")),
    CARD_TOKEN: IdentifierKind(_("Card token")),
    CARD_NUMBER: IdentifierKind(_("Card number"), is_secret=True),
}


class CardKey(NamedTuple):
    """A key that card numbers are hashed with, and the name that stands beside each hash."""

    name: str
    secret: bytes


class Hashed(NamedTuple):
    """A card number as it is kept."""

    value: str  # HMAC-SHA-256 in hexadecimal
    key_name: str
    last_four: str


def plain(text: str) -> str:
    """Return what was typed as it is looked for: full-width letters and digits as ASCII ones, without spaces around it."""
    return unicodedata.normalize("NFKC", text).strip()


def card_digits(text: str) -> str:
    """Return the digits of a card number, which people write with spaces or hyphens; empty where ``text`` is none."""
    digits = plain(text).replace(" ", "").replace("-", "")
    return digits if DIGITS.fullmatch(digits) and _checks(digits) else ""


def hashed(digits: str, key: CardKey) -> Hashed:
    """Return what is kept of a card number: nothing leads back from it without the key."""
    value = hmac.new(key.secret, f"card_number\n{digits}".encode("ascii"), hashlib.sha256).hexdigest()
    return Hashed(value, key.name, digits[-4:])


def candidates(digits: str, keys: Sequence[CardKey]) -> list[Hashed]:
    """Return a card number as each key would have it kept, the newest key first."""
    return [hashed(digits, key) for key in keys]


def shown(kind: str, value: str, last_four: str) -> str:
    """Return an identifier for the eye: a card by its last four."""
    return f"•••• {last_four}" if kind == CARD_NUMBER else value


def hidden(value: str) -> str:
    """Return what may be kept of a value that stands for a card number, whether it is one or not: the last four."""
    return "*" * (len(value) - 4) + value[-4:] if len(value) > 8 else "*" * len(value)


def masked(raw: bytes) -> bytes:
    """Return ``raw`` with every card number in it hidden but for its last four; it stays as long as it is."""
    return IN_TEXT.sub(_hide, raw)


def masked_text(text: str) -> str:
    """Return ``text`` as ``masked`` returns bytes."""
    return masked(text.encode(errors="backslashreplace")).decode()


def _hide(match: re.Match[bytes]) -> bytes:
    """Hide each card number among groups of digits: what stands beside one, a date or an amount, may look like a part of it."""
    found = match[0]
    ends = [group.span() for group in re.finditer(rb"[0-9]+", found)]
    place = 0
    while place < len(ends):
        begin = ends[place][0]
        # A group is a character at least, and what parts it from the next is one.
        near = [end for _, end in ends[place : place + WRITTEN_MOST] if end - begin <= WRITTEN_MOST]
        end = next((end for end in reversed(near) if card_digits(found[begin:end].decode("ascii"))), None)
        if end is None:
            place += 1
            continue
        found = found[:begin] + re.sub(rb"[0-9]", b"*", found[begin : end - 4]) + found[end - 4 :]
        place = next((later for later, (start, _) in enumerate(ends) if start >= end), len(ends))
    return found


def _checks(digits: str) -> bool:
    """Whether the last digit is the one that the others call for, after Luhn."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
