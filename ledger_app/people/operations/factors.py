"""Keeps what users sign in with beside a name and a password, and takes it away. Each change has an audit row; no row tells a secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors.signing import FactorsFull, OwnFactors, PasskeyKnown
from ledger_app.models import RecoveryCode, SecondFactor, User
from ledger_app.people.operations import sessions
from ledger_app.people.rules import factors as rules
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import fingerprints

RESET: Final = "ledger_app.change_user"


def add_app(*, name: str, key_name: str, content: bytes, step: int, caller: Caller) -> None:
    """Store an app of the caller as a second factor: its sealed secret, and the time step of the code that proved it.

    :raises errors.Refused: factors_full
    """
    added = SecondFactor(
        user=caller.user, kind="app", name=name, key_name=key_name, content=content, step=step, added_at=caller.at
    )
    _add(added, caller)


def add_passkey(*, name: str, credential_digest: bytes, content: bytes, step: int, caller: Caller) -> None:
    """Keep a passkey of the caller's.

    :raises errors.Refused: factors_full, passkey_known
    """
    added = SecondFactor(
        user=caller.user,
        kind="passkey",
        name=name,
        credential_digest=credential_digest,
        content=content,
        step=step,
        added_at=caller.at,
    )
    _add(added, caller)


def remove(*, factor_id: int, caller: Caller) -> bool:
    """Take away a second factor of the caller's; return whether it was there. With the last of them the recovery codes go.

    What the caller is signed in with elsewhere ends.
    """

    def work() -> bool:
        user = locks.own_row(User, caller.user.pk)
        row = SecondFactor.objects.filter(pk=factor_id, user=user).first()
        if row is None:
            return False
        row.delete()
        if not SecondFactor.objects.filter(user=user).exists():
            RecoveryCode.objects.filter(user=user).delete()
        sessions.end_of(user)
        _record(user, "remove_factor", caller, {"kind": row.kind, "name": row.name, "added_at": row.added_at.isoformat()})
        return True

    return transactions.run(work)


def make_codes(*, caller: Caller) -> list[str]:
    """Make recovery codes for the caller, in the place of those that are there, and return them: they are told this once."""

    def work() -> list[str]:
        user = locks.own_row(User, caller.user.pk)
        codes = rules.new_codes()
        RecoveryCode.objects.filter(user=user).delete()
        digests = [rules.digest_of(code, user_id=user.pk) for code in codes]
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=digest, made_at=caller.at) for digest in digests)
        kept = sorted(map(fingerprints.of, digests))
        _record(user, "make_recovery_codes", caller, {"count": len(codes), "codes": kept})
        return codes

    return transactions.run(work)


def use_code(*, said: str, caller: Caller) -> bool:
    """Take a recovery code of the caller's, who is about to be signed in; return whether it was one. It counts this once."""

    def work() -> bool:
        user = locks.own_row(User, caller.user.pk)
        digest = rules.digest_of(said, user_id=user.pk)
        gone, _kinds = RecoveryCode.objects.filter(user=user, digest=digest).delete()
        if gone:
            left = RecoveryCode.objects.filter(user=user).count()
            _record(user, "use_recovery_code", caller, {"left": left, "code": fingerprints.of(digest)})
        return bool(gone)

    return transactions.run(work)


def use(*, factor_id: int, step: int, at: datetime, is_counting: bool = True) -> bool:
    """Note that a second factor was used; return False where what it showed was used before, or it is there no more.

    ``is_counting`` is False of a passkey that counts nothing, and so cannot tell a copy.
    """

    def work() -> bool:
        row = locks.own_if_there(SecondFactor.objects.filter(pk=factor_id))
        if row is None or row.failures >= rules.FAILURES_MOST or (is_counting and step <= row.step):
            return False
        row.step, row.failures, row.last_used_at = max(step, row.step), 0, at
        row.save(update_fields=["step", "failures", "last_used_at"])
        return True

    return transactions.run(work)


def failed(*, user_id: int) -> None:
    """Count a wrong code against each app of a user."""

    def work() -> None:
        for row in locks.beside_own(SecondFactor.objects.filter(user=user_id, kind="app")):
            row.failures += 1
            row.save(update_fields=["failures"])

    transactions.run(work)


def reset(*, username: str, reason: str, caller: Caller) -> bool:
    """Take away all second factors and recovery codes of somebody else and end their sessions; return whether there were any.

    :raises errors.Refused: not_permitted, not_found, own_factors
    """
    is_machine = caller.user.username == User.SYSTEM
    if not is_machine and RESET not in rights_of(caller.user):
        raise errors.Refused(
            [errors.NotPermitted(user=caller.user.username, right=_("Reset second factors"), who=_("An administrator"))]
        )

    def work() -> bool:
        user = locks.own_if_there(User.objects.named(username))
        if user is None or user.username == User.SYSTEM:
            raise errors.Refused([errors.NotFound(what=_("user"), name=username)])
        if user.pk == caller.user.pk:
            raise errors.Refused([OwnFactors()])
        names = sorted(SecondFactor.objects.filter(user=user).values_list("name", flat=True))
        SecondFactor.objects.filter(user=user).delete()
        codes, _kinds = RecoveryCode.objects.filter(user=user).delete()
        if not names and not codes:
            return False
        sessions.end_of(user)
        _record(user, "reset_factors", caller, {"names": names, "codes": codes}, reason)
        return True

    return transactions.run(work)


def _add(added: SecondFactor, caller: Caller) -> None:
    def work() -> None:
        user = locks.own_row(User, caller.user.pk)
        if SecondFactor.objects.filter(user=user).count() >= rules.FACTORS_MOST:
            raise errors.Refused([FactorsFull(most=rules.FACTORS_MOST)])
        digest = added.credential_digest
        if digest is not None and SecondFactor.objects.filter(credential_digest=digest).exists():
            raise errors.Refused([PasskeyKnown()])
        added.save(force_insert=True)
        sessions.end_of(user)
        content = fingerprints.of_factor(added.key_name, added.content, digest)
        _record(user, "add_factor", caller, {"kind": added.kind, "name": added.name, "content": content})

    transactions.run(work)


def _record(user: User, action: str, caller: Caller, facts: Mapping[str, Any], reason: str = "") -> None:
    audit.record(subject=audit.Subject("user", user.pk, user.username), action=action, caller=caller, facts=facts, reason=reason)
