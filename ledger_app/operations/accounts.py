"""Suspends, reopens and closes accounts."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.models import Account
from ledger_app.operations import transitions
from ledger_app.operations.audit import Caller
from ledger_app.queries import account_states
from ledger_app.rules.accounts import ACCOUNT, AccountFacts
from ledger_app.rules.posting import balance_id

CHANGES = frozenset(transition.name for transition in ACCOUNT.transitions)


def change(*, account_id: int, name: str, reason: str, caller: Caller, version: int | None = None) -> Account:
    """Carry out ``suspend``, ``reopen`` or ``close``. Postings to the account that are under way are waited for, and those after it see it.

    :raises errors.Refused: wrong_state, not_permitted, account_not_zero, open_work, reason_required, stale; not_found where ``name`` is none of
        the three
    """
    if name not in CHANGES:
        raise errors.Refused([errors.NotFound(what=_("change of an account"), name=name)])

    def facts(row: Account) -> AccountFacts:
        # No period: nothing is posted. Whoever posts reads the account under these same locks.
        locks.ledger(
            book_ids=(),
            first_on=date.min,
            last_on=date.min,
            holder_ids=() if row.holder_id is None else (row.holder_id,),
            balance_ids=[balance_id(row.pk, stripe) for stripe in range(row.stripes)],
        )
        return account_states.facts(row, user=caller.user)

    return transitions.perform(
        transitions.Request(
            machine=ACCOUNT,
            name=name,
            model=Account,
            pk=account_id,
            caller=caller,
            facts=facts,
            reason=reason,
            version=version,
        )
    )
