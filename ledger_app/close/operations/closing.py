"""The close of a book, as far as it needs no person: posts what a freeze waits for, and says what is due and what stands in the way."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.books.rules.periods import PERIOD
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing, policies, readiness
from ledger_app.close.queries.readiness import Check
from ledger_app.members.operations import opening
from ledger_app.models import Book, ClosePolicy, Period
from ledger_app.points.operations import expiry
from ledger_app.points.operations.expiry import Expired
from ledger_app.points.queries import expiry as due_rows

PERIODS_MOST = 100  # that are told: a daily book may be far behind
PROVISIONAL, FREEZE = "provisional", "freeze"


@dataclass(frozen=True, slots=True)
class Standing:
    """A period that has ended and is not frozen: since when what is due, and what stands in the way of a freeze."""

    period: Period
    provisional_due_at: datetime
    freeze_due_at: datetime
    due: str  # what finance is to do now: "provisional", "freeze" or nothing yet
    checks: tuple[Check, ...]


@dataclass(slots=True)
class Closed:
    """What was done, and how each period stands. ``refused`` says why expiries could not be posted at all."""

    expired: Expired = field(default_factory=Expired)
    refused: tuple[errors.LedgerError, ...] = ()
    opened: tuple[str, ...] = ()  # names of the periods that were opened ahead
    marked: tuple[str, ...] = ()  # and of those that were marked provisional
    periods: tuple[Standing, ...] = ()
    is_more: bool = False  # whether more periods have ended than are told


def close(*, book: Book, caller: Caller) -> Closed:
    """Do of a book's close what needs no person; return what was done, what is due of each period that has ended, and what stands in its way.

    Expiries are posted. Where the book has a policy, months are opened ahead, and periods are marked provisional whose time is over and in which nothing
    waits. Nothing is frozen: finance does, who has the control totals. Run again it does what is left.
    """
    found = Closed()
    today = caller.at.astimezone(ZoneInfo(book.time_zone)).date()
    found.opened = _open_ahead(book, today, caller)
    ended = Period.objects.filter(book=book, ends_on__lt=today).exclude(state=Period.State.FROZEN).select_related("book")
    last = ended.order_by("-ends_on").first()
    if last is None:
        return found
    if due_rows.due_in_period(last, at=caller.at):
        try:
            found.expired = expiry.expire(book=book, through=last.ends_on, caller=caller)
        except errors.Refused as refusal:
            # A day that lies in a frozen period: the rest of the close is told all the same.
            found.refused = refusal.reasons
    found.marked = tuple(_mark_due(period, caller) for period in ended.order_by("starts_on") if _may_mark(period, caller))
    first = list(ended.order_by("starts_on")[: PERIODS_MOST + 1])
    found.periods = tuple(_standing(period, caller) for period in first[:PERIODS_MOST])
    found.is_more = len(first) > PERIODS_MOST
    return found


def _open_ahead(book: Book, today: date, caller: Caller) -> tuple[str, ...]:
    """Open the months after the newest period that are to be there today, and return their names.

    None where the book has no period yet, or its newest ends within a month: how such a book goes on is said by whoever opens its days.
    """
    policy = ClosePolicy.objects.filter(book=book).first()
    newest = Period.objects.filter(book=book).order_by("-ends_on").first()
    if policy is None or newest is None or not policy.months_ahead or newest.ends_on == date.max:
        return ()
    first = newest.ends_on + timedelta(days=1)
    wanted = (today.year - first.year) * 12 + today.month - first.month + policy.months_ahead + 1
    if first.day != 1 or wanted < 1:
        return ()
    months = min(wanted, opening.MONTHS_MOST)
    return tuple(opening.open_months(book=book, first=first, months=months, caller=caller).opened)


def _may_mark(period: Period, caller: Caller) -> bool:
    facts = closing.facts(period, user=caller.user, at=caller.at, controls=None, proofs=False)
    return not PERIOD.blockers(PERIOD.transition(periods.COME_DUE), facts)


def _mark_due(period: Period, caller: Caller) -> str:
    return periods.change(period_id=period.pk, name=periods.COME_DUE, caller=caller).name


def _standing(period: Period, caller: Caller) -> Standing:
    said = policies.times(period)
    due = ""
    if caller.at >= said.freeze:
        due = FREEZE
    elif caller.at >= said.provisional and period.state == Period.State.OPEN:
        due = PROVISIONAL
    facts = closing.facts(period, user=caller.user, at=caller.at, controls=None, proofs=False)
    return Standing(period, said.provisional, said.freeze, due, tuple(readiness.checks(period, facts, at=caller.at)))
