"""Lots: what a grant makes, what a spend takes, what a reversal restores. Pure: without a database or a clock.

Amounts here are natural: what the account gains is positive, whatever side of the books it stands on.
"""

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

PAID, FREE, DEFICIT = "paid", "free", "deficit"
NEVER, DAYS, MONTHS, FIXED = "never", "days", "months", "fixed"
FREE_FIRST, PAID_FIRST, OLDEST_FIRST = "free_first", "paid_first", "oldest_first"
DAYS_MOST, MONTHS_MOST = 36_500, 1_200


class Rule(NamedTuple):
    """What a book says of the lots of a role. ``validity`` counts days or months; ``kind`` is that of a grant that says none."""

    expiry: str
    validity: int | None
    fixed_on: date | None
    order: str
    kind: str


class LockedLot(NamedTuple):
    """A lot as it stands under the lock of its account's balance. ``is_open``: it has a remainder, and so a row of its own for that."""

    id: int
    kind: str
    granted_on: date
    due_on: date | None
    remaining: int
    held: int
    is_open: bool = True


class Done(NamedTuple):
    """The effect of a line that is to be reversed: its amount, what it took from each lot (negative: gave back), and the lots that it made."""

    account_id: int
    amount: int
    uses: tuple[tuple[int, int], ...]
    made: tuple[tuple[int, int], ...]


class LockedLots(NamedTuple):
    """The lots of an account, with all that decides on them. ``sign`` makes an amount of a line a natural one."""

    code: str
    book_id: int
    sign: int
    floor: int | None
    rule: Rule
    lots: tuple[LockedLot, ...]


class Grant(NamedTuple):
    """A lot that a draft asks for. ``expires_on`` is its last day; None: never. ``granted_on`` None: the entry's date."""

    kind: str
    amount: int
    expires_on: date | None
    granted_on: date | None = None


class Taking(NamedTuple):
    """What a draft takes out of one lot, and no other."""

    lot_id: int
    amount: int


class Named(NamedTuple):
    """The lots that a draft names itself: what it grants, or what it takes. ``of_held``: it takes from what is held.

    ``expires``: it is their expiry, which a suspended account does not stop.
    """

    grants: tuple[Grant, ...] = ()
    takings: tuple[Taking, ...] = ()
    of_held: bool = False
    expires: bool = False


class PlannedLot(NamedTuple):
    """A lot to be written, but for its id. ``line`` is the place of its line in the plan."""

    line: int
    account_id: int
    kind: str
    granted_on: date
    expires_on: date | None
    amount: int


class PlannedUse(NamedTuple):
    """What a line takes of a lot (negative: gives back). ``lot`` is an id, or ``-1 - place`` of a planned lot."""

    lot: int
    line: int
    amount: int


@dataclass(frozen=True, slots=True, order=True)
class ShownLot:
    """What an entry does to a lot, as a decider is shown it: the same in every language, and words only when it is told.

    ``lot`` is the lot's number, 0 of one that the entry makes. ``amount`` is what the lot gets, negative: what is taken of it. Days are in
    ISO 8601; ``expires_on``, the last day as it was granted, is empty where the lot never expires.
    """

    account: str
    lot: int
    kind: str
    amount: int
    granted_on: str
    expires_on: str

    def __str__(self) -> str:
        """Tell it in the active language."""
        kind = {PAID: _("paid"), FREE: _("free"), DEFICIT: _("deficit")}[self.kind]
        last = self.expires_on or _("never")
        name = f"#{self.lot}" if self.lot else _("new lot")
        return _("{account}, {lot} ({kind}, granted on {granted}, last day {last}): {amount}").format(
            account=self.account, lot=name, kind=kind, granted=self.granted_on, last=last, amount=f"{self.amount:+d}"
        )


class Remainder(NamedTuple):
    """What a lot is to have left, and what it had: (remaining, held), None where it had no row."""

    account_id: int
    book_id: int
    due_on: date | None
    remaining: int
    held: int
    before: tuple[int, int] | None


@dataclass(slots=True)
class WorkingLot:
    """A lot while it is decided on. ``ref`` is its id, or ``-1 - place`` of one that is planned; ``before`` as in ``Remainder``."""

    ref: int
    kind: str
    granted_on: date
    due_on: date | None
    remaining: int
    held: int
    before: tuple[int, int] | None

    def is_of(self, on: date) -> bool:
        """Whether it can be used on a day: from the day it is granted on to its last. What is owed counts from the day it is owed on."""
        return self.granted_on <= on and (self.due_on is None or on <= self.due_on)

    def free_on(self, on: date) -> int:
        """What can be taken on a day."""
        return self.remaining - self.held if self.kind != DEFICIT and self.is_of(on) else 0


# By which lots are sorted, by order of spending; the last two keep it the same on every run.
ORDER: Mapping[str, Callable[[WorkingLot], tuple[object, ...]]] = {
    FREE_FIRST: lambda lot: (lot.due_on or date.max, lot.kind == PAID, lot.granted_on, lot.ref < 0, abs(lot.ref)),
    PAID_FIRST: lambda lot: (lot.due_on or date.max, lot.kind == FREE, lot.granted_on, lot.ref < 0, abs(lot.ref)),
    OLDEST_FIRST: lambda lot: (lot.granted_on, lot.due_on or date.max, lot.ref < 0, abs(lot.ref)),
}


def debts_first_owed(lots: Iterable[WorkingLot], on: date) -> list[WorkingLot]:
    """Return the deficits that a line of a day pays off, in that order: what is owed longest first, whatever was posted when."""
    owing = (lot for lot in lots if lot.kind == DEFICIT and lot.remaining and lot.is_of(on))
    return sorted(owing, key=lambda lot: (lot.granted_on, lot.ref < 0, abs(lot.ref)))


def expires_on(rule: Rule, granted_on: date) -> date | None:
    """Return the last day of a lot that is granted on a day; None where it never expires."""
    if rule.expiry == DAYS:
        return granted_on + timedelta(days=rule.validity or 0)
    if rule.expiry == MONTHS:
        years, month = divmod(granted_on.year * 12 + granted_on.month - 1 + (rule.validity or 0), 12)
        return date(years, month + 1, calendar.monthrange(years, month + 1)[1])
    return rule.fixed_on if rule.expiry == FIXED else None


def allocate(lots: Iterable[LockedLot], *, order: str, on: date, amount: int) -> tuple[list[Taking], int]:
    """Return how much ``amount`` takes from each lot on a day, in the order of the rule, and the part that no lot covers."""
    own = [WorkingLot(lot.id, lot.kind, lot.granted_on, lot.due_on, lot.remaining, lot.held, None) for lot in lots]
    taken = list(take_in_order(own, order, on, amount))
    return [Taking(lot.ref, part) for lot, part in taken], amount - sum(part for _lot, part in taken)


def take_in_order(lots: Iterable[WorkingLot], order: str, on: date, amount: int) -> Iterator[tuple[WorkingLot, int]]:
    """Yield each lot that ``amount`` takes from on a day, in the rule's order, with how much: as much as there is."""
    for lot in sorted((lot for lot in lots if lot.free_on(on)), key=ORDER[order]):
        if amount == 0:
            return
        part = min(amount, lot.free_on(on))
        amount -= part
        yield lot, part
