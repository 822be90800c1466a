"""The lines of an account in a span of dates, in the order of their dates, with the balance that runs along; as known now or at an earlier instant."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from ledger_app import errors
from ledger_app.errors import reversing
from ledger_app.models import Account, Balance
from ledger_app.queries.balances import LAST_DAY, LAST_INSTANT
from ledger_app.queries.postings import JOIN_IN_ORDER

FIRST_DAY = date(1000, 1, 1)  # the first that MariaDB has
LINES_A_READ = 20_000


class Span(NamedTuple):
    """What a statement covers: both days included; ``known_at`` leaves out what was posted later."""

    account: Account
    first_on: date = FIRST_DAY
    last_on: date = LAST_DAY
    known_at: datetime | None = None


class Place(NamedTuple):
    """Where a line stands in a statement: by date, then in the order in which it was written."""

    effective_on: date
    line_id: int


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


class Movement(NamedTuple):
    """One line with its entry. ``reverses`` is the reference of what it takes back, of ``reverses_on``; ``running`` the balance after it by date."""

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

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.effective_on, self.line_id)

    @property
    def is_prior_period(self) -> bool:
        """Whether it corrects, on a day of its own, what is dated in an earlier period."""
        return self.reverses_on is not None and self.reverses_on != self.effective_on


# The account's lines first, by their index: by old statistics a server would begin with all entries of the book in the span.
FROM = """
      FROM ledger_app_line AS line
      {then} ledger_app_entry AS entry ON entry.id = line.entry_id
      {then} ledger_app_posting AS posting ON posting.id = entry.posting_id
"""
SUMS = (
    """
    SELECT COALESCE(SUM(CASE WHEN known AND effective_on < %s THEN amount ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN known AND effective_on BETWEEN %s AND %s AND amount > 0 THEN amount ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN known AND effective_on BETWEEN %s AND %s AND amount < 0 THEN amount ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN known AND effective_on BETWEEN %s AND %s THEN 1 ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN known AND effective_on > %s THEN amount ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN known AND effective_on > %s THEN 1 ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN known THEN 0 ELSE amount END), 0),
           COALESCE(SUM(CASE WHEN known THEN 0 ELSE 1 END), 0),
           COALESCE(SUM(CASE WHEN known AND effective_on < %s THEN 1 ELSE 0 END), 0)
      FROM (SELECT line.amount AS amount, entry.effective_on AS effective_on, posting.posted_at <= %s AS known
"""
    + FROM
    + "WHERE line.account_id = %s) AS lines_of_account"
)
MOVEMENTS = (
    """
    SELECT line.id, entry.id, entry.effective_on, entry.reference, entry.description, line.amount, line.balance_after,
           COALESCE(reversed.reference, ''), reversed.effective_on, posting.posted_at, poster.username,
           posting.origin_kind, posting.origin_id
"""
    + FROM
    + """
      {then} ledger_app_user AS poster ON poster.id = posting.posted_by_id
      LEFT JOIN ledger_app_entry AS reversed ON reversed.id = entry.reverses_id
     WHERE line.account_id = %s AND entry.effective_on BETWEEN %s AND %s AND posting.posted_at <= %s
       AND {beyond}
     ORDER BY entry.effective_on {direction}, line.id {direction}
     LIMIT %s
"""
)
CARRIED = (
    "SELECT COALESCE(SUM(line.amount), 0)"
    + FROM
    + """
     WHERE line.account_id = %s AND posting.posted_at <= %s
       AND (entry.effective_on < %s OR (entry.effective_on = %s AND line.id <= %s))
"""
)
BROKEN = """
    SELECT stripe, sequence, balance_after, summed FROM (
      SELECT stripe, sequence, balance_after, SUM(amount) OVER (PARTITION BY stripe ORDER BY sequence) AS summed,
             ROW_NUMBER() OVER (PARTITION BY stripe ORDER BY sequence) AS place
        FROM ledger_app_line WHERE account_id = %s
    ) AS ordered
     WHERE balance_after <> summed OR sequence <> place
     ORDER BY stripe, sequence
     LIMIT 1
"""


class Broken(NamedTuple):
    """The first line of an account whose balance after it is not the sum of the lines up to it."""

    stripe: int
    sequence: int
    balance_after: int
    summed: int


def bounded(account: Account, most: int) -> None:
    """See that an account may be recomputed while somebody waits, by what its balances say of the number of its lines.

    :raises errors.Refused: account_too_long
    """
    count = Balance.objects.filter(account=account).aggregate(lines=Sum("sequence"))["lines"] or 0
    if count > most:
        raise errors.Refused([reversing.AccountTooLong(account=account.code, count=int(count), most=most)])


def sums(span: Span) -> Sums:
    """Return what the lines of an account come to, parted by the span, in one statement over the account's lines."""
    first, last = _day(span.first_on), _day(span.last_on)
    days = [first, first, last, first, last, first, last, last, last, first]
    (row,) = _rows(SUMS, [*days, _instant(span.known_at), span.account.pk])
    return Sums(*map(int, row))


def page(span: Span, *, after: Place | None = None, before: Place | None = None, limit: int) -> list[Movement]:
    """Return at most ``limit`` movements in their order, after a place or the last before one, each with its running balance."""
    found = _read(span, after, before, limit)
    if before is not None:
        found.reverse()
    if not found:
        return []
    running = _carried(span, found[0].place) - found[0].amount
    return list(_run(found, running))


def movements(span: Span, opening: int) -> Iterator[Movement]:
    """Yield every movement of a span in its order, with the balance that runs along from ``opening``; a bounded number of them in memory."""
    running, place = opening, None
    while True:
        found = _read(span, place, None, LINES_A_READ)
        for movement in _run(found, running):
            running, place = movement.running, movement.place
            yield movement
        if len(found) < LINES_A_READ:
            return


def last_page(span: Span, limit: int) -> list[Movement]:
    """Return the last movements of a span, in their order."""
    return page(span, before=Place(LAST_DAY, 2**63 - 1), limit=limit)


def broken(account: Account) -> Broken | None:
    """Return the first line of an account whose balance afterwards does not follow from the lines before it."""
    rows = _rows(BROKEN, [account.pk])
    return Broken(*map(int, rows[0])) if rows else None


def _read(span: Span, after: Place | None, before: Place | None, limit: int) -> list[Movement]:
    parameters: list[Any] = [span.account.pk, _day(span.first_on), _day(span.last_on), _instant(span.known_at)]
    beyond, direction = "1 = 1", "ASC"
    if (place := after or before) is not None:
        sign = ">" if after is not None else "<"
        direction = "ASC" if after is not None else "DESC"
        beyond = f"(entry.effective_on {sign} %s OR (entry.effective_on = %s AND line.id {sign} %s))"
        parameters += [_day(place.effective_on), _day(place.effective_on), place.line_id]
    rows = _rows(MOVEMENTS.replace("{beyond}", beyond).replace("{direction}", direction), [*parameters, limit])
    return [movement._replace(posted_at=_aware(movement.posted_at)) for movement in (Movement(*row) for row in rows)]


def _run(found: list[Movement], running: int) -> Iterator[Movement]:
    for movement in found:
        running += movement.amount
        yield movement._replace(running=running)


def _carried(span: Span, place: Place) -> int:
    """Return the balance, as known, after the line at a place and all that stand before it."""
    on = _day(place.effective_on)
    ((total,),) = _rows(CARRIED, [span.account.pk, _instant(span.known_at), on, on, place.line_id])
    return int(total)


def _rows(statement: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(then=JOIN_IN_ORDER[connection.vendor]), parameters)
        return list(cursor.fetchall())


def _aware(instant: datetime) -> datetime:
    """Return an instant with its zone: past the ORM the drivers give it in UTC and without one."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _day(value: date) -> str | None:
    return connection.ops.adapt_datefield_value(value)


def _instant(value: datetime | None) -> str | None:
    return connection.ops.adapt_datetimefield_value(value or LAST_INSTANT)
