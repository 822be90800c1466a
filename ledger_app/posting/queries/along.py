"""Reads the lines of an account in the order of their dates, a page at a time: along the index, from one end of a piece of it on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from ledger_app import sql
from ledger_app.base.queries import totals
from ledger_app.posting.queries.spans import END, FIRST_DAY, Movement, Position, Span
from ledger_app.values.instants import LAST_DAY, LAST_INSTANT

LOOKED_A_READ = 1000  # places among which those are that were known at an instant
_DAY = timedelta(days=1)

# A server that is to join too sorts what it thinks is little; asked for the index alone it reads that from one end on.
PLACES = """
    SELECT line.id, line.effective_on FROM ledger_app_line AS line
     WHERE line.account_id = %s AND line.effective_on BETWEEN %s AND %s AND {beyond}
     ORDER BY line.effective_on {direction}, line.id {direction}
     LIMIT %s
"""
MOVEMENTS = """
    SELECT line.id, entry.id, line.effective_on, entry.reference, entry.description, line.amount, line.balance_after,
           COALESCE(reversed.reference, ''), reversed.effective_on, posting.posted_at, poster.username,
           posting.origin_kind, posting.origin_id
      FROM ledger_app_line AS line
      {then} ledger_app_entry AS entry ON entry.id = line.entry_id
      {then} ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.posted_at <= %s
      {then} ledger_app_user AS poster ON poster.id = posting.posted_by_id
      LEFT JOIN ledger_app_entry AS reversed ON reversed.id = entry.reverses_id
     WHERE {where}
"""
IN_ORDER = " ORDER BY line.effective_on {direction}, line.id {direction} LIMIT %s"
IN_SPAN_BEYOND = "line.account_id = %s AND line.effective_on BETWEEN %s AND %s AND {beyond}"


def looked_for(
    span: Span, after: Position | None, before: Position | None, limit: int, most: int
) -> tuple[list[Movement], Position | None]:
    """Return a page in its order, and where the next goes on, in the direction that was asked for."""
    found, reached = read(span, after, before, limit, most)
    goes_on = found[-1].position if found and len(found) == limit else reached
    if before is not None:
        found.reverse()
    return found, goes_on


def read(
    span: Span, after: Position | None, before: Position | None, limit: int, most: int | None
) -> tuple[list[Movement], Position | None]:
    """Return the movements after a place, in their order, or those before one, from the nearest on; and the place up to which was looked, if not to the end.

    Those of its own day are read by themselves: each of the two is then a piece of the index, from one end on.
    """
    place = after or before
    if before == END:
        # All of the span: no server sorts that.
        return _piece(span, "1 = 1", [], limit, most, is_back=True)
    if place is None or not span.first_on <= place.effective_on <= span.last_on:
        # A place before the span, or after it, leaves all of it or nothing.
        is_whole = place is None or (place.effective_on < span.first_on) == (after is not None)
        is_back = after is None and before is not None
        return _piece(span, "1 = 1", [], limit, most, is_back=is_back) if is_whole else ([], None)
    of_day = span._replace(first_on=place.effective_on, last_on=place.effective_on)
    sign, others = (">", days_after(of_day)) if after is not None else ("<", days_before(of_day))
    found, reached = _piece(of_day, f"line.id {sign} %s", [place.line_id], limit, most, is_back=after is None)
    if others is None or len(found) == limit or reached is not None:
        return found, reached
    rest = others._replace(first_on=max(others.first_on, span.first_on), last_on=min(others.last_on, span.last_on))
    more, reached = _piece(rest, "1 = 1", [], limit - len(found), most, is_back=after is None)
    return found + more, reached


def _piece(
    span: Span, beyond: str, more: list[Any], limit: int, most: int | None, *, is_back: bool
) -> tuple[list[Movement], Position | None]:
    """Return movements of a piece of the index, from one end on; at most ``most`` lines are looked through for those that were known."""
    if span.first_on > span.last_on:
        return [], None
    if span.known_at is not None and most is not None:
        return _known_piece(span, (beyond, more), limit, most, is_back=is_back)
    is_part = span.first_on > FIRST_DAY or span.last_on < LAST_DAY
    if connection.vendor == "mysql" and is_part and span.known_at is None and limit <= sql.LIST_MOST:
        return _at(span, _places(span, (beyond, more), limit, is_back=is_back), is_back=is_back), None
    where = filled(IN_SPAN_BEYOND, {"beyond": beyond}) + filled(IN_ORDER, {"direction": _direction(is_back)})
    return _movements(
        span.known_at, where, [span.account.pk, day(span.first_on), day(span.last_on), *more, limit], is_back=is_back
    ), None


def _known_piece(
    span: Span, beyond: tuple[str, list[Any]], limit: int, most: int, *, is_back: bool
) -> tuple[list[Movement], Position | None]:
    """Return the movements that were known at the instant, and the last place that was looked at where ``most`` were, and more follow."""
    found: list[Movement] = []
    looked = 0
    while True:
        step = min(LOOKED_A_READ, most - looked)
        places = _places(span, beyond, step, is_back=is_back)
        found += _at(span, places, is_back=is_back)
        looked += len(places)
        if len(found) >= limit or len(places) < step:
            return found[:limit], None
        if looked >= most:
            return found, places[-1]
        beyond = past("<" if is_back else ">", places[-1])


def _places(span: Span, beyond: tuple[str, list[Any]], limit: int, *, is_back: bool) -> list[Position]:
    """Return where the lines of a piece stand, whenever they were posted: read from the index alone."""
    condition, more = beyond
    statement = filled(PLACES, {"beyond": condition, "direction": _direction(is_back)})
    rows = fetched(statement, [span.account.pk, day(span.first_on), day(span.last_on), *more, limit])
    return [Position(_date(on), key) for key, on in rows]


def _at(span: Span, places: list[Position], *, is_back: bool) -> list[Movement]:
    """Return the movements that stand at these places, those of them that were known."""
    return of_lines([place.line_id for place in places], known_at=span.known_at, is_back=is_back)


def of_lines(keys: Sequence[int], *, known_at: datetime | None, is_back: bool = False) -> list[Movement]:
    """Return the movements of lines by their numbers, those of them that were known, in the order of their dates."""
    found = ", ".join(map(str, keys))
    return _movements(known_at, f"line.id IN ({found})", [], is_back=is_back) if keys else []


def _movements(known_at: datetime | None, where: str, asked: list[Any], *, is_back: bool) -> list[Movement]:
    rows = [Movement(*row) for row in fetched(filled(MOVEMENTS, {"where": where}), [instant(known_at), *asked])]
    found = [row._replace(posted_at=_aware(row.posted_at), effective_on=_date(row.effective_on)) for row in rows]
    return sorted(found, key=lambda row: row.position, reverse=is_back)


def _direction(is_back: bool) -> str:  # noqa: FBT001 - what it is made of
    return "DESC" if is_back else "ASC"


def past(sign: str, place: Position) -> tuple[str, list[Any]]:
    """Return the condition that a line stands after a place, or before it, with its parameters.

    The first half bounds the range of the index; the day said again, MySQL does so by the line, and reads no more of that day than what is beyond.
    """
    on = day(place.effective_on)
    condition = (
        f"line.effective_on {sign}= %s AND (line.effective_on {sign} %s OR (line.effective_on = %s AND line.id {sign} %s))"
    )
    return condition, [on, on, on, place.line_id]


def days_before(span: Span) -> Span | None:
    """Return what of the account stands before a span; None where nothing can."""
    return None if span.first_on == FIRST_DAY else span._replace(first_on=FIRST_DAY, last_on=span.first_on - _DAY)


def days_after(span: Span) -> Span | None:
    """Return what of the account stands after a span; None where nothing can."""
    return None if span.last_on == LAST_DAY else span._replace(first_on=span.last_on + _DAY, last_on=LAST_DAY)


def filled(statement: str, parts: Mapping[str, str]) -> str:
    """Return a statement with its parts."""
    for name, text in parts.items():
        statement = statement.replace(f"{{{name}}}", text)
    return statement


def fetched(statement: str, parameters: list[Any]) -> list[Any]:
    """Return the rows of a statement, which sums exactly and joins in its order."""
    with connection.cursor() as cursor:
        cursor.execute(totals.sql(statement.format(then=sql.then())), parameters)
        return list(cursor.fetchall())


def _aware(instant: datetime) -> datetime:
    """Return an instant with its zone: past the ORM the drivers give it in UTC and without one."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _date(value: date | str) -> date:
    """Return a date: past the ORM the driver of SQLite gives it as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def day(value: date) -> str | None:
    """Return a day as the database takes it."""
    return connection.ops.adapt_datefield_value(value)


def instant(value: datetime | None) -> str | None:
    """Return an instant as the database takes it; none is the last there is."""
    return connection.ops.adapt_datetimefield_value(value or LAST_INSTANT)
