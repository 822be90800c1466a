"""The close of a book, as far as it needs no person: posts what a freeze waits for, and says what is due and what stands in the way."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.books.rules.periods import FREEZE_AFTER, PROVISIONAL_AFTER, ended_at
from ledger_app.close.queries import closing, readiness
from ledger_app.close.queries.readiness import Check
from ledger_app.models import Book, Period
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
    periods: tuple[Standing, ...] = ()
    is_more: bool = False  # whether more periods have ended than are told


def close(*, book: Book, caller: Caller) -> Closed:
    """Post the expiries of a book's periods that have ended and are not frozen; return what is due of each period, and what stands in its way.

    Nothing is decided: a period is marked provisional and frozen by finance, who has the control totals. Run again it does what is left.
    """
    found = Closed()
    today = caller.at.astimezone(ZoneInfo(book.time_zone)).date()
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
    first = list(ended.order_by("starts_on")[: PERIODS_MOST + 1])
    found.periods = tuple(_standing(period, caller) for period in first[:PERIODS_MOST])
    found.is_more = len(first) > PERIODS_MOST
    return found


def _standing(period: Period, caller: Caller) -> Standing:
    ended = ended_at(period.ends_on, period.book.time_zone)
    provisional_due_at, freeze_due_at = ended + PROVISIONAL_AFTER, ended + FREEZE_AFTER
    due = ""
    if caller.at >= freeze_due_at:
        due = FREEZE
    elif caller.at >= provisional_due_at and period.state == Period.State.OPEN:
        due = PROVISIONAL
    facts = closing.facts(period, user=caller.user, at=caller.at, controls=None, proofs=False)
    return Standing(period, provisional_due_at, freeze_due_at, due, tuple(readiness.checks(period, facts, at=caller.at)))
