"""When the entries of a whole posting are reversed, and what the reversals are called. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger_app.values import dates
from ledger_app.values.locked import LockedPeriod


class Outcome(NamedTuple):
    """When the entries of one period are reversed: each on its own date where ``moved_to`` is None, else all of them on that day."""

    period: str
    moved_to: date | None


def outcome(effective_on: date, periods: Sequence[LockedPeriod], *, by_hand: bool = False) -> Outcome | None:
    """Return when an entry of ``effective_on`` is reversed; None where there is no day for it.

    On its own date where that period is open; else on the first day of the first open period after it. What is provisional or frozen takes
    no reversal of a batch: the correction stands in the first period that does, and says which period it is of. ``by_hand`` says that it is no
    batch: a provisional period takes corrections by hand, and so is open for it (docs/decisions/0025).
    """
    takes = {"open", "provisional"} if by_hand else {"open"}
    own = dates.taking(periods, effective_on)
    if own is None:
        return None
    if own.state in takes:
        return Outcome(own.name, None)
    later = [period.starts_on for period in periods if period.state in takes and period.starts_on > own.ends_on]
    return Outcome(own.name, min(later)) if later else None


def description(reference: str, *, prior_period: str = "") -> str:
    """Return what a reversal of ``reference`` is called; ``prior_period`` names the period that it corrects from a later one."""
    return f"Reversal of {reference}, prior period {prior_period}" if prior_period else f"Reversal of {reference}"
