"""Identifiers as they are kept: which values to look for, and what to keep of a new one.

The keys of card numbers are read here, from the settings, and nowhere else: they are no argument that a caller could choose, log or lose.
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.errors import card_numbers, members
from ledger_app.models import Identifier
from ledger_app.values import identifiers, openings
from ledger_app.values.identifiers import KINDS, CardKey, Hashed


class Known(NamedTuple):
    """A stored identifier: its holder, and the days on which it is in use. ``is_old``: its hash is under a key that is not the newest."""

    id: int
    holder_id: int
    is_old: bool
    active_from: date | None
    active_to: date | None


def had(kind: str, value: str, known: Known, on: date) -> errors.LedgerError:
    """Refuse an identifier that a member had before, or has until a day after ``on``: no operation gives it to another."""
    assert known.active_to is not None  # noqa: S101 - one without a last day is had by nobody
    text = identifiers.shown(kind, value, identifiers.card_digits(value)[-4:])
    return members.with_end(known.active_to, on, kind=KINDS[kind].label, value=text)


def card_keys() -> list[CardKey]:
    """Return the keys of card numbers, the newest first."""
    return [CardKey(name, secret) for name, secret in settings.KAKUTEI_CARD_KEYS.items()]


def check(kind: str, value: str) -> list[errors.LedgerError]:
    """Return why ``value`` cannot be an identifier of this kind. No sentence repeats what reads like a card number."""
    if kind not in KINDS:
        return [errors.NotFound(what=_("kind of identifier"), name=card_numbers.masked_text(kind[:32]))]
    if KINDS[kind].is_secret:
        if not identifiers.card_digits(value):
            return [members.CardNumberInvalid()]
        return [] if card_keys() else [members.CardKeyMissing()]
    if card_numbers.holds(value):
        return [members.CardNumberInClear(kind=KINDS[kind].label)]
    if not openings.is_code(value, identifiers.VALUE_MOST):
        most = identifiers.VALUE_MOST
        return [errors.CodeInvalid(name=card_numbers.masked_text(value[:most]), most=most)]
    return []


def kept(kind: str, value: str) -> Hashed:
    """Return what is kept of an identifier that ``check`` has passed: a card number as its hash under the newest key."""
    if KINDS[kind].is_secret:
        return identifiers.hashed(identifiers.card_digits(value), card_keys()[0])
    return Hashed(value, "", "")


def find(kind: str, values: Collection[str]) -> dict[str, Known]:
    """Return those of ``values`` that are there, each by the value as it was given: a card number under any of the keys."""
    newest = ""
    # As it is kept → as it was given.
    given = dict(zip(values, values, strict=True))
    if kind in KINDS and KINDS[kind].is_secret:
        keys = card_keys()
        newest = keys[0].name if keys else ""
        given = {kept: value for value in values for kept in _hashes(value, keys)}
    found: dict[str, Known] = {}
    for part in sql.parts(sorted(given)):
        rows = Identifier.objects.filter(kind=kind, value__in=part).values_list(
            "value", "id", "holder_id", "key_name", "active_from", "active_to"
        )
        for value, key, holder_id, key_name, *span in rows:
            found[given[value]] = Known(key, holder_id, bool(key_name) and key_name != newest, *span)
    return found


def _hashes(value: str, keys: list[CardKey]) -> Iterable[str]:
    digits = identifiers.card_digits(value)
    return (hashed.value for hashed in identifiers.candidates(digits, keys)) if digits else ()
