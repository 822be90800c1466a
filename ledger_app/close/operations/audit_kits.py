"""Keeps that the audit kit of a period was handed out, to whom and which one: before it is."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ledger_app import errors
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.close.rules import RIGHTS, TAKE, TAKERS
from ledger_app.models import Period
from ledger_app.rights.queries.rights import rights_of

ACTION = "take_kit"
COMMAND = "command"


def allow(*, period: Period, caller: Caller) -> None:
    """Refuse a user who may not take a kit home, and keep that they asked.

    :raises errors.Refused: not_permitted
    """
    # A person who runs commands can read the database itself: the audit row says who was at the machine.
    if caller.door == COMMAND or RIGHTS & rights_of(caller.user):
        return
    reason = errors.NotPermitted(user=caller.user.username, right=TAKE, who=TAKERS)
    transactions.run(partial(_record, period, caller, outcome="refused", reasons=[reason]))
    raise errors.Refused([reason])


def hand_out(*, period: Period, caller: Caller, facts: Mapping[str, Any]) -> None:
    """Write the audit row of a kit that is being handed out; the caller hands it out after that (``reports.audit_kits``)."""
    transactions.run(partial(_record, period, caller, facts=dict(facts)))


def _record(period: Period, caller: Caller, **said: Any) -> None:
    audit.record(subject=audit.Subject("period", period.pk, str(period)), action=ACTION, caller=caller, **said)
