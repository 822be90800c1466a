"""Which tokens there are, and whose a key is."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.models import Book, Token, User
from ledger_app.rights.queries.rights import is_program, rights_of
from ledger_app.rights.rules.rights import GIVE_TOKENS
from ledger_app.values import tokens as rules
from ledger_app.values.tokens import TokenFacts


def live(at: datetime) -> QuerySet[Token]:
    """Return the tokens that open something at an instant."""
    return Token.objects.filter(ended_at__isnull=True, ends_at__gt=at)


def of_key(text: str, *, at: datetime) -> Token | None:
    """Return the token of a key with its user; None where there is none, it has ended, or its user may not log in or may do everything.

    What does not have the form of a key is asked of no database.
    """
    if not rules.is_like_key(text):
        return None
    found = live(at).select_related("user").filter(digest=rules.digest_of(text))
    return found.filter(user__is_active=True, user__is_superuser=False).first()


def narrow(user: User, token: Token) -> None:
    """Have a user who was found by a token do what the token is for, and no more."""
    user.narrowed_to = None if token.operations is None else frozenset(token.operations)
    user.only_books = None if token.books is None else frozenset(token.books)


def of(user: User) -> QuerySet[Token]:
    """Return the tokens of a user, those that are good first."""
    return Token.objects.filter(user=user).select_related("issued_by", "ended_by", "replaced_by").order_by("ended_at", "-id")


def listed(*, username: str, at: datetime, is_all: bool) -> QuerySet[Token]:
    """Return the tokens of a user, or of everybody, that are good; or all that there ever were."""
    rows = Token.objects.all() if is_all else live(at)
    if username:
        rows = rows.filter(user__in=User.objects.named(username))
    return rows.select_related("user", "issued_by").order_by("user__username", "id")


def named(user: User, name: str, *, at: datetime) -> Token | None:
    """Return the token of a user that is good and has a name, and that no other one has replaced."""
    return live(at).filter(user=user, name=name, replaced_by__isnull=True).order_by("-id").first()


def facts(
    user: User,
    *,
    caller: User,
    caller_has: frozenset[str],
    operations: Collection[str] | None,
    books: Collection[str] | None,
    at: datetime,
    ends_at: datetime,
    days_most: int,
) -> TokenFacts:
    """Return what the rules are asked with."""
    return TokenFacts(
        user=user.username,
        is_superuser=user.is_superuser,
        is_own=user.pk == caller.pk,
        is_program=is_program(user),
        by_system=caller.username == User.SYSTEM,
        may_give=GIVE_TOKENS in caller_has,
        caller=caller.username,
        has=rights_of(user),
        operations=operations,
        books=books,
        known_books=frozenset(Book.objects.filter(code__in=books or ()).values_list("code", flat=True)),
        at=at,
        ends_at=ends_at,
        days_most=days_most,
    )


def of_prefix(prefix: str, *, username: str = "") -> Token:
    """Return the newest token, of a user where one is named, whose key begins so.

    :raises errors.Refused: not_found
    """
    rows = Token.objects.select_related("user").filter(prefix=prefix).order_by("-id")
    if username:
        rows = rows.filter(user__in=User.objects.named(username))
    found = rows.first()
    if found is None:
        raise errors.Refused([errors.NotFound(what=_("token"), name=prefix)])
    return found
