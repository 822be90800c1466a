"""What a user may do."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from ledger_app.models import User
from ledger_app.rights.rules import rights
from ledger_app.values import tokens

# What programs do and no group of people does.
OF_PROGRAMS_ALONE = frozenset(act for name in rights.OF_PROGRAMS for act in rights.ACTIONS[name]) - {
    act for name, acts in rights.ACTIONS.items() if name not in rights.OF_PROGRAMS for act in acts
}


def rights_of(user: User) -> frozenset[str]:
    """Return a user's rights as ``app.codename``. The system has an engineer's: it receives, validates and applies, and decides nothing.

    And it marks proposals that nobody decided in time, and periods whose time is over, which is nobody's decision.
    """
    if user.username == User.SYSTEM:
        kept_back = {"ingestion_app.withdraw_batch", "ingestion_app.reverse_batch"}
        return (frozenset(rights.ACTIONS["engineer"]) - kept_back) | {rights.EXPIRE, rights.KEEP_TIMES}
    return frozenset(user.get_all_permissions())


def of_program(user: User) -> frozenset[str]:
    """Return the rights that a user has as a program: of no group in which people are. A person, superusers included, has none."""
    groups = programs().filter(pk=user.pk).values_list("groups__name", flat=True)
    return tokens.narrowed(frozenset(act for name in groups for act in rights.ACTIONS[name]), user.narrowed_to)


def programs() -> QuerySet[User]:
    """Return the users who are programs: active, in groups, all of them of programs. Anyone who is in a group of people besides is a person."""
    of_people = User.objects.filter(groups__in=Group.objects.exclude(name__in=rights.OF_PROGRAMS))
    found = User.objects.filter(is_active=True, is_superuser=False, groups__name__in=rights.OF_PROGRAMS)
    return found.exclude(pk__in=of_people.values("pk")).distinct()


def as_now(user: User) -> User:
    """Return a user as the row says now, narrowed as before: a user object that has been asked once answers from memory."""
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
    """Return whether a user stands for a program and for no person."""
    # Asked first, of what is known of the person who has come in: of people who have no right of programs no row is read.
    if user.is_superuser or not OF_PROGRAMS_ALONE & user.get_group_permissions():
        return False
    return programs().filter(pk=user.pk).exists()
