"""The lines of an account in a span of dates, in the order of their dates, with the balance that runs along; as known now or at an earlier instant."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from ledger_app.models import Account, Balance
from ledger_app.queries import totals
from ledger_app.queries.balances import LAST_DAY, LAST_INSTANT
from ledger_app.queries.postings import JOIN_IN_ORDER
from ledger_app.queries.totals import Total

FIRST_DAY = date(1000, 1, 1)  # the first that MariaDB has
LINES_A_READ = 20_000
_DAY = timedelta(days=1)


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


END = Place(LAST_DAY, 2**63 - 1)


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


# The account's lines by their own index, and only of those that are shown what else is known of them.
KNOWN = """
      {then} ledger_app_entry AS entry ON entry.id = line.entry_id
      {then} ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.posted_at <= %s
"""
# What came of an account's lines in a span: the index alone is read, unless it is to be as known at an instant.
IN_SPAN = """
    SELECT {debit}, {credit}, COUNT(*) FROM ledger_app_line AS line {known}
     WHERE line.account_id = %s AND line.effective_on BETWEEN %s AND %s AND {beyond}
"""
EVER = "SELECT {all}, COUNT(*) FROM ledger_app_line AS line {known} WHERE line.account_id = %s"
MOVEMENTS = """
    SELECT line.id, entry.id, line.effective_on, entry.reference, entry.description, line.amount, line.balance_after,
           COALESCE(reversed.reference, ''), reversed.effective_on, posting.posted_at, poster.username,
           posting.origin_kind, posting.origin_id
      FROM ledger_app_line AS line
      {then} ledger_app_entry AS entry ON entry.id = line.entry_id
      {then} ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.posted_at <= %s
      {then} ledger_app_user AS poster ON poster.id = posting.posted_by_id
      LEFT JOIN ledger_app_entry AS reversed ON reversed.id = entry.reverses_id
     WHERE line.account_id = %s AND line.effective_on BETWEEN %s AND %s AND {beyond}
     ORDER BY line.effective_on {direction}, line.id {direction}
     LIMIT %s
"""
MISDATED = """
    SELECT entry.reference FROM ledger_app_line AS line {then} ledger_app_entry AS entry ON entry.id = line.entry_id
     WHERE line.account_id = %s AND (line.effective_on IS NULL OR line.effective_on <> entry.effective_on)
     ORDER BY line.id LIMIT 20
"""
BROKEN = """
    SELECT stripe, sequence, balance_after, summed FROM (
      SELECT stripe, sequence, balance_after, EXACT_SUM(amount) OVER (PARTITION BY stripe ORDER BY sequence) AS summed,
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


def line_count(account: Account) -> int:
    """Return how many lines an account has, by what its balances say."""
    return int(Balance.objects.filter(account=account).aggregate(lines=Total("sequence"))["lines"] or 0)


def sums(span: Span, *, by_claim: bool = False) -> Sums:
    """Return what the lines of an account come to, parted by the span.

    What stands before the span is summed from its lines; ``by_claim`` takes what the stored balance leaves for it, so that of an account of any
    length only what is dated from the first day of the span on is read.
    """
    debit, credit, count = _in_span(span)
    later = (0, 0, 0) if span.last_on == LAST_DAY else _in_span(span._replace(first_on=span.last_on + _DAY, last_on=LAST_DAY))
    total, total_count = _claimed(span.account) if by_claim else _ever(span.account, None)
    known, known_count = (total, total_count) if span.known_at is None else _ever(span.account, span.known_at)
    return Sums(
        opening=known - debit - credit - later[0] - later[1],
        debit=debit,
        credit=credit,
        line_count=count,
        dated_later=later[0] + later[1],
        dated_later_count=later[2],
        posted_later=total - known,
        posted_later_count=total_count - known_count,
        opening_count=known_count - count - later[2],
    )


def page(
    span: Span, *, after: Place | None = None, before: Place | None = None, limit: int, summed: Sums | None = None
) -> list[Movement]:
    """Return at most ``limit`` movements in their order, after a place or the last before one, each with its running balance.

    ``summed``: what ``sums`` said of the span, where it was asked already.
    """
    found = _read(span, after, before, limit)
    if before is not None:
        found.reverse()
        closing = (summed or sums(span)).closing if found else 0
        return _run_back(span, found, closing)
    if not found:
        return []
    debit, credit, _count = _in_span(span, _beyond("<", found[0].place))
    return list(_run(found, (summed or sums(span)).opening + debit + credit))


def latest(account: Account, *, before: Place | None = None, limit: int) -> list[Movement]:
    """Return the last movements of an account, or the last before a place, in their order; the balances run back from the one that is stored."""
    return back_from(Span(account), closing=_claimed(account)[0], before=before or END, limit=limit)


def back_from(span: Span, *, closing: int, before: Place, limit: int) -> list[Movement]:
    """Return the last movements of a span before a place, in their order, given the balance that the span closes with."""
    found = _read(span, None, before, limit)
    found.reverse()
    return _run_back(span, found, closing)


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
    return page(span, before=END, limit=limit)


def broken(account: Account) -> Broken | None:
    """Return the first line of an account whose balance afterwards does not follow from the lines before it."""
    rows = _rows(BROKEN, [account.pk])
    return Broken(*map(int, rows[0])) if rows else None


def misdated(account: Account) -> list[str]:
    """Return the references of entries whose date is not that of their lines on an account, the first twenty."""
    return [reference for (reference,) in _rows(MISDATED, [account.pk])]


def _read(span: Span, after: Place | None, before: Place | None, limit: int) -> list[Movement]:
    beyond, direction = "1 = 1", "ASC"
    more: list[Any] = []
    if (place := after or before) is not None:
        direction = "ASC" if after is not None else "DESC"
        beyond, more = _beyond(">" if after is not None else "<", place)
    statement = MOVEMENTS.replace("{beyond}", beyond).replace("{direction}", direction)
    span_of = [span.account.pk, _day(span.first_on), _day(span.last_on)]
    rows = [Movement(*row) for row in _rows(statement, [_instant(span.known_at), *span_of, *more, limit])]
    return [
        movement._replace(posted_at=_aware(movement.posted_at), effective_on=_date(movement.effective_on)) for movement in rows
    ]


def _beyond(sign: str, place: Place) -> tuple[str, list[Any]]:
    """Return the condition that a line stands after a place, or before it, with its parameters. The first half bounds the range of the index."""
    on = _day(place.effective_on)
    condition = f"line.effective_on {sign}= %s AND (line.effective_on {sign} %s OR line.id {sign} %s)"
    return condition, [on, on, place.line_id]


def _in_span(span: Span, beyond: tuple[str, list[Any]] = ("1 = 1", [])) -> tuple[int, int, int]:
    """Return debits, credits (not above zero) and the number of lines of an account in a span, or in the part of it beyond a place."""
    condition, more = beyond
    known, instant = _as_known(span.known_at)
    parts = {"debit": totals.of("CASE WHEN line.amount > 0 THEN line.amount ELSE 0 END"), "known": known, "beyond": condition}
    parts["credit"] = totals.of("CASE WHEN line.amount < 0 THEN line.amount ELSE 0 END")
    statement = _filled(IN_SPAN, parts)
    ((debit, credit, count),) = _rows(statement, [*instant, span.account.pk, _day(span.first_on), _day(span.last_on), *more])
    return totals.whole(debit), totals.whole(credit), int(count)


def _ever(account: Account, known_at: datetime | None) -> tuple[int, int]:
    """Return what all lines of an account come to, as known, and how many they are."""
    known, instant = _as_known(known_at)
    ((total, count),) = _rows(_filled(EVER, {"all": totals.of("line.amount"), "known": known}), [*instant, account.pk])
    return totals.whole(total), int(count)


def _claimed(account: Account) -> tuple[int, int]:
    """Return what the stored balances of an account say that its lines come to, and how many they are."""
    rows = list(account.balances.values_list("amount", "sequence"))
    return sum(amount for amount, _sequence in rows), sum(sequence for _amount, sequence in rows)


def _as_known(known_at: datetime | None) -> tuple[str, list[Any]]:
    return ("", []) if known_at is None else (KNOWN, [_instant(known_at)])


def _filled(statement: str, parts: Mapping[str, str]) -> str:
    for name, text in parts.items():
        statement = statement.replace(f"{{{name}}}", text)
    return statement


def _run_back(span: Span, found: list[Movement], closing: int) -> list[Movement]:
    """Return movements with their running balances, counted from the end: what is dated after them is mostly the less to read."""
    if not found:
        return []
    debit, credit, _count = _in_span(span, _beyond(">", found[-1].place))
    return list(_run(found, closing - debit - credit - sum(movement.amount for movement in found)))


def _run(found: list[Movement], running: int) -> Iterator[Movement]:
    for movement in found:
        running += movement.amount
        yield movement._replace(running=running)


def _rows(statement: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(totals.sql(statement.format(then=JOIN_IN_ORDER[connection.vendor])), parameters)
        return list(cursor.fetchall())


def _aware(instant: datetime) -> datetime:
    """Return an instant with its zone: past the ORM the drivers give it in UTC and without one."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _date(value: date | str) -> date:
    """Return a date: past the ORM the driver of SQLite gives it as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _day(value: date) -> str | None:
    return connection.ops.adapt_datefield_value(value)


def _instant(value: datetime | None) -> str | None:
    return connection.ops.adapt_datetimefield_value(value or LAST_INSTANT)
