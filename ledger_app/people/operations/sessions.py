"""Ends the sessions of a user: what they are bound to is counted up. Those who are signed in by tokens are not: a token is ended by itself."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import User
from ledger_app.rights.queries.rights import rights_of

END: Final = "ledger_app.change_user"


def end(*, username: str, reason: str, caller: Caller) -> None:
    """Sign a user out wherever they are signed in.

    :raises errors.Refused: not_permitted, not_found
    """
    if caller.user.username != User.SYSTEM and END not in rights_of(caller.user):
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=_("End sessions"), who=_("An administrator"))])

    def work() -> None:
        user = locks.own_if_there(User.objects.named(username).exclude(username=User.SYSTEM))
        if user is None:
            raise errors.Refused([errors.NotFound(what=_("user"), name=username)])
        end_of(user)
        _record(user, "end_sessions", caller, reason)

    transactions.run(work)


def end_own(*, caller: Caller) -> None:
    """Sign the caller out wherever they are signed in. The door keeps the session that asks."""

    def work() -> None:
        user = locks.own_row(User, caller.user.pk)
        end_of(user)
        _record(user, "end_own_sessions", caller)

    transactions.run(work)


def end_of(user: User) -> None:
    """End the sessions of a user whose row is locked."""
    user.session_generation += 1
    # Nothing of the user that is told in the history.
    User.objects.filter(pk=user.pk).update(session_generation=user.session_generation)


def _record(user: User, action: str, caller: Caller, reason: str = "") -> None:
    audit.record(subject=audit.Subject("user", user.pk, user.username), action=action, caller=caller, facts={}, reason=reason)
