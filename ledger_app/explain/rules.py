"""What reports are about: their kinds, who reads them, the spans that are held beside each other, and how old points are. Pure."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

READ: Final = _("Read the reports of a book")
READERS: Final = _("Finance and auditors")
# Who closes the books, and who holds them against what they say: one of these rights is enough.
FREEZE: Final = "ledger_app.freeze_period"
RIGHTS: Final = frozenset({FREEZE, "ledger_app.run_verification"})

TRIAL_BALANCE, GENERAL_LEDGER, POINTS = "trial-balance", "general-ledger", "points"
KINDS: Final = (TRIAL_BALANCE, GENERAL_LEDGER, POINTS)
ROLE, SOURCE, STORE = "role", "source", "store"
PARTS: Final = (ROLE, SOURCE, STORE)
PREVIOUS, LAST_YEAR = "previous", "last-year"
COMPARED: Final = (PREVIOUS, LAST_YEAR)
MONTHS_MOST: Final = 36
# How old what is outstanding is, by the months since it was granted. Prepaid law asks about six.
AGES: Final = (3, 6, 12)

_DAY: Final = timedelta(days=1)


def months_before(on: date, count: int) -> date:
    """Return the day so many months before another: the month's last where it has no such day."""
    month = on.year * 12 + on.month - 1 - count
    year, month = divmod(month, 12)
    return date(year, month + 1, min(on.day, calendar.monthrange(year, month + 1)[1]))


def is_last_of_month(on: date) -> bool:
    """Whether a day is the last of its month."""
    return (on + _DAY).day == 1


def compared(first: date, last: date, to: str) -> tuple[date, date]:
    """Return the span that one is held beside: whole months beside as many whole months, other spans beside as many days."""
    is_whole = first.day == 1 and is_last_of_month(last)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if to == LAST_YEAR:
        count = 12
    elif not is_whole:
        return first - (last - first) - _DAY, first - _DAY
    end = months_before(last, count)
    if is_whole:
        end = end.replace(day=calendar.monthrange(end.year, end.month)[1])
    return months_before(first, count), end


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the calendar months of a span, the first and the last as far as they are in it."""
    start = first
    while start <= last:
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        yield start, min(end, last)
        start = end + _DAY


def age_bounds(on: date) -> tuple[date, ...]:
    """Return the days after which was granted what is less than so many months old (``AGES``) on a day."""
    return tuple(months_before(on, count) for count in AGES)
