"""What is posted, what its decision rests on, and what the decision plans to write: drafts, what is locked, planned rows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from ledger_app.posting.rules.lots import Done, LockedLots, Named, PlannedLot, PlannedUse, Remainder
from ledger_app.values.locked import LockedAccount, LockedPeriod


class Reversed(NamedTuple):
    """The entry that a draft reverses."""

    id: int
    reference: str


class Draft(NamedTuple):
    """An entry to be posted. ``lines`` are (account id, signed amount in minor units), debit positive.

    ``waives_floor``: a decided adjustment says that floors may break. ``moves_lots``: the points change accounts with the lots they are in.
    ``lots``: which lots are granted or taken, where the book's rule is not to say it.
    """

    book_id: int
    effective_on: date
    reference: str
    description: str
    lines: tuple[tuple[int, int], ...]
    reverses: Reversed | None = None
    waives_floor: bool = False
    moves_lots: bool = False
    lots: Named | None = None


class LockedBook(NamedTuple):
    """A book and those of its periods that cover the drafts' dates."""

    code: str
    periods: tuple[LockedPeriod, ...]


class KnownEntry(NamedTuple):
    """The last entry that is in the ledger under a draft's reference, with what is compared when its digest differs.

    ``turn`` counts those that bore the reference before it; ``reversed_by`` is the reference of what has reversed it, empty while it stands.
    """

    id: int
    digest: bytes
    content: Mapping[str, Any]
    turn: int = 0
    reversed_by: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a decision rests on, each row of it locked. ``balances`` is by balance id: (amount, sequence)."""

    books: Mapping[int, LockedBook]
    accounts: Mapping[int, LockedAccount]
    balances: Mapping[int, tuple[int, int]]
    known: Mapping[tuple[int, str], KnownEntry]
    reversed_by: Mapping[int, str] = field(default_factory=dict)  # reversals in the ledger: id of the reversed → reference
    reversals: frozenset[int] = frozenset()  # ids of the entries to be reversed that are reversals themselves
    lots: Mapping[int, LockedLots] = field(default_factory=dict)  # by account, of those that keep lots
    done: Mapping[int, Sequence[Done]] = field(default_factory=dict)  # what the entries to be reversed did to lots
    last_on: Mapping[int, date] = field(default_factory=dict)  # the latest date of the lines of a balance, by its id
    # By account that has a floor, the signed sums of its lines by date: of all dates after the first of its drafts, where one of those takes from it.
    days: Mapping[int, Mapping[date, int]] = field(default_factory=dict)


class PlannedEntry(NamedTuple):
    """An entry to be written, but for its id. ``turn`` counts the entries under its reference that were reversed before it."""

    draft: Draft
    digest: bytes
    turn: int = 0


class PlannedLine(NamedTuple):
    """A line to be written, but for its id. ``place`` is that of its entry in the plan."""

    place: int
    account_id: int
    stripe: int
    sequence: int
    amount: int
    balance_after: int


class Moved(NamedTuple):
    """A balance that is to be set: its new amount and sequence, and how many lines of which sum bring it there."""

    amount: int
    sequence: int
    line_count: int
    line_sum: int


@dataclass(slots=True)
class Plan:
    """Every row that is to be written, and the entries that are in the ledger already."""

    entries: list[PlannedEntry] = field(default_factory=list)
    lines: list[PlannedLine] = field(default_factory=list)
    balances: dict[int, Moved] = field(default_factory=dict)
    last_on: dict[int, date] = field(default_factory=dict)  # of those balances, the latest date of their lines
    replayed: dict[tuple[int, str], int] = field(default_factory=dict)
    lots: list[PlannedLot] = field(default_factory=list)
    uses: list[PlannedUse] = field(default_factory=list)
    remainders: dict[int, Remainder] = field(default_factory=dict)  # by lot, as a use names it
