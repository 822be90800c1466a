"""How much somebody may decide: at once, and in sum of what was decided lately, by the same person and by all together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger_app.errors import LedgerError, adjusting
from ledger_app.values.most import WINDOW_DAYS


@dataclass(frozen=True, slots=True)
class Limit:
    """What one may decide in a book, in minor units. Nothing by default.

    ``most`` at all and ``alone`` without a second person are for one member in sum over ``window_days``; ``day_most`` is for all members of a
    book in sum over a day of its. What everybody decides together on such a day is bounded by ``member_day_most`` for one member and by
    ``all_day_most`` for all. None is no such limit.
    """

    most: int = 0
    alone: int = 0
    window_days: int = WINDOW_DAYS
    day_most: int | None = None
    member_day_most: int | None = None
    all_day_most: int | None = None


class Lately(NamedTuple):
    """What was decided before, amounts without their signs.

    By the person: for the member in the window, alone and at all, and in the book on the day. By everybody: for the member and for all on the day.
    """

    alone: int = 0
    at_all: int = 0
    on_day: int = 0
    member_on_day: int = 0
    all_on_day: int = 0


class Weight(NamedTuple):
    """What a decision moves on an account, without its sign, and by which reason code; None of what was no adjustment."""

    account_id: int
    reason_id: int | None
    amount: int


class LimitCheck(NamedTuple):
    """A limit that a decision is compared with, and what counts against it. ``name`` says what it is of: a book, and a reason code where it is of one."""

    name: str
    limit: Limit
    lately: Lately

    def needs_second(self, size: int) -> bool:
        """Whether an amount, with what the person has decided alone before, is more than the person may decide alone."""
        return size + self.lately.alone > self.limit.alone


def widest(limits: Sequence[Limit]) -> Limit:
    """Return what somebody may decide who is in several groups: the most of each, in sum over the longest of their windows."""
    if not limits:
        return Limit()
    return Limit(
        most=max(each.most for each in limits),
        alone=max(min(each.alone, each.most) for each in limits),
        window_days=max(each.window_days for each in limits),
        day_most=_widest([each.day_most for each in limits]),
        member_day_most=_widest([each.member_day_most for each in limits]),
        all_day_most=_widest([each.all_day_most for each in limits]),
    )


def beyond(check: LimitCheck, size: int, *, user: str) -> list[LedgerError]:
    """Return why an amount is more than the user may decide at all: at once, in sum over the window, and on the day."""
    limit, lately = check.limit, check.lately
    said = {"user": user, "book": check.name, "amount": size}
    if size > limit.most:
        return [adjusting.OverLimit(**said, limit=limit.most)]
    found: list[LedgerError] = []
    if size + lately.at_all > limit.most:
        found.append(adjusting.OverLimitInSum(**said, limit=limit.most, days=limit.window_days, before=lately.at_all))
    return [*found, *beyond_day(check, size, user=user)]


def beyond_day(check: LimitCheck, size: int, *, user: str) -> list[LedgerError]:
    """Return why an amount is more than may be decided on one day: by the user, for the member by all together, and by all together."""
    limit, lately = check.limit, check.lately
    found: list[LedgerError] = []
    if limit.day_most is not None and size + lately.on_day > limit.day_most:
        said = {"user": user, "book": check.name, "amount": size}
        found.append(adjusting.OverDayLimit(**said, limit=limit.day_most, before=lately.on_day))
    if limit.member_day_most is not None and size + lately.member_on_day > limit.member_day_most:
        most, before = limit.member_day_most, lately.member_on_day
        found.append(adjusting.OverMemberDayLimit(book=check.name, amount=size, limit=most, before=before))
    if limit.all_day_most is not None and size + lately.all_on_day > limit.all_day_most:
        most, before = limit.all_day_most, lately.all_on_day
        found.append(adjusting.OverDayLimitOfAll(book=check.name, amount=size, limit=most, before=before))
    return found


def beyond_alone(check: LimitCheck, size: int, *, user: str) -> list[LedgerError]:
    """Return why the user may not decide an amount where nobody else approves it: what is adjusted by a file, or taken back."""
    if found := beyond(check, size, user=user):
        return found
    if not check.needs_second(size):
        return []
    limit = check.limit
    said = {"user": user, "book": check.name, "amount": size, "days": limit.window_days}
    return [adjusting.OverLimitAlone(**said, alone=limit.alone, before=check.lately.alone)]


def _widest(limits: Sequence[int | None]) -> int | None:
    """Return the highest of some limits; None where one of them is none."""
    known = [each for each in limits if each is not None]
    return max(known) if len(known) == len(limits) else None
