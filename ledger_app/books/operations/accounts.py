"""Suspends, reopens and closes accounts."""

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.operations import transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.queries import account_states
from ledger_app.books.rules.accounts import ACCOUNT
from ledger_app.models import Account

CHANGES = frozenset(transition.name for transition in ACCOUNT.transitions)


def change(*, account_id: int, name: str, reason: str, caller: Caller, version: int | None = None) -> Account:
    """Carry out ``suspend``, ``reopen`` or ``close``. Postings to the account that are under way are waited for, and those after it see it.

    :raises errors.Refused: wrong_state, not_permitted, account_not_zero, open_work, lots_not_set_off, reason_required, stale; not_found where ``name`` is none of
        the three
    """
    if name not in CHANGES:
        raise errors.Refused([errors.NotFound(what=_("change of an account"), name=name)])

    return transitions.perform(
        transitions.Request(
            machine=ACCOUNT,
            name=name,
            model=Account,
            pk=account_id,
            caller=caller,
            # The account's own row is held alone; anyone who posts to it holds it shared, so that nothing moves its balance meanwhile.
            facts=lambda row: account_states.facts(row, user=caller.user, at=caller.at),
            reason=reason,
            version=version,
        )
    )
