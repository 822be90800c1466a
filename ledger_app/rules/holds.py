"""The states of a hold."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError
from ledger_app.errors import lots as lot_errors
from ledger_app.rules.transitions import Machine, Transition


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """What the guards of a hold are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    reference: str
    held: int
    expires_at: datetime
    at: datetime
    amount: int | None = None  # to be settled; None: not said yet, as where the hold is only shown


def is_not_over(facts: HoldFacts) -> list[LedgerError]:
    """The hold's time is not over."""
    if facts.state != "open" or facts.at < facts.expires_at:
        return []
    return [lot_errors.HoldOver(reference=facts.reference, until=facts.expires_at.isoformat())]


def holds_as_much(facts: HoldFacts) -> list[LedgerError]:
    """What is to be settled is something, and no more than is held."""
    if facts.amount is None or 1 <= facts.amount <= facts.held:
        return []
    return [lot_errors.HoldExceeded(reference=facts.reference, held=facts.held, amount=facts.amount)]


HOLD = Machine(
    subject="hold",
    states={"open": _("Open"), "settled": _("Settled"), "released": _("Released"), "expired": _("Expired")},
    initial="open",
    transitions=(
        Transition(
            name="settle",
            label=_("Settle"),
            description=_("What is settled is posted, out of the lots that are held; the rest is let go."),
            sources=("open",),
            target="settled",
            right="ledger_app.settle_hold",
            who=_("The till"),
            guards=(is_not_over, holds_as_much),
            writes="the entry",
            told=_("settled the hold"),
        ),
        Transition(
            name="release",
            label=_("Release"),
            description=_("What is held can be spent again; nothing is posted."),
            sources=("open",),
            target="released",
            right="ledger_app.release_hold",
            who=_("The till and support"),
            reason_required=True,
            told=_("released the hold"),
        ),
        Transition(
            name="end",
            label=_("End"),
            description=_("The hold's time is over: what it held can be spent again."),
            sources=("open",),
            target="expired",
            right="ledger_app.release_hold",
            who=_("The system"),
            automatic=True,
            told=_("ended the hold, whose time was over"),
        ),
    ),
)
