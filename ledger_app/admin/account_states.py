"""The buttons of an account: suspend, reopen, close."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.transitions import TransitionAdmin, shown_version
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Transition
from ledger_app.books.operations import accounts
from ledger_app.books.queries import account_states
from ledger_app.books.rules.accounts import ACCOUNT
from ledger_app.templatetags import look


class AccountTransitions(TransitionAdmin):
    """What can be done with an account."""

    machine = ACCOUNT

    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with."""
        caller = doorways.from_request(request, "admin")
        return account_states.facts(row, user=caller.user, at=caller.at)

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say of which account, and what is on it."""
        del transition
        return [
            (_("Account"), row.code),
            (_("Book"), row.book),
            (_("Balance"), look.amount_cell(account_states.balance_of(row), row.book)),
        ]

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        done = accounts.change(
            account_id=row.pk,
            name=transition.name,
            reason=str(posted.get("reason", "")),
            caller=caller,
            version=shown_version(posted),
        )
        return gettext("{account} is {state} now.").format(account=done.code, state=done.get_state_display())
