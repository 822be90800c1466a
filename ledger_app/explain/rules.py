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

YEAR: Final = 12  # months
_DAY: Final = timedelta(days=1)


def months_before(on: date, count: int) -> date:
    """Return the day so many months before another: the month's last where it has no such day, and never before the calendar begins."""
    year, month = divmod(max(on.year * 12 + on.month - 1 - count, 12), 12)
    return date(year, month + 1, min(on.day, calendar.monthrange(year, month + 1)[1]))


def end_of_month(on: date) -> date:
    """Return the last day of a day's month."""
    return on.replace(day=calendar.monthrange(on.year, on.month)[1])


def month_count(first: date, last: date) -> int:
    """Return how many calendar months have a day of a span."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


def compared(first: date, last: date, to: str) -> tuple[date, date]:
    """Return the span that one is held beside: whole months beside as many whole months, other spans beside as many days."""
    is_whole = first.day == 1 and last == end_of_month(last)
    if to == PREVIOUS and not is_whole:
        return date.fromordinal(max(2 * first.toordinal() - last.toordinal() - 1, 1)), first - _DAY
    count = YEAR if to == LAST_YEAR else month_count(first, last)
    end = months_before(last, count)
    return months_before(first, count), end_of_month(end) if is_whole else end


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the calendar months of a span, the first and the last as far as they are in it."""
    start = first
    while (end := end_of_month(start)) < last:
        yield start, end
        start = end + _DAY
    yield start, last


def age_bounds(on: date) -> tuple[date, ...]:
    """Return the days after which was granted what is less than so many months old (``AGES``) on a day."""
    return tuple(months_before(on, count) for count in AGES)
