"""The lines of an account in a span of dates, in the order of their dates, with the balance that runs along; as known now or at an earlier instant."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from ledger_app.models import Account, Balance
from ledger_app.queries import totals
from ledger_app.queries.balances import LAST_DAY, LAST_INSTANT
from ledger_app.queries.postings import JOIN_IN_ORDER, LIST_MOST
from ledger_app.queries.spans import END, FIRST_DAY, Broken, Movement, Page, Place, Span, Sums, Told
from ledger_app.queries.totals import Total

LINES_A_READ = 20_000
ADDED_MOST = 20_000  # lines that are added up, or looked through, while somebody waits
LOOKED_A_READ = 1000  # places among which those are that were known at an instant
_DAY = timedelta(days=1)
UNTOLD = Told(None, None, None, None, None, None, None, None, None, None, 0, 0)
__all__ = ["END", "FIRST_DAY", "Broken", "Movement", "Page", "Place", "Span", "Sums", "Told"]

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
# How many lines a span has, and no more of them than are to be known.
COUNTED = """
    SELECT COUNT(*) FROM (
      SELECT line.id FROM ledger_app_line AS line
       WHERE line.account_id = %s AND line.effective_on BETWEEN %s AND %s AND {beyond} LIMIT %s
    ) AS counted
"""
EVER = "SELECT {all}, COUNT(*) FROM ledger_app_line AS line {known} WHERE line.account_id = %s"
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


def line_count(account: Account) -> int:
    """Return how many lines an account has, by what its balances say."""
    return int(Balance.objects.filter(account=account).aggregate(lines=Total("sequence"))["lines"] or 0)


def sums(span: Span, *, by_claim: bool = False) -> Sums:
    """Return what the lines of an account come to, parted by the span. All of them are read.

    ``by_claim`` takes what the stored balance leaves for what stands before the span, so that only what is dated from its first day on is read.
    """
    debit, credit, count = _in_span(span)
    beyond = _after(span)
    later = (0, 0, 0) if beyond is None else _in_span(beyond)
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


def told(span: Span, *, most: int | None = None) -> Told:
    """Return what a page says of the lines of an account. Of one with more lines than ``most`` (``ADDED_MOST``), no part that is longer is read.

    What stands before the span, in it and after it come to what is stored: where one of the three is too long, the other two tell what it comes to. What
    was known at an instant takes reading all lines, and is then not told.
    """
    most = ADDED_MOST if most is None else most
    if line_count(span.account) <= most:
        return sums(span).told
    total, total_count = _claimed(span.account)
    if span.known_at is not None:
        return UNTOLD._replace(total=total, total_count=total_count)
    parts = [_bounded(part, most) for part in (_before(span), span, _after(span))]
    nets = [None if part is None else part[0] + part[1] for part in parts]
    counts = [None if part is None else part[2] for part in parts]
    before, moved, later = _filled_up(nets, total)
    _before_count, count, later_count = _filled_up(counts, total_count)
    debit, credit = (None, None) if parts[1] is None else parts[1][:2]
    closing = None if later is None else total - later
    return Told(before, closing, moved, debit, credit, count, later, later_count, 0, 0, total, total_count)


def page(
    span: Span,
    *,
    after: Place | None = None,
    before: Place | None = None,
    limit: int,
    summed: Told | None = None,
    most: int | None = None,
) -> Page:
    """Return at most ``limit`` movements in their order, after a place or the last before one, each with its running balance.

    That is added up from the nearer end of the span, and not at all where more than ``most`` lines lie between; nor are more looked through for those that were
    known at an instant. ``summed``: what ``told`` said of the span, where it was asked already.
    """
    furthest = ADDED_MOST if most is None else most
    found, goes_on = _looked_for(span, after, before, limit, furthest)
    return Page(_added_up(span, found, summed, most, is_back=before is not None), goes_on=goes_on)


def _added_up(span: Span, found: list[Movement], summed: Told | None, most: int | None, *, is_back: bool) -> list[Movement]:
    """Return movements with their running balances, from the nearer end of the span."""
    if not found:
        return []
    ends = summed or told(span, most=most)
    furthest = ADDED_MOST if most is None else most
    ways = (_from_closing, _from_opening) if is_back else (_from_opening, _from_closing)
    for way in ways:
        if (movements := way(span, found, ends, furthest)) is not None:
            return movements
    return [movement._replace(is_added_up=False) for movement in found]


def latest(account: Account, *, before: Place | None = None, limit: int) -> Page:
    """Return the last movements of an account, or the last before a place, in their order; the balances run back from the one that is stored."""
    return back_from(Span(account), closing=_claimed(account)[0], before=before or END, limit=limit)


def back_from(span: Span, *, closing: int | None, before: Place, limit: int, most: int | None = None) -> Page:
    """Return the last movements of a span before a place, in their order, given the balance that the span closes with, where that is known."""
    furthest = ADDED_MOST if most is None else most
    found, goes_on = _looked_for(span, None, before, limit, furthest)
    run = None if closing is None else _run_back(span, found, closing, furthest)
    return Page([movement._replace(is_added_up=False) for movement in found] if run is None else run, goes_on=goes_on)


def movements(span: Span, opening: int) -> Iterator[Movement]:
    """Yield every movement of a span in its order, with the balance that runs along from ``opening``; a bounded number of them in memory."""
    running, place = opening, None
    while True:
        found, _goes_on = _read(span, place, None, LINES_A_READ, None)
        for movement in _run(found, running):
            running, place = movement.running, movement.place
            yield movement
        if len(found) < LINES_A_READ:
            return


def last_page(span: Span, limit: int) -> Page:
    """Return the last movements of a span, in their order."""
    return page(span, before=END, limit=limit)


def broken(account: Account) -> Broken | None:
    """Return the first line of an account whose balance afterwards does not follow from the lines before it."""
    rows = _rows(BROKEN, [account.pk])
    return Broken(*map(int, rows[0])) if rows else None


def misdated(account: Account) -> list[str]:
    """Return the references of entries whose date is not that of their lines on an account, the first twenty."""
    return [reference for (reference,) in _rows(MISDATED, [account.pk])]


def _looked_for(
    span: Span, after: Place | None, before: Place | None, limit: int, most: int
) -> tuple[list[Movement], Place | None]:
    """Return a page in its order, and where the next goes on, in the direction that was asked for."""
    found, reached = _read(span, after, before, limit, most)
    goes_on = found[-1].place if found and len(found) == limit else reached
    if before is not None:
        found.reverse()
    return found, goes_on


def _read(
    span: Span, after: Place | None, before: Place | None, limit: int, most: int | None
) -> tuple[list[Movement], Place | None]:
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
    sign, others = (">", _after(of_day)) if after is not None else ("<", _before(of_day))
    found, reached = _piece(of_day, f"line.id {sign} %s", [place.line_id], limit, most, is_back=after is None)
    if others is None or len(found) == limit or reached is not None:
        return found, reached
    rest = others._replace(first_on=max(others.first_on, span.first_on), last_on=min(others.last_on, span.last_on))
    more, reached = _piece(rest, "1 = 1", [], limit - len(found), most, is_back=after is None)
    return found + more, reached


def _piece(
    span: Span, beyond: str, more: list[Any], limit: int, most: int | None, *, is_back: bool
) -> tuple[list[Movement], Place | None]:
    """Return movements of a piece of the index, from one end on; at most ``most`` lines are looked through for those that were known."""
    if span.first_on > span.last_on:
        return [], None
    if span.known_at is not None and most is not None:
        return _known_piece(span, (beyond, more), limit, most, is_back=is_back)
    is_part = span.first_on > FIRST_DAY or span.last_on < LAST_DAY
    if connection.vendor == "mysql" and is_part and span.known_at is None and limit <= LIST_MOST:
        return _at(span, _places(span, (beyond, more), limit, is_back=is_back), is_back=is_back), None
    where = _filled(IN_SPAN_BEYOND, {"beyond": beyond}) + _filled(IN_ORDER, {"direction": _direction(is_back)})
    return _movements(
        span, where, [span.account.pk, _day(span.first_on), _day(span.last_on), *more, limit], is_back=is_back
    ), None


def _known_piece(
    span: Span, beyond: tuple[str, list[Any]], limit: int, most: int, *, is_back: bool
) -> tuple[list[Movement], Place | None]:
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
        beyond = _beyond("<" if is_back else ">", places[-1])


def _places(span: Span, beyond: tuple[str, list[Any]], limit: int, *, is_back: bool) -> list[Place]:
    """Return where the lines of a piece stand, whenever they were posted: read from the index alone."""
    condition, more = beyond
    statement = _filled(PLACES, {"beyond": condition, "direction": _direction(is_back)})
    rows = _rows(statement, [span.account.pk, _day(span.first_on), _day(span.last_on), *more, limit])
    return [Place(_date(on), key) for key, on in rows]


def _at(span: Span, places: list[Place], *, is_back: bool) -> list[Movement]:
    """Return the movements that stand at these places, those of them that were known."""
    keys = ", ".join(str(place.line_id) for place in places)
    return _movements(span, f"line.id IN ({keys})", [], is_back=is_back) if places else []


def _movements(span: Span, where: str, asked: list[Any], *, is_back: bool) -> list[Movement]:
    rows = [Movement(*row) for row in _rows(_filled(MOVEMENTS, {"where": where}), [_instant(span.known_at), *asked])]
    found = [row._replace(posted_at=_aware(row.posted_at), effective_on=_date(row.effective_on)) for row in rows]
    return sorted(found, key=lambda row: row.place, reverse=is_back)


def _direction(is_back: bool) -> str:  # noqa: FBT001 - what it is made of
    return "DESC" if is_back else "ASC"


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


def _before(span: Span) -> Span | None:
    return None if span.first_on == FIRST_DAY else span._replace(first_on=FIRST_DAY, last_on=span.first_on - _DAY)


def _after(span: Span) -> Span | None:
    return None if span.last_on == LAST_DAY else span._replace(first_on=span.last_on + _DAY, last_on=LAST_DAY)


def _bounded(span: Span | None, most: int, beyond: tuple[str, list[Any]] = ("1 = 1", [])) -> tuple[int, int, int] | None:
    """Return what ``_in_span`` does, nothing of no span, and None of one with more than ``most`` lines, of which no more are looked at."""
    if span is None:
        return 0, 0, 0
    condition, more = beyond
    parameters = [span.account.pk, _day(span.first_on), _day(span.last_on), *more, most + 1]
    ((count,),) = _rows(_filled(COUNTED, {"beyond": condition}), parameters)
    return _in_span(span, beyond) if count <= most else None


def _filled_up(parts: list[int | None], total: int) -> list[int | None]:
    """Return the parts of a total, the one that is not known as what the others leave; more than one stay unknown."""
    known = [part for part in parts if part is not None]
    if len(known) + 1 != len(parts):
        return parts
    return [total - sum(known) if part is None else part for part in parts]


def _from_opening(span: Span, found: list[Movement], ends: Told, most: int) -> list[Movement] | None:
    """Return movements with their running balances, counted from the beginning of the span; None where that is too far."""
    if ends.opening is None or (part := _bounded(span, most, _beyond("<", found[0].place))) is None:
        return None
    return list(_run(found, ends.opening + part[0] + part[1]))


def _from_closing(span: Span, found: list[Movement], ends: Told, most: int) -> list[Movement] | None:
    """Return movements with their running balances, counted from the end of the span; None where that is too far."""
    return None if ends.closing is None else _run_back(span, found, ends.closing, most)


def _run_back(span: Span, found: list[Movement], closing: int, most: int) -> list[Movement] | None:
    """Return movements with their running balances, counted back from a balance; None where more lines lie between than are added up."""
    if not found:
        return []
    if (part := _bounded(span, most, _beyond(">", found[-1].place))) is None:
        return None
    return list(_run(found, closing - part[0] - part[1] - sum(movement.amount for movement in found)))


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
