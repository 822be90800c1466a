"""Tells who was locked out, and lets them in again. Counting the tries is the door's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import FailedTry, User
from ledger_app.rights.queries.rights import rights_of

RELEASE: Final = "ledger_app.change_user"
# What the name begins with under which tries are counted for a name that is no user's.
UNKNOWN: Final = "?"


def tell(*, user: User, address: str, minutes: int, caller: Caller) -> None:
    """Leave an audit row that a user is locked out from an address, for so many minutes."""
    transactions.run(lambda: _record(user.pk, user.username, "lock_out", caller, {"address": address, "minutes": minutes}))


def release(*, attempt_id: int, caller: Caller) -> bool:
    """Forget the failed tries of a name from an address, so that they may try again; return whether there were any.

    :raises errors.Refused: not_permitted
    """
    if RELEASE not in rights_of(caller.user):
        right, who = _("Release lock-outs"), _("An administrator")
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=right, who=who)])

    def work() -> bool:
        row: Any = locks.own_if_there(FailedTry.objects.filter(pk=attempt_id))
        if row is None:
            return False
        user = User.objects.named(row.username).first() if not row.username.startswith(UNKNOWN) else None
        facts = {"address": row.address, "failures": row.failures_since_start}
        FailedTry.objects.filter(pk=row.pk).delete()
        _record(user.pk if user else 0, user.username if user else UNKNOWN, "release_lock_out", caller, facts)
        return True

    return transactions.run(work)


def date(*, name: str, address: str, at: datetime) -> None:
    """Say when the last try under a name from an address was made."""
    transactions.run(lambda: FailedTry.objects.filter(username=name, ip_address=address).update(attempt_time=at))


def forget(before: datetime) -> int:
    """Forget failed tries to sign in that were made before an instant, with the names and addresses; return how many were there."""
    count: int = transactions.run(lambda: FailedTry.objects.filter(attempt_time__lt=before).delete()[0])
    return count


def _record(user_id: int, name: str, action: str, caller: Caller, facts: Mapping[str, Any]) -> None:
    audit.record(subject=audit.Subject("user", user_id, name), action=action, caller=caller, facts=facts)
