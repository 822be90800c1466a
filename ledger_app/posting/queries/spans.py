"""The shapes of a statement: what it covers, where a line stands in it, and what its lines come to."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from ledger_app.models import Account
from ledger_app.values.instants import LAST_DAY

FIRST_DAY = date(1000, 1, 1)  # the first that MariaDB has


class Span(NamedTuple):
    """What a statement covers: both days included; ``known_at`` leaves out what was posted later."""

    account: Account
    first_on: date = FIRST_DAY
    last_on: date = LAST_DAY
    known_at: datetime | None = None


class Position(NamedTuple):
    """Where a line stands in a statement: by date, then in the order in which it was written."""

    effective_on: date
    line_id: int


END = Position(LAST_DAY, 2**63 - 1)


class Sums(NamedTuple):
    """All lines of an account, parted by a span: before it, in it, dated after it, and posted too late to be known. Signed, debit positive."""

    opening: int
    debit: int
    credit: int  # a sum of negative amounts
    line_count: int
    dated_later: int
    dated_later_count: int
    posted_later: int
    posted_later_count: int
    opening_count: int

    @property
    def closing(self) -> int:
        """The balance after the last day of the span, as known."""
        return self.opening + self.debit + self.credit

    @property
    def total(self) -> int:
        """The sum of all lines there are."""
        return self.closing + self.dated_later + self.posted_later

    @property
    def total_count(self) -> int:
        """The number of all lines there are."""
        return self.opening_count + self.line_count + self.dated_later_count + self.posted_later_count

    @property
    def figures(self) -> "Figures":
        """What a page says of them: all of it."""
        later = (self.dated_later, self.dated_later_count, self.posted_later, self.posted_later_count)
        moved = (self.debit + self.credit, self.debit, self.credit, self.line_count)
        return Figures(self.opening, self.closing, *moved, *later, self.total, self.total_count)


class Figures(NamedTuple):
    """What a page says of the lines of an account, parted by a span.

    None is what more lines would have to be read for than are while somebody waits. ``total`` is then what the stored balances say.
    """

    opening: int | None
    closing: int | None
    moved: int | None  # debits and credits together
    debit: int | None
    credit: int | None
    line_count: int | None
    dated_later: int | None
    dated_later_count: int | None
    posted_later: int | None
    posted_later_count: int | None
    total: int
    total_count: int


class Movement(NamedTuple):
    """One line with its entry. ``reverses`` is the reference of what it takes back, of ``reverses_on``; ``running`` the balance after it by date.

    Where more lines would have to be added up for that balance than are while somebody waits, it says nothing: ``is_added_up`` is not so.
    """

    line_id: int
    entry_id: int
    effective_on: date
    reference: str
    description: str
    amount: int
    balance_after: int
    reverses: str
    reverses_on: date | None
    posted_at: datetime
    posted_by: str
    origin_kind: str
    origin_id: int
    running: int = 0
    is_added_up: bool = True

    @property
    def known_running(self) -> int | None:
        """The balance after it by date, where it was added up."""
        return self.running if self.is_added_up else None

    @property
    def position(self) -> Position:
        """Where it stands."""
        return Position(self.effective_on, self.line_id)

    @property
    def is_prior_period(self) -> bool:
        """Whether it corrects, on a day of its own, what is dated in an earlier period."""
        return self.reverses_on is not None and self.reverses_on != self.effective_on


class Page(list[Movement]):
    """Movements in their order. ``goes_on`` is the place from which the next are to be asked for, in the same direction; None where there are none.

    As known at an instant a page may have fewer than were asked for, or none, and go on: so many lines were looked at that were posted later.
    """

    def __init__(self, movements: Iterable[Movement] = (), *, goes_on: Position | None = None) -> None:
        """Take in the movements."""
        super().__init__(movements)
        self.goes_on = goes_on


class Broken(NamedTuple):
    """The first line of an account whose balance after it is not the sum of the lines up to it."""

    stripe: int
    sequence: int
    balance_after: int
    summed: int
