"""Which period takes a date, and whether a span of days has one. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar


class Dated(Protocol):
    """What has a first and a last day, both its own: a period."""

    @property
    def starts_on(self) -> date:
        """The first day."""

    @property
    def ends_on(self) -> date:
        """The last day."""


Spanning = TypeVar("Spanning", bound=Dated)


def is_between(first: date, last: date, on: date) -> bool:
    """Whether a date is one of those from ``first`` to ``last``."""
    return first <= on <= last


def meets(period: Dated, first: date, last: date) -> bool:
    """Whether a period has one of the days from ``first`` to ``last``."""
    return period.starts_on <= last and period.ends_on >= first


def taking(periods: Iterable[Spanning], on: date) -> Spanning | None:
    """Return which of the periods of a book takes a date; None where none does."""
    return next((period for period in periods if is_between(period.starts_on, period.ends_on, on)), None)
