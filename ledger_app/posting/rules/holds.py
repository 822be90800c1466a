"""The states of a hold, what a book says of holds, and when they are settled. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import LedgerError
from ledger_app.errors import lots as lot_errors
from ledger_app.values import instants
from ledger_app.values.most import HOURS_MOST

RESOLVE_ANY = "ledger_app.resolve_any_hold"


class Terms(NamedTuple):
    """What a book says of holds. None: no limit. ``targets`` are ids of accounts; None: every account that is nobody's and keeps no lots."""

    amount_most: int | None = None
    amount_a_day: int | None = None
    hours_most: int = HOURS_MOST
    targets: frozenset[int] | None = None


class Target(NamedTuple):
    """The account to which what is held is to go."""

    id: int
    code: str
    is_members: bool
    keeps_lots: bool


class HoldRequest(NamedTuple):
    """A hold that is asked for: how much, until when, and what was held of the account on the same day before."""

    reference: str
    amount: int
    at: datetime
    expires_at: datetime
    day_before: int


def placing_reasons(asked: HoldRequest, target: Target, terms: Terms, *, book: str) -> Sequence[LedgerError]:
    """Return what the book's rule of holds has against a hold: the account it goes to, its length, its amount, and the day's."""
    found: list[LedgerError] = []
    is_allowed = not target.keeps_lots if terms.targets is None else target.id in terms.targets
    # A member's account is never one, whatever the rule lists: a till does not move one member's points to another.
    if target.is_members or not is_allowed:
        found.append(lot_errors.HoldTargetRefused(account=target.code, book=book, reference=asked.reference))
    if asked.expires_at > asked.at + timedelta(hours=terms.hours_most):
        until = instants.stamp(asked.expires_at)
        found.append(lot_errors.HoldTooLong(reference=asked.reference, until=until, hours=terms.hours_most))
    if terms.amount_most is not None and asked.amount > terms.amount_most:
        found.append(lot_errors.HoldOverLimit(reference=asked.reference, amount=asked.amount, most=terms.amount_most))
    if terms.amount_a_day is not None and asked.day_before + asked.amount > terms.amount_a_day:
        facts = {"before": asked.day_before, "amount": asked.amount, "most": terms.amount_a_day}
        found.append(lot_errors.HoldOverDay(reference=asked.reference, **facts))
    return found


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
    placed_by: str = ""
    is_own: bool = True  # the user placed it
    placed_on: date = date.min  # in the book's zone, as is today
    today: date = date.max
    last_on: date | None = None  # the first last day of the lots that are taken; None: they never expire
    asked_on: date | None = None  # the day that is asked for, where one is

    @property
    def may_resolve_any(self) -> bool:
        """Whether the user may resolve what others placed, and say a day."""
        return RESOLVE_ANY in self.rights

    @property
    def rule_on(self) -> date:
        """The day of a settlement where nobody says another: today, or the last day of what is held where that is past."""
        return min(self.today, self.last_on or self.today)

    @property
    def settled_on(self) -> date:
        """The day on which it would be settled."""
        return self.asked_on or self.rule_on


def is_own_or_may(facts: HoldFacts) -> list[LedgerError]:
    """The user who placed the hold resolves it; so do support and finance."""
    if facts.is_own or facts.may_resolve_any:
        return []
    return [lot_errors.HoldOfOther(reference=facts.reference, user=facts.user_name, placed_by=facts.placed_by)]


def is_dated_by_rule(facts: HoldFacts) -> list[LedgerError]:
    """It is settled from the day on which it was placed to today, no later than what is held can be used; a till says no day of its own."""
    if facts.amount is None or facts.state != "open":
        return []
    said = {"reference": facts.reference, "date": facts.settled_on.isoformat()}
    if not facts.placed_on <= facts.settled_on <= facts.rule_on:
        return [lot_errors.HoldDateInvalid(first=facts.placed_on.isoformat(), last=facts.rule_on.isoformat(), **said)]
    if facts.settled_on != facts.rule_on and not facts.may_resolve_any:
        return [lot_errors.HoldDateNotYours(day=facts.rule_on.isoformat(), **said)]
    return []


def is_not_over(facts: HoldFacts) -> list[LedgerError]:
    """The hold's time is not over."""
    if facts.state != "open" or facts.at < facts.expires_at:
        return []
    return [lot_errors.HoldOver(reference=facts.reference, until=instants.stamp(facts.expires_at))]


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
            who=_("The till and finance"),
            guards=(is_own_or_may, is_not_over, holds_as_much, is_dated_by_rule),
            writes="the entry",
            phrase=_("settled the hold"),
        ),
        Transition(
            name="release",
            label=_("Release"),
            description=_("What is held can be spent again; nothing is posted."),
            sources=("open",),
            target="released",
            right="ledger_app.release_hold",
            who=_("The till, support and finance"),
            guards=(is_own_or_may,),
            reason_required=True,
            phrase=_("released the hold"),
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
            phrase=_("ended the hold, whose time was over"),
        ),
    ),
)
