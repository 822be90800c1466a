"""The states of an account."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import members


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the guards of an account are asked with. ``balance`` is over all stripes, in minor units, in the natural direction."""

    state: str
    user_name: str
    rights: frozenset[str]
    account: str
    balance: int
    open_work: tuple[errors.LedgerError, ...] = ()  # what concerns the account and has not ended


def balance_is_zero(facts: AccountFacts) -> Sequence[errors.LedgerError]:
    """The balance, summed over the stripes, is zero."""
    return [members.AccountNotZero(account=facts.account, balance=facts.balance)] if facts.balance else []


def nothing_is_open(facts: AccountFacts) -> Sequence[errors.LedgerError]:
    """No proposal, hold or merge that concerns the account is open."""
    return facts.open_work


ACCOUNT = Machine(
    subject="account",
    states={"open": _("Open"), "suspended": _("Suspended"), "closed": _("Closed")},
    initial="open",
    transitions=(
        Transition(
            name="suspend",
            label=_("Suspend"),
            description=_("The account takes no lines until it is reopened. Its balance stays."),
            sources=("open",),
            target="suspended",
            right="ledger_app.suspend_account",
            who=_("Support or finance"),
            reason_required=True,
            phrase=_("suspended the account"),
        ),
        Transition(
            name="reopen",
            label=_("Reopen"),
            description=_("The account takes lines again."),
            sources=("suspended",),
            target="open",
            right="ledger_app.close_account",
            who=_("Finance"),
            reason_required=True,
            phrase=_("reopened the account"),
        ),
        Transition(
            name="close",
            label=_("Close the account"),
            description=_("The account never takes a line again. Nothing undoes this."),
            sources=("open", "suspended"),
            target="closed",
            right="ledger_app.close_account",
            who=_("Finance"),
            guards=(balance_is_zero, nothing_is_open),
            reason_required=True,
            decides=True,
            phrase=_("closed the account"),
        ),
    ),
)
