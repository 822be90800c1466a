"""Binds users to whom a provider of single sign-on knows them as, and unbinds them. Each change has an audit row, which has a fingerprint of the subject.

Users bind themselves, signed in, and an operator at the shell anybody. No administrator binds somebody else: anyone who chose the subject could sign in as the
user, and be both people of a decision.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors.signing import IdentityBound, IdentityInvalid, IdentityKnown, IdentityOfProgram, IdentityOnlyWay
from ledger_app.models import Identity, User
from ledger_app.people.operations import sessions
from ledger_app.people.rules import identities
from ledger_app.rights.queries.rights import is_program, rights_of
from ledger_app.values import fingerprints

UNBIND: Final = "ledger_app.change_user"


def bind(*, username: str, issuer: str, subject: str, caller: Caller, reason: str = "") -> bool:
    """Bind a user to an identity, in the caller's own name or as the system, and end what they are signed in with elsewhere; return False where it was so.

    :raises errors.Refused: not_permitted, not_found, identity_invalid, identity_of_program, identity_known, identity_bound
    """
    _check_caller(username, caller)
    if not identities.is_subject(subject):
        raise errors.Refused([IdentityInvalid()])

    def work() -> bool:
        user = locks.own_if_there(User.objects.named(username).exclude(username=User.SYSTEM))
        if user is None:
            raise errors.Refused([errors.NotFound(what=_("user"), name=username)])
        if is_program(user):
            raise errors.Refused([IdentityOfProgram(user=user.username)])
        there = Identity.objects.filter(user=user).first()
        if there is not None:
            if (there.issuer, there.subject) == (issuer, subject):
                return False
            raise errors.Refused([IdentityBound(user=user.username)])
        if Identity.objects.filter(issuer=issuer, subject=subject).exists():
            raise errors.Refused([IdentityKnown()])
        row = Identity(user=user, issuer=issuer, subject=subject, bound_by=caller.user, bound_at=caller.at)
        row.save(force_insert=True)
        sessions.end_of(user)
        _record(row, "bind_identity", caller, {}, reason)
        return True

    return transactions.run(work)


def unbind(*, username: str, caller: Caller, reason: str = "") -> bool:
    """Take a user's identity away, one's own or as an administrator or the system, and end their sessions; return whether there was one.

    :raises errors.Refused: not_permitted, not_found, identity_only_way
    """
    is_own = User.objects.named(username).filter(pk=caller.user.pk).exists()
    if not is_own and caller.user.username != User.SYSTEM and UNBIND not in rights_of(caller.user):
        right, who = _("Unbind identities"), _("An administrator")
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=right, who=who)])

    def work() -> bool:
        user = locks.own_if_there(User.objects.named(username))
        if user is None:
            raise errors.Refused([errors.NotFound(what=_("user"), name=username)])
        if is_own and not user.has_usable_password():
            raise errors.Refused([IdentityOnlyWay(user=user.username)])
        return _unbind(user, caller, reason, "own" if is_own else "taken")

    return transactions.run(work)


def end_own(user: User, caller: Caller) -> bool:
    """Unbind what a user bound in their own name: somebody who knew the password may have bound it. The user's row is locked, and the transaction open."""
    return Identity.objects.filter(user=user, bound_by=user).exists() and _unbind(user, caller, "", "password")


def _check_caller(username: str, caller: Caller) -> None:
    if caller.user.username != User.SYSTEM and not User.objects.named(username).filter(pk=caller.user.pk).exists():
        right, who = _("Bind somebody else's identity"), _("An operator at the shell")
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=right, who=who)])


def _unbind(user: User, caller: Caller, reason: str, why: str) -> bool:
    row = Identity.objects.filter(user=user).first()
    if row is None:
        return False
    Identity.objects.filter(pk=row.pk).delete()
    sessions.end_of(user)
    _record(row, "unbind_identity", caller, {"why": why}, reason)
    return True


def _record(row: Identity, action: str, caller: Caller, more: Mapping[str, Any], reason: str) -> None:
    facts = {"issuer": row.issuer, "subject": fingerprints.of(row.subject.encode()), **more}
    subject = audit.Subject("user", row.user_id, row.user.username)
    audit.record(subject=subject, action=action, caller=caller, facts=facts, reason=reason)
