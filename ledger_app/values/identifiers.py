"""The kinds of identifiers, and what makes a number a card number. Pure: the keys are given."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app.errors.card_numbers import checks

MEMBER_NUMBER = "member_number"
CARD_TOKEN = "card_token"  # noqa: S105 - a kind, not a secret
CARD_NUMBER = "card_number"

VALUE_MOST = 64
PREFIX_LEAST = 3  # characters of a member number or a name that are looked for by their beginning
DIGITS = re.compile(r"[0-9]{13,19}")
LAST_FOUR = re.compile(r"[*…]?([0-9]{4})")


class IdentifierKind(NamedTuple):
    """A kind of identifier. A secret one is kept as a keyed hash and shown by its last four."""

    label: str | Promise
    is_secret: bool = False


# Room for more: anyone who adds one adds a line here, and nothing else.
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
    return digits if DIGITS.fullmatch(digits) and checks(digits) else ""


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
