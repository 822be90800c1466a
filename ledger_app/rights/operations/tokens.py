"""Issues tokens, has one follow another without a gap, and ends them. Each change has an audit row; no row tells a key."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import tokens as refused
from ledger_app.errors.words import phrase
from ledger_app.models import Token, User
from ledger_app.rights.queries import tokens as asked
from ledger_app.rights.queries.rights import as_now, rights_of
from ledger_app.rights.rules.rights import GIVE_TOKENS
from ledger_app.values import fingerprints, instants, openings
from ledger_app.values import tokens as rules

GIVING = _("Issue tokens")
SUBJECT = "token"


class Issued(NamedTuple):
    """A token, and its key, which is told this once: nothing where the token was there."""

    token: Token
    key: str = ""


def issue(
    *,
    username: str,
    name: str,
    operations: Collection[str] | None,
    books: Collection[str] | None,
    ends_at: datetime,
    days_most: int,
    caller: Caller,
) -> Issued:
    """Issue a token to a user: one's own, or as an administrator that of a program; the system issues what an operator asks for.

    ``operations`` are rights of the user, and ``books`` codes of books; None is all that the user has, now and later. Where the user has a token of this name
    for the same, that is what is returned.

    :raises errors.Refused: label_invalid, not_found (an active user), definition_conflict, and what rules.tokens refuses
    """
    if found := openings.name("name of a token", name, rules.NAME_MOST):
        raise errors.Refused(found)
    wanted = _sorted(operations), _sorted(books)

    def work() -> Issued:
        user, caller_has = _locked_user(username, caller)
        facts = asked.facts(
            user,
            caller=caller.user,
            caller_has=caller_has,
            operations=operations,
            books=books,
            at=caller.at,
            ends_at=ends_at,
            days_most=days_most,
        )
        if refusals := rules.refusals(facts):
            raise errors.Refused(refusals)
        there = asked.named(user, name, at=caller.at)
        if there is not None:
            if (there.operations, there.books) != wanted:
                differs = phrase(_("another token of this name is for other operations or books"))
                raise errors.Refused([errors.DefinitionConflict(what=_("Token"), name=name, differs=differs)])
            return Issued(there)
        return _create(Token(user=user, name=name, operations=wanted[0], books=wanted[1], ends_at=ends_at), "issue", caller, {})

    return transactions.run(work)


def replace(*, token_id: int, old_ends_at: datetime, ends_at: datetime, days_most: int, caller: Caller) -> Issued:
    """Issue a token with the rights of a good one, which ends at ``old_ends_at``. A good replacement that is there already is returned.

    :raises errors.Refused: not_found, token_ended, token_replacement_ended, token_overlap_bounded, and what rules.tokens refuses
    """

    def work() -> Issued:
        old = _found(token_id)
        user, caller_has = _locked_user(old.user.username, caller)
        old = Token.objects.select_related("user").get(pk=old.pk)
        facts = asked.facts(
            user,
            caller=caller.user,
            caller_has=caller_has,
            # What its user may do no more, the new one may not either, without being refused for it: the old one was for that, and nothing else.
            operations=None,
            books=old.books,
            at=caller.at,
            ends_at=ends_at,
            days_most=days_most,
        )
        if refusals := rules.refusals(facts):
            raise errors.Refused(refusals)
        there = Token.objects.filter(replaces=old).first()
        if there is not None and there.ended_at is None and there.ends_at > caller.at:
            return Issued(there)
        if old.ended_at is not None or old.ends_at <= caller.at:
            raise errors.Refused([refused.TokenEnded(prefix=old.prefix, user=user.username)])
        if there is not None:
            raise errors.Refused([refused.TokenReplacementEnded(prefix=old.prefix, user=user.username, by=there.prefix)])
        if not caller.at <= old_ends_at <= old.ends_at:
            raise errors.Refused([refused.TokenOverlapBounded(ends_at=instants.stamp(old.ends_at))])
        new = Token(user=user, name=old.name, operations=old.operations, books=old.books, ends_at=ends_at, replaces=old)
        Token.objects.filter(pk=old.pk).update(ends_at=old_ends_at)
        facts_told = {"replaces": old.prefix, "replaces_id": old.pk, "old_ends_at": old_ends_at.isoformat()}
        return _create(new, "replace", caller, facts_told)

    return transactions.run(work)


def end(*, token_id: int, caller: Caller) -> bool:
    """End a token: one's own, or as an administrator anybody's; return whether it was good.

    :raises errors.Refused: not_found, not_permitted
    """

    def work() -> bool:
        row = _found(token_id)
        user, caller_has = _locked_user(row.user.username, caller, is_ending=True)
        is_operator = caller.user.username == User.SYSTEM
        if not (is_operator or user.pk == caller.user.pk or GIVE_TOKENS in caller_has):
            raise errors.Refused(
                [errors.NotPermitted(user=caller.user.username, right=GIVING, who=_("Its user, or an administrator"))]
            )
        return bool(_end(user, Q(pk=row.pk), Token.Ending.REVOKED, caller))

    return transactions.run(work)


def end_of(user: User, why: Token.Ending, caller: Caller) -> int:
    """End all tokens of a user whose row is locked, in the transaction that is open; return how many were good."""
    return _end(user, Q(), why, caller)


def used(*, token_id: int, at: datetime) -> None:
    """Keep that a token was used, unless that was kept a moment ago: by whichever of several requests comes first."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - rules.USE_EVERY)
    transactions.run(lambda: Token.objects.filter(stale, pk=token_id).update(last_used_at=at))


def _locked_user(username: str, caller: Caller, *, is_ending: bool = False) -> tuple[User, frozenset[str]]:
    """Lock and return the user who owns the token, with the caller's rights of now: no token is issued while the user is being disabled."""
    rows = User.objects.named(username).exclude(username=User.SYSTEM)
    user = locks.own_if_there(rows if is_ending else rows.filter(is_active=True))
    if user is None:
        raise errors.Refused([errors.NotFound(what=_("active user"), name=username)])
    return user, rights_of(as_now(caller.user))


def _found(token_id: int) -> Token:
    row = Token.objects.select_related("user").filter(pk=token_id).first()
    if row is None:
        raise errors.Refused([errors.NotFound(what=_("token"), name=token_id)])
    return row


def _create(row: Token, action: str, caller: Caller, facts: Mapping[str, Any]) -> Issued:
    key = rules.new_key()
    row.prefix, row.digest, row.issued_by, row.issued_at = key.prefix, key.digest, caller.user, caller.at
    row.pk = None
    row.save(force_insert=True)
    told = {"operations": row.operations, "books": row.books, "ends_at": row.ends_at.isoformat(), **facts}
    told["key"] = fingerprints.of(row.digest)
    _record(row, action, caller, told)
    return Issued(row, key.text)


def _end(user: User, which: Q, why: Token.Ending, caller: Caller) -> int:
    rows = list(asked.live(caller.at).filter(which, user=user).order_by("id"))
    for row in rows:
        row.ended_at, row.ended_by, row.ending = caller.at, caller.user, why
        row.save(update_fields=["ended_at", "ended_by", "ending"])
        _record(row, "end", caller, {"why": str(why)})
    return len(rows)


def _sorted(given: Collection[str] | None) -> list[str] | None:
    return None if given is None else sorted(set(given))


def _record(row: Token, action: str, caller: Caller, facts: Mapping[str, Any]) -> None:
    told = {"user": row.user.username, "name": row.name, **facts}
    audit.record(subject=audit.Subject(SUBJECT, row.pk, row.prefix), action=action, caller=caller, facts=told)
