"""The lines of an account in a span of dates, in the order of their dates, with the balance that runs along; as known now or at an earlier instant."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ledger_app.base.queries import totals
from ledger_app.base.queries.totals import Total
from ledger_app.models import Account, Balance
from ledger_app.posting.queries import along
from ledger_app.posting.queries.spans import END, FIRST_DAY, Broken, Figures, Movement, Page, Position, Span, Sums

LINES_A_READ = 20_000
ADDED_MOST = 20_000  # lines that are added up, or looked through, while somebody waits
NO_FIGURES = Figures(None, None, None, None, None, None, None, None, None, None, 0, 0)
__all__ = ["END", "FIRST_DAY", "Broken", "Figures", "Movement", "Page", "Position", "Span", "Sums"]

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
    beyond = along.days_after(span)
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


def figures(span: Span, *, most: int | None = None) -> Figures:
    """Return what a page says of the lines of an account. Of one with more lines than ``most`` (``ADDED_MOST``), no part that is longer is read.

    What stands before the span, in it and after it come to what is stored: where one of the three is too long, the other two tell what it comes to. What
    was known at an instant takes reading all lines, and is then not told.
    """
    most = ADDED_MOST if most is None else most
    if line_count(span.account) <= most:
        return sums(span).figures
    total, total_count = _claimed(span.account)
    if span.known_at is not None:
        return NO_FIGURES._replace(total=total, total_count=total_count)
    parts = [_bounded(part, most) for part in (along.days_before(span), span, along.days_after(span))]
    nets = [None if part is None else part[0] + part[1] for part in parts]
    counts = [None if part is None else part[2] for part in parts]
    before, moved, later = _filled_up(nets, total)
    _before_count, count, later_count = _filled_up(counts, total_count)
    debit, credit = (None, None) if parts[1] is None else parts[1][:2]
    closing = None if later is None else total - later
    return Figures(before, closing, moved, debit, credit, count, later, later_count, 0, 0, total, total_count)


def page(
    span: Span,
    *,
    after: Position | None = None,
    before: Position | None = None,
    limit: int,
    summed: Figures | None = None,
    most: int | None = None,
) -> Page:
    """Return at most ``limit`` movements in their order, after a place or the last before one, each with its running balance.

    That is added up from the nearer end of the span, and not at all where more than ``most`` lines lie between; nor are more looked through for those that were
    known at an instant. ``summed``: what ``told`` said of the span, where it was asked already.
    """
    furthest = ADDED_MOST if most is None else most
    found, goes_on = along.looked_for(span, after, before, limit, furthest)
    return Page(_added_up(span, found, summed, most, is_back=before is not None), goes_on=goes_on)


def _added_up(span: Span, found: list[Movement], summed: Figures | None, most: int | None, *, is_back: bool) -> list[Movement]:
    """Return movements with their running balances, from the nearer end of the span."""
    if not found:
        return []
    ends = summed or figures(span, most=most)
    furthest = ADDED_MOST if most is None else most
    ways = (_from_closing, _from_opening) if is_back else (_from_opening, _from_closing)
    for way in ways:
        if (movements := way(span, found, ends, furthest)) is not None:
            return movements
    return [movement._replace(is_added_up=False) for movement in found]


def latest(account: Account, *, before: Position | None = None, limit: int) -> Page:
    """Return the last movements of an account, or the last before a place, in their order; the balances run back from the one that is stored."""
    return back_from(Span(account), closing=_claimed(account)[0], before=before or END, limit=limit)


def back_from(span: Span, *, closing: int | None, before: Position, limit: int, most: int | None = None) -> Page:
    """Return the last movements of a span before a place, in their order, given the balance that the span closes with, where that is known."""
    furthest = ADDED_MOST if most is None else most
    found, goes_on = along.looked_for(span, None, before, limit, furthest)
    run = None if closing is None else _run_back(span, found, closing, furthest)
    return Page([movement._replace(is_added_up=False) for movement in found] if run is None else run, goes_on=goes_on)


def movements(span: Span, opening: int) -> Iterator[Movement]:
    """Yield every movement of a span in its order, with the balance that runs along from ``opening``; a bounded number of them in memory."""
    running, place = opening, None
    while True:
        found, _goes_on = along.read(span, place, None, LINES_A_READ, None)
        for movement in _run(found, running):
            running, place = movement.running, movement.position
            yield movement
        if len(found) < LINES_A_READ:
            return


def last_page(span: Span, limit: int) -> Page:
    """Return the last movements of a span, in their order."""
    return page(span, before=END, limit=limit)


def broken(account: Account) -> Broken | None:
    """Return the first line of an account whose balance afterwards does not follow from the lines before it."""
    rows = along.fetched(BROKEN, [account.pk])
    return Broken(*map(int, rows[0])) if rows else None


def misdated(account: Account) -> list[str]:
    """Return the references of entries whose date is not that of their lines on an account, the first twenty."""
    return [reference for (reference,) in along.fetched(MISDATED, [account.pk])]


def _in_span(span: Span, beyond: tuple[str, list[Any]] = ("1 = 1", [])) -> tuple[int, int, int]:
    """Return debits, credits (not above zero) and the number of lines of an account in a span, or in the part of it beyond a place."""
    condition, more = beyond
    known, instant = _as_known(span.known_at)
    parts = {"debit": totals.of("CASE WHEN line.amount > 0 THEN line.amount ELSE 0 END"), "known": known, "beyond": condition}
    parts["credit"] = totals.of("CASE WHEN line.amount < 0 THEN line.amount ELSE 0 END")
    statement = along.filled(IN_SPAN, parts)
    ((debit, credit, count),) = along.fetched(
        statement, [*instant, span.account.pk, along.day(span.first_on), along.day(span.last_on), *more]
    )
    return totals.whole(debit), totals.whole(credit), int(count)


def _ever(account: Account, known_at: datetime | None) -> tuple[int, int]:
    """Return what all lines of an account come to, as known, and how many they are."""
    known, instant = _as_known(known_at)
    ((total, count),) = along.fetched(
        along.filled(EVER, {"all": totals.of("line.amount"), "known": known}), [*instant, account.pk]
    )
    return totals.whole(total), int(count)


def _claimed(account: Account) -> tuple[int, int]:
    """Return what the stored balances of an account say that its lines come to, and how many they are."""
    rows = list(account.balances.values_list("amount", "sequence"))
    return sum(amount for amount, _sequence in rows), sum(sequence for _amount, sequence in rows)


def _as_known(known_at: datetime | None) -> tuple[str, list[Any]]:
    return ("", []) if known_at is None else (KNOWN, [along.instant(known_at)])


def _bounded(span: Span | None, most: int, beyond: tuple[str, list[Any]] = ("1 = 1", [])) -> tuple[int, int, int] | None:
    """Return what ``_in_span`` does, nothing of no span, and None of one with more than ``most`` lines, of which no more are looked at."""
    if span is None:
        return 0, 0, 0
    condition, more = beyond
    parameters = [span.account.pk, along.day(span.first_on), along.day(span.last_on), *more, most + 1]
    ((count,),) = along.fetched(along.filled(COUNTED, {"beyond": condition}), parameters)
    return _in_span(span, beyond) if count <= most else None


def _filled_up(parts: list[int | None], total: int) -> list[int | None]:
    """Return the parts of a total, the one that is not known as what the others leave; more than one stay unknown."""
    known = [part for part in parts if part is not None]
    if len(known) + 1 != len(parts):
        return parts
    return [total - sum(known) if part is None else part for part in parts]


def _from_opening(span: Span, found: list[Movement], ends: Figures, most: int) -> list[Movement] | None:
    """Return movements with their running balances, counted from the beginning of the span; None where that is too far."""
    if ends.opening is None or (part := _bounded(span, most, along.past("<", found[0].position))) is None:
        return None
    return list(_run(found, ends.opening + part[0] + part[1]))


def _from_closing(span: Span, found: list[Movement], ends: Figures, most: int) -> list[Movement] | None:
    """Return movements with their running balances, counted from the end of the span; None where that is too far."""
    return None if ends.closing is None else _run_back(span, found, ends.closing, most)


def _run_back(span: Span, found: list[Movement], closing: int, most: int) -> list[Movement] | None:
    """Return movements with their running balances, counted back from a balance; None where more lines lie between than are added up."""
    if not found:
        return []
    if (part := _bounded(span, most, along.past(">", found[-1].position))) is None:
        return None
    return list(_run(found, closing - part[0] - part[1] - sum(movement.amount for movement in found)))


def _run(found: list[Movement], running: int) -> Iterator[Movement]:
    for movement in found:
        running += movement.amount
        yield movement._replace(running=running)
