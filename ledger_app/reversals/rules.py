"""The reversal of one entry by hand: what was shown of it, its states, and who may decide it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import adjusting, reversing
from ledger_app.posting.rules.lots import ShownLot

FORM = "kakutei-reversal-1"
PROPOSE, DECIDE = "ledger_app.propose_reversal", "ledger_app.reverse_entry"
TICKET = re.compile(r"[!-~]*", re.ASCII)


class ShownBalance(NamedTuple):
    """An account of the reversal, with the sum of its lines on it and its balance before and after: signed, debit positive.

    ``is_bound`` says that the decision is bound to the balance: those of accounts without a floor move all the time and decide nothing.
    """

    account_id: int
    account: str
    category: str
    amount: int
    before: int
    is_bound: bool

    @property
    def after(self) -> int:
        """The balance after the reversal."""
        return self.before + self.amount


def digest(
    *, entry: bytes, effective_on: str, prior_period: str, balances: Sequence[ShownBalance], lots: Sequence[ShownLot] = ()
) -> str:
    """Return the SHA-256, in hexadecimal, of what is shown of a reversal and what a decision on it covers.

    ``entry`` is the digest of the entry that is reversed, which covers its lines.
    """
    bound = "".join([f"{each.account} {each.before} {each.after}\n" for each in balances if each.is_bound])
    bound += "".join(
        f"{each.account} {each.lot} {each.kind} {each.amount} {each.granted_on} {each.expires_on}\n" for each in lots
    )
    return hashlib.sha256(f"{FORM}\n{entry.hex()}\n{effective_on}\n{prior_period}\n{bound}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ReversalFacts:
    """What the guards of a reversal are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    user_id: int
    proposer: str
    proposer_id: int
    reference: str
    digest: str  # of what would be done now
    secret_known_to: tuple[str, ...]  # who proposed it and set the password of the person who asks
    digest_shown: str | None = None  # None: nothing was decided yet, as when the page is only shown
    refused: tuple[errors.LedgerError, ...] = ()  # why the ledger would not take it
    is_proposer_away: bool = False
    beyond_limits: tuple[errors.LedgerError, ...] = ()  # why it is more than the user may decide


def decider_is_another(facts: ReversalFacts) -> list[errors.LedgerError]:
    """Nobody decides what they proposed, superusers included."""
    return [reversing.OwnReversal(user=facts.user_name)] if facts.user_id == facts.proposer_id else []


def proposer_still_may(facts: ReversalFacts) -> list[errors.LedgerError]:
    """The proposer still has the right to propose."""
    return [adjusting.ProposerAway(user=facts.proposer)] if facts.is_proposer_away else []


def is_within_limits(facts: ReversalFacts) -> list[errors.LedgerError]:
    """What is taken back is, with what was decided lately, no more than the user may decide."""
    return list(facts.beyond_limits)


def proposer_withdraws(facts: ReversalFacts) -> list[errors.LedgerError]:
    """A person other than the proposer rejects it, and says why."""
    return [] if facts.user_id == facts.proposer_id else [adjusting.NotProposer(proposer=facts.proposer)]


def reversal_was_shown(facts: ReversalFacts) -> list[errors.LedgerError]:
    """The decision names what the reversal would do now."""
    # Once it is decided there is nothing to be shown, and the state is the reason.
    if facts.digest_shown is None or not facts.digest or facts.digest_shown == facts.digest:
        return []
    return [reversing.ReversalPreviewMoved(reference=facts.reference)]


def ledger_takes_it(facts: ReversalFacts) -> list[errors.LedgerError]:
    """Every rule of posting would let it pass, and nobody else is reversing the entry."""
    return list(facts.refused)


REVERSAL = Machine(
    subject="reversal",
    states={"proposed": _("Proposed"), "posted": _("Posted"), "rejected": _("Rejected"), "withdrawn": _("Withdrawn")},
    initial="proposed",
    transitions=(
        Transition(
            name="approve",
            label=_("Approve and post"),
            description=_(
                "Posts the entry that takes the other back, on the day and with the balances shown here. An entry is reversed once."
            ),
            sources=("proposed",),
            target="posted",
            right=DECIDE,
            who=_("Finance"),
            guards=(
                decider_is_another,
                decider_is_really_another,
                proposer_still_may,
                is_within_limits,
                reversal_was_shown,
                ledger_takes_it,
            ),
            decides=True,
            writes="the entry that reverses; who decided, when, and the digest of what was shown",
            phrase=_("approved and posted the reversal"),
        ),
        Transition(
            name="reject",
            label=_("Reject"),
            description=_("Nothing is posted. The entry may be proposed for reversal again."),
            sources=("proposed",),
            target="rejected",
            right=DECIDE,
            who=_("Finance"),
            guards=(decider_is_another,),
            reason_required=True,
            decides=True,
            writes="who decided and when",
            phrase=_("rejected the reversal"),
        ),
        Transition(
            name="withdraw",
            label=_("Withdraw"),
            description=_("The proposal is taken back, and nothing is posted. The entry may be proposed for reversal again."),
            sources=("proposed",),
            target="withdrawn",
            right=PROPOSE,
            who=_("Support and finance"),
            guards=(proposer_withdraws,),
            phrase=_("withdrew the proposal"),
        ),
    ),
)
