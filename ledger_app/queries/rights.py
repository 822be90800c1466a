"""What a user may do."""

from collections.abc import Iterable
from typing import Any

from ledger_app.models import User
from ledger_app.rules import rights, tokens
from ledger_app.rules.adjustments import EXPIRE


def rights_of(user: User) -> frozenset[str]:
    """Return a user's rights as ``app.codename``. The system has an engineer's: it receives, validates and applies, and decides nothing.

    And it marks proposals that nobody decided in time, which is nobody's decision.
    """
    if user.username == User.SYSTEM:
        kept_back = {"ingestion_app.withdraw_batch", "ingestion_app.reverse_batch"}
        return (frozenset(rights.ACTIONS["engineer"]) - kept_back) | {EXPIRE}
    return frozenset(user.get_all_permissions())


def of_program(user: User) -> frozenset[str]:
    """Return the rights that a user has as a program: of no group in which people are. A person, superusers included, has none."""
    groups = set(user.groups.values_list("name", flat=True))
    if groups != {"machine"} or user.is_superuser or not user.is_active:
        return frozenset()
    return tokens.narrowed(frozenset(rights.ACTIONS["machine"]), user.narrowed_to)


def as_now(user: User) -> User:
    """Return a user as the row says now, narrowed as before: whoever is asked a second time answers from memory."""
    found = User.objects.get(pk=user.pk)
    found.narrowed_to, found.only_books = user.narrowed_to, user.only_books
    return found


def secret_known_to(user: User, hands: Iterable[User | None]) -> tuple[str, ...]:
    """Return who of those that had a hand in something set the password of a user, and so can sign in as the user; once each."""
    # Asked first: of most users it is nobody, and then no row of those others need be read.
    if user.secret_known_to_id is None:
        return ()
    return tuple(dict.fromkeys(each.username for each in hands if each is not None and each.pk == user.secret_known_to_id))


def is_program(user: Any) -> bool:
    """Return whether a user stands for a program and for no person: posts entries, or places holds and may not look at what people look at."""
    if user.is_superuser:
        return False
    places = user.has_perm("ledger_app.place_hold") and not user.has_perm(rights.LOOK_AT_ALL)
    return bool(places or user.has_perm("ledger_app.post_entry"))
