"""The states of a period."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import closing
from ledger_app.errors import lots as lot_errors
from ledger_app.errors.words import Word
from ledger_app.rights.rules.rights import KEEP_TIMES
from ledger_app.values import instants


@dataclass(slots=True)
class Proof:
    """A period, recomputed from its rows."""

    digest: bytes = b""
    entry_count: int = 0
    line_count: int = 0
    debit_total: int = 0
    entries_sum: int = 0
    moved: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # debits and credits by category and role
    differing: list[str] = field(
        default_factory=list
    )  # references of the first entries whose rows are not what their digest says


# How long after its end a period is to be provisional, and from when it may be frozen at the earliest: time for what comes late.
PROVISIONAL_AFTER: Final = timedelta(hours=60)
FREEZE_AFTER: Final = timedelta(hours=72)

# Control totals that count and do not add up: entries are in no unit.
COUNTS = frozenset({"entries"})


class DueLots(NamedTuple):
    """Lots of an account that are due in a period and have not expired: what of them is free, and what is held."""

    account: str
    due_on: date
    free: int
    held: int


# What ends a proposal to post by hand, and who may.
DECIDE, DECIDERS = _("Decide on it, or have its proposer withdraw it."), _("Finance")


class Unfinished(NamedTuple):
    """Unfinished work in a period: its kind, name and state; what ends it and who may, in words; and its row by model, number and state."""

    what: Word
    name: str
    state: Word
    clears: Word
    who: Word
    model: str
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """What the guards of a period are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    period: str
    ends_on: date
    today: date
    zone: str
    earlier_open: tuple[tuple[str, str], ...] = ()  # (name, state) of earlier periods that are not frozen
    gap: tuple[date, date] | None = None  # days of the book before the period, and after the one before it, that are in no period
    unfinished: tuple[Unfinished, ...] = ()
    book: str = ""
    due: tuple[DueLots, ...] = ()  # the first of those that are due in the period
    proof: Proof | None = None  # None: not recomputed, as for a list
    balances_differing: tuple[str, ...] = ()  # accounts
    control_names: tuple[str, ...] = ()  # of every total that the book knows
    controls_known: Mapping[str, int] | None = None  # None: not added up, as for a list
    controls_given: Mapping[str, int] | None = None  # None: not typed in yet, as when the page is only shown
    amount_required: bool = False  # whether a count alone does not do
    unit: str = ""
    at: datetime | None = None
    provisional_from: datetime | None = None  # None: the book's policy says nothing
    freeze_from: datetime | None = None
    controls_needed: tuple[str, ...] = ()  # names of the totals without which the policy lets nothing freeze


def has_ended(facts: PeriodFacts) -> list[errors.LedgerError]:
    """The last day of the period has passed in the book's zone."""
    if facts.today > facts.ends_on:
        return []
    return [errors.PeriodNotEnded(period=facts.period, ends=facts.ends_on.isoformat(), zone=facts.zone)]


def has_waited(facts: PeriodFacts) -> list[errors.LedgerError]:
    """The time has passed that the book's policy leaves for what comes late."""
    if facts.freeze_from is None or facts.at is None or facts.at >= facts.freeze_from:
        return []
    return [closing.FreezeTooEarly(period=facts.period, book=facts.book, from_instant=instants.stamp(facts.freeze_from))]


def is_due_provisional(facts: PeriodFacts) -> list[errors.LedgerError]:
    """The book's policy says that the period is provisional by now."""
    due = facts.provisional_from
    if due is not None and facts.at is not None and facts.at >= due:
        return []
    return [closing.ProvisionalNotDue(period=facts.period, book=facts.book)]


def follows_frozen(facts: PeriodFacts) -> list[errors.LedgerError]:
    """Every earlier period of the book is frozen."""
    return [errors.EarlierPeriodOpen(period=name, state=PERIOD.states[state]) for name, state in facts.earlier_open]


def leaves_no_gap(facts: PeriodFacts) -> list[errors.LedgerError]:
    """The period begins on the day after the one before it: no period is ever opened before a frozen one."""
    if facts.gap is None:
        return []
    gap_from, gap_to = facts.gap
    return [closing.PeriodGap(gap_from=gap_from, gap_to=gap_to, book=facts.book, period=facts.period)]


def work_has_ended(facts: PeriodFacts) -> list[errors.LedgerError]:
    """Every batch dated in the period has ended, and every proposal to post by hand."""
    return [errors.WorkUnfinished(what=each.what, name=each.name, state=each.state) for each in facts.unfinished]


def expiries_are_posted(facts: PeriodFacts) -> list[errors.LedgerError]:
    """What was due in the period has expired: the entry of it is dated in the period."""
    found: list[errors.LedgerError] = []
    for account, due_on, free, held in facts.due:
        on = due_on.isoformat()
        if free:
            found.append(lot_errors.ExpiryDue(account=account, date=on, book=facts.book, ends=facts.ends_on.isoformat()))
        if held:
            found.append(lot_errors.DueLotsHeld(account=account, date=on))
    return found


def entries_balance(facts: PeriodFacts) -> list[errors.LedgerError]:
    """The entries sum to zero and are what their digests say."""
    if facts.proof is None:
        return []
    found: list[errors.LedgerError] = [errors.EntryDiffers(reference=reference) for reference in facts.proof.differing]
    if facts.proof.entries_sum:
        found.append(errors.EntriesUnbalanced(sum=facts.proof.entries_sum))
    return found


def balances_recompute(facts: PeriodFacts) -> list[errors.LedgerError]:
    """Every balance of the book is the sum of its lines."""
    differing = facts.balances_differing
    return [errors.BalancesDiffer(count=len(differing), account=differing[0])] if differing else []


def controls_match(facts: PeriodFacts) -> list[errors.LedgerError]:
    """The control totals that finance holds from elsewhere match to the last unit; where it is asked for, one of them is an amount."""
    if facts.controls_given is None:
        return []
    known = ", ".join(facts.control_names)
    if not facts.controls_given:
        return [closing.ControlMissing(known=known)]
    lacking = [name for name in facts.controls_needed if name not in facts.controls_given]
    found: list[errors.LedgerError] = [closing.ControlNeeded(name=name, book=facts.book) for name in lacking]
    for name, given in facts.controls_given.items():
        if name not in facts.control_names:
            found.append(closing.ControlUnknown(name=name, known=known))
        elif facts.controls_known is not None and (there := facts.controls_known[name]) != given:
            found.append(closing.ControlDiffers(name=name, given=given, found=there, difference=given - there))
    if facts.amount_required and not facts.controls_given.keys() - COUNTS:
        amounts = ", ".join(name for name in facts.control_names if name not in COUNTS)
        found.append(closing.ControlWithoutAmount(unit=facts.unit, known=amounts))
    return found


def gap_between(ends_on: date | None, starts_on: date | None) -> tuple[date, date] | None:
    """Return the first and the last day between a period that ends and the next one that begins; None where there is none, or no such period."""
    if ends_on is None or starts_on is None or (starts_on - ends_on).days < 2:
        return None
    return ends_on + timedelta(days=1), starts_on - timedelta(days=1)


def ended_at(ends_on: date, zone: str) -> datetime:
    """Return the instant at which the last day of a period has passed in a zone."""
    return datetime.combine(ends_on + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def touches(starts_on: date, ends_on: date, *, before: date | None, after: date | None) -> bool:
    """Whether a span begins on the day after ``before``, the last day of the period before it, or ends on the day before ``after``."""
    return (before is not None and (starts_on - before).days == 1) or (after is not None and (after - ends_on).days == 1)


PERIOD = Machine(
    subject="period",
    states={"open": _("Open"), "provisional": _("Provisional"), "frozen": _("Frozen")},
    initial="open",
    transitions=(
        Transition(
            name="provisional",
            label=_("Mark provisional"),
            description=_("The figures may be used as provisional; batches are refused, corrections by hand are not."),
            sources=("open",),
            target="provisional",
            right="ledger_app.close_period",
            who=_("Finance"),
            phrase=_("marked the period provisional"),
        ),
        Transition(
            name="come_due",
            label=_("Turn provisional"),
            description=_(
                "The time is over that the book's policy leaves a period open, and nothing dated in it waits any more."
            ),
            sources=("open",),
            target="provisional",
            right=KEEP_TIMES,
            who=_("The system"),
            guards=(is_due_provisional, work_has_ended),
            automatic=True,
            phrase=_("marked the period provisional, as the book's policy says"),
        ),
        Transition(
            name="reopen",
            label=_("Reopen"),
            description=_("The period takes batches again."),
            sources=("provisional",),
            target="open",
            right="ledger_app.close_period",
            who=_("Finance"),
            reason_required=True,
            phrase=_("reopened the period"),
        ),
        Transition(
            name="freeze",
            label=_("Freeze"),
            description=_("The period is sealed and takes no entry ever again. Nothing undoes this."),
            sources=("open", "provisional"),
            target="frozen",
            right="ledger_app.freeze_period",
            who=_("Finance"),
            guards=(
                has_ended,
                has_waited,
                follows_frozen,
                leaves_no_gap,
                work_has_ended,
                expiries_are_posted,
                entries_balance,
                balances_recompute,
                controls_match,
            ),
            decides=True,
            writes="the seal",
            phrase=_("froze the period under a seal"),
        ),
    ),
)
