"""How much somebody may decide: at once, and in sum of what the same person has decided lately. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WINDOW_DAYS = 30
WINDOW_DAYS_MOST = 366


@dataclass(frozen=True, slots=True)
class Limit:
    """What one may decide in a book, in minor units. Nothing by default.

    ``most`` at all and ``alone`` without a second person are for one member in sum over ``window_days``; ``day_most`` is for all members of a
    book in sum over a day of its, where it is not None.
    """

    most: int = 0
    alone: int = 0
    window_days: int = WINDOW_DAYS
    day_most: int | None = None


class Lately(NamedTuple):
    """What a person has decided before, amounts without their signs: for the member in the window, alone and at all, and in the book on the day."""

    alone: int = 0
    at_all: int = 0
    on_day: int = 0


def widest(limits: Sequence[Limit]) -> Limit:
    """Return what somebody may decide who is in several groups: the most of each, in sum over the longest of their windows."""
    if not limits:
        return Limit()
    days = [each.day_most for each in limits if each.day_most is not None]
    return Limit(
        most=max(each.most for each in limits),
        alone=max(min(each.alone, each.most) for each in limits),
        window_days=max(each.window_days for each in limits),
        day_most=max(days) if len(days) == len(limits) else None,
    )
