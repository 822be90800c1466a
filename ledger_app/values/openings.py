"""What books, accounts and whatever else has a name may be called, and which numbers they may have: told before a database would refuse it."""

import re
import unicodedata
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors import bounds
from ledger_app.errors.printable import unseen

CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CODE_MOST: Final = 64
EXPONENT_MOST: Final = 6
FLOOR_MOST: Final = 10**18
NAME_MOST: Final = 100
UNIT_MOST: Final = 12


def is_code(text: str, most: int) -> bool:
    """Return whether a text may be a code: what is none names nothing, and no database need be asked."""
    return len(text) <= most and CODE.fullmatch(text) is not None


def name(what: Any, text: str, most: int = NAME_MOST) -> list[errors.LedgerError]:
    """Return what is wrong with a name that people read."""
    if 0 < len(text) <= most and text == text.strip() and not unseen(text):
        return []
    return [bounds.LabelInvalid(text=text[: most + 1], what=what, most=most)]


def unit(text: str) -> list[errors.LedgerError]:
    """Return what is wrong with the name of a unit, which is written in one width only: ＪＰＹ would be another unit than JPY."""
    found = name("unit", text, UNIT_MOST)
    if not found and unicodedata.normalize("NFKC", text) != text:
        found = [bounds.NotOneOf(name=text, what=_("unit"), known=unicodedata.normalize("NFKC", text))]
    return found


def number(what: Any, value: int, least: int, most: int) -> list[errors.LedgerError]:
    """Return what is wrong with a number."""
    is_within = type(value) is int and least <= value <= most  # True is an int to isinstance
    return [] if is_within else [bounds.NumberOutOfRange(what=what, number=value, least=least, most=most)]


def one_of(what: Any, text: str, known: list[str]) -> list[errors.LedgerError]:
    """Return what is wrong with a word of which only some are known."""
    return [] if text in known else [bounds.NotOneOf(name=text[:NAME_MOST], what=what, known=", ".join(known))]
