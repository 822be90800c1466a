"""What is due: found by the index over book, day and account, so that what is not due is never read."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, F

from ledger_app import errors, sql
from ledger_app.base.queries import totals
from ledger_app.base.queries.totals import Total
from ledger_app.books.rules.periods import DueLots
from ledger_app.errors import lots as lot_errors
from ledger_app.models import Book, OpenLot, Period
from ledger_app.posting.queries import lots
from ledger_app.posting.queries.postings import taken_references

SHOWN_MOST = 3
COUNTED_MOST = 1_000  # lots, on a page that only says how many are due
DAYS_MOST = 4000
ADDED_MOST = 100_000  # lots that are added up while somebody waits


class Span(NamedTuple):
    """Accounts of a book that have lots due on one day: those after ``after``, up to ``last``, by id."""

    due_on: date
    after: int
    last: int


class Due(NamedTuple):
    """What is to expire of one account on one day: lots with their amounts."""

    account_id: int
    code: str
    role: str
    category: str
    due_on: date
    lots: tuple[tuple[int, int], ...]

    @property
    def amount(self) -> int:
        """What expires."""
        return sum(amount for _lot, amount in self.lots)


class DayDue(NamedTuple):
    """What is due of a book, or of an account, on one day, and what of it is held."""

    due_on: date
    accounts: int
    lots: int
    amount: int
    held: int


# From the index alone: which accounts end a chunk, and how many rows come before on the same day.
CUTS = """
    SELECT due_on, account_id, place FROM (
      SELECT due_on, account_id, ROW_NUMBER() OVER (PARTITION BY due_on ORDER BY account_id) AS place,
             COUNT(*) OVER (PARTITION BY due_on) AS places
        FROM ledger_app_openlot
       WHERE book_id = %s AND due_on <= %s
    ) AS placed
     WHERE place %% {size} = 0 OR place = places
     ORDER BY due_on, place
"""


def chunks(book: Book, through: date, *, size: int) -> list[list[Span]]:
    """Return what is due through a day in chunks of about ``size`` lots, days in their order."""
    with connection.cursor() as cursor:
        cursor.execute(CUTS.format(size=size), [book.pk, through.isoformat()])
        rows = [(_day(day), account_id, place) for day, account_id, place in cursor.fetchall()]
    found: list[list[Span]] = []
    day, after, placed, count = date.min, 0, 0, size
    for due_on, last, place in rows:
        if due_on != day:
            day, after, placed = due_on, 0, 0
        if count + place - placed > size:
            found.append([])
            count = 0
        if last > after:
            found[-1].append(Span(day, after, last))
        count += place - placed
        after, placed = last, place
    return [spans for spans in found if spans]


# Along the index, which has the lots of an account side by side.
DUE = """
    SELECT remainder.account_id, account.code, account.role, account.category, remainder.lot_id, remainder.remaining - remainder.held
      FROM ledger_app_openlot AS remainder
      {then} ledger_app_account AS account ON account.id = remainder.account_id
     WHERE remainder.book_id = %s AND remainder.due_on = %s AND remainder.account_id > %s AND remainder.account_id <= %s
       AND remainder.remaining > remainder.held
     ORDER BY remainder.account_id, remainder.lot_id
"""


def due_in(book_id: int, spans: Sequence[Span]) -> list[Due]:
    """Return what is due and not held in ``spans``, by day and account."""
    found: list[Due] = []
    statement = DUE.format(then=sql.then())
    with connection.cursor() as cursor:
        for due_on, after, last in spans:
            cursor.execute(statement, [book_id, due_on.isoformat(), after, last])
            for account, rows in groupby(cursor.fetchall(), key=itemgetter(0, 1, 2, 3)):
                found.append(Due._make((*account, due_on, tuple((lot_id, amount) for *_account, lot_id, amount in rows))))
    return found


def references(book_id: int, wanted: Sequence[tuple[str, date]], *, are_new: bool = False) -> list[str]:
    """Return a free reference for the expiry of each (account code, day): numbered where one of that day was posted before.

    ``are_new`` supposes that none was, and looks nothing up.
    """
    found = [f"expiry:{code}:{day.isoformat()}" for code, day in wanted]
    taken = set() if are_new else taken_references(book_id, found)
    number = 1
    while taken:
        number += 1
        again = [place for place, name in enumerate(found) if name in taken]
        for place in again:
            code, day = wanted[place]
            found[place] = f"expiry:{code}:{day.isoformat()}:{number}"
        taken = taken_references(book_id, [found[place] for place in again])
    return found


def first_frozen(book: Book, through: date) -> tuple[date, str] | None:
    """Return the first day that lots are due on, and the name of its period, where that is frozen. Periods freeze in their order."""
    first = OpenLot.objects.filter(book=book, due_on__lte=through).order_by("due_on").values_list("due_on", flat=True).first()
    if first is None:
        return None
    period = Period.objects.filter(sql.meeting(first, first), book=book, state=Period.State.FROZEN).first()
    return (first, period.name) if period else None


def due_in_period(period: Period, *, at: datetime) -> tuple[DueLots, ...]:
    """Return the first lots that are due in a period or before it and have not expired, and what holds keep of them at ``at``."""
    rows = OpenLot.objects.filter(book=period.book_id, due_on__lte=period.ends_on).order_by("due_on", "account_id")
    shown = list(rows.select_related("account")[:SHOWN_MOST])
    held = lots.held_at(shown, at)
    return tuple(
        DueLots(row.account.code, row.due_on, row.remaining - held[row.lot_id], held[row.lot_id])
        for row in shown
        if row.due_on is not None
    )


def counted_in_period(period: Period, *, at: datetime) -> tuple[int, int]:
    """Return of how many lots that are due in a period or before it something is free, and of how many something is held at ``at``.

    No more than ``COUNTED_MOST`` and one are looked at.
    """
    rows = OpenLot.objects.filter(book=period.book_id, due_on__lte=period.ends_on).order_by("due_on", "account_id")
    looked_at = list(rows[: COUNTED_MOST + 1])
    held = lots.held_at(looked_at, at)
    free = sum(row.remaining > held[row.lot_id] for row in looked_at)
    return free, sum(amount > 0 for amount in held.values())


class Left(NamedTuple):
    """What is due and neither held nor expired: on how many accounts, how much, and the code of the first account."""

    accounts: int
    amount: int
    first: str


def left_through(book: Book, through: date, *, without: Collection[str]) -> Left | None:
    """Return what is left of what was due through a day, but for the accounts of codes ``without``; None where it is nothing."""
    rows = OpenLot.objects.filter(book=book, due_on__lte=through, remaining__gt=F("held")).exclude(account__code__in=without)
    first = rows.order_by("due_on", "account_id").values_list("account__code", flat=True).first()
    if first is None:
        return None
    found = rows.aggregate(accounts=Count("account", distinct=True), amount=Total(F("remaining") - F("held")))
    return Left(found["accounts"], int(found["amount"] or 0), first)


DUE_BY_DAY = """
    SELECT due_on, COUNT(DISTINCT account_id), COUNT(*), EXACT_SUM(remaining), EXACT_SUM(held)
      FROM ledger_app_openlot
     WHERE {place} = %s AND due_on <= %s
     GROUP BY due_on ORDER BY due_on LIMIT {most}
"""


def due_while_waited_for(*, by: date, at: datetime, book_id: int | None = None, account_id: int | None = None) -> list[DayDue]:
    """Return ``due_by_day`` to somebody who waits for it.

    :raises Refused: due_too_many
    """
    place = {"account": account_id} if account_id is not None else {"book": book_id}
    if OpenLot.objects.filter(**place, due_on__lte=by).order_by("due_on")[ADDED_MOST : ADDED_MOST + 1].exists():
        raise errors.Refused([lot_errors.DueTooMany(most=ADDED_MOST, by=by)])
    return due_by_day(by=by, at=at, book_id=book_id, account_id=account_id)


def due_by_day(*, by: date, at: datetime, book_id: int | None = None, account_id: int | None = None) -> list[DayDue]:
    """Return what would expire by a day, day by day, of a book or of an account; the first ``DAYS_MOST`` days.

    What is held is so at ``at``: a hold that is over then keeps nothing back, as an expiry ends it first.
    """
    place, key = ("account_id", account_id) if account_id is not None else ("book_id", book_id)
    with connection.cursor() as cursor:
        cursor.execute(totals.sql(DUE_BY_DAY.format(place=place, most=DAYS_MOST)), [key, by.isoformat()])
        days = [
            DayDue(_day(day), int(accounts), int(count), int(amount), int(held))
            for day, accounts, count, amount, held in cursor.fetchall()
        ]
    over: dict[Any, int] = {}
    if any(day.held for day in days):
        of_day = lots.over_at(at).filter(**{f"lot__remainder__{place}": key}, lot__remainder__due_on__lte=by).order_by()
        sums = of_day.values("lot__remainder__due_on").annotate(amount=Total("amount"))
        over = {row["lot__remainder__due_on"]: int(row["amount"]) for row in sums}
    return [day._replace(held=day.held - over.get(day.due_on, 0)) for day in days]


def _day(value: date | str) -> date:
    """Return a day: SQLite gives it as text, since no column of a model names it here."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def total(days: Sequence[DayDue]) -> DayDue | None:
    """Return the sum over days, dated on the last; None where nothing is due. Accounts are counted once a day."""
    if not days:
        return None
    sums: Iterator[int] = (sum(column) for column in zip(*(day[1:] for day in days), strict=True))
    return DayDue(days[-1].due_on, *sums)
