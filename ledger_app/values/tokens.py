"""What a token is: how its key is made and known again, what it lets a program do, and for how long. Pure, but for chance."""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ledger_app.errors import LedgerError
from ledger_app.errors import tokens as refused
from ledger_app.values import instants

# So that anyone who finds a key knows what it is of.
MARK: Final = "kakutei_"
SECRET_BYTES: Final = 32
KEY: Final = re.compile(rf"{MARK}[0-9a-f]{{{SECRET_BYTES * 2}}}", re.ASCII)
PREFIX_MOST: Final = len(MARK) + 8
NAME_MOST: Final = 60
DAYS_LEAST: Final = 1
# Last use is written down no more often, so that a request that only reads stays one that only reads.
USE_EVERY: Final = timedelta(minutes=1)
# What only looks is free to the person who may look: a token does of what its user does what it is for, and reads what its user reads.
LOOKS: Final = re.compile(r"\w+\.(view|look)_\w+", re.ASCII)


class Key(NamedTuple):
    """A new key: the whole, which is shown this once, its beginning, and its digest, which are kept."""

    text: str
    prefix: str
    digest: bytes


def new_key() -> Key:
    """Return a key that nobody can find by trying, so that no slow hash is needed."""
    text = MARK + secrets.token_hex(SECRET_BYTES)
    return Key(text, text[:PREFIX_MOST], digest_of(text))


def is_like_key(said: str) -> bool:
    """Whether something has the form of a key: nothing else is worth asking the database for."""
    return KEY.fullmatch(said) is not None


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a key's secret."""
    return hashlib.sha256(bytes.fromhex(text.removeprefix(MARK))).digest()


def acts(rights: Iterable[str]) -> list[str]:
    """Return those of some rights that are more than looking, in order."""
    return sorted(right for right in rights if LOOKS.fullmatch(right) is None)


def narrowed(rights: frozenset[str], operations: Collection[str] | None) -> frozenset[str]:
    """Return what is left of a user's rights for a token: what only looks, and the operations that it is for."""
    return frozenset(right for right in rights if is_for(right, operations))


def is_for(right: str, operations: Collection[str] | None) -> bool:
    """Whether a token is for a right that its user has."""
    return operations is None or right in operations or LOOKS.fullmatch(right) is not None


class TokenFacts(NamedTuple):
    """What issuing a token is asked with. ``has`` are the user's rights, ``books`` the codes of all there are."""

    user: str
    is_superuser: bool
    is_own: bool
    is_program: bool
    by_system: bool
    may_give: bool
    caller: str
    has: frozenset[str]
    operations: Collection[str] | None
    books: Collection[str] | None
    known_books: frozenset[str]
    at: datetime
    ends_at: datetime
    days_most: int


def refusals(facts: TokenFacts) -> list[LedgerError]:
    """Return why a token is not issued: for whom first, then what it is for, then for how long."""
    found: list[LedgerError] = []
    if facts.is_superuser:
        found.append(refused.TokenOfAdministrator(user=facts.user))
    if not (facts.by_system or facts.is_own or (facts.may_give and facts.is_program)):
        found.append(refused.TokenOfPerson(user=facts.user, caller=facts.caller))
    found += [
        refused.OperationBeyondRights(user=facts.user, operation=each)
        for each in sorted(set(facts.operations or ()) - set(acts(facts.has)))
    ]
    found += [refused.TokenBookUnknown(book=each) for each in sorted(set(facts.books or ()) - facts.known_books)]
    if facts.books is not None and not facts.books:
        found.append(refused.NoBook())
    if not facts.at + timedelta(days=DAYS_LEAST) <= facts.ends_at <= facts.at + timedelta(days=facts.days_most):
        found.append(refused.TokenLifeBounded(most=facts.days_most, ends_at=instants.stamp(facts.ends_at)))
    return found
