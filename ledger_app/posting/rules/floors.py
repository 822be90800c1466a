"""Whether every day of an account closes at its floor or above, whatever the order in which its entries come. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from ledger_app import errors
from ledger_app.errors.lots import FloorBrokenOn
from ledger_app.posting.rules.drafts import Draft


def is_below(floor: int | None, balance: int) -> bool:
    """Whether a balance, in the natural direction, lies below the floor; nothing does where there is none."""
    return floor is not None and balance < floor


def is_above_nothing(floor: int | None) -> bool:
    """Whether a new account, which has nothing, would lie below its floor, and no later line mend what that says."""
    return is_below(floor, 0)


def may_owe(floor: int | None, owed: int) -> bool:
    """Whether the floor lets an account owe so much once all is gone that it has."""
    return floor is None or owed <= max(0, -floor)


def day_refusal(day: tuple[int, date], floor: int | None, *, account: str, reference: str) -> FloorBrokenOn | None:
    """Return what refuses a day, as what it closes with and its date, that closes below the floor."""
    lowest, on = day
    if not is_below(floor, lowest):
        return None
    return FloorBrokenOn(date=on.isoformat(), account=account, balance=lowest, floor=floor, reference=reference)


class Days:
    """What the lines of an account that has a floor add by date: those in the ledger, and those decided on so far. Signed, debit positive."""

    __slots__ = ("_added",)

    def __init__(self, there: Mapping[date, int]) -> None:
        """Begin with what the ledger has on days after the first that is decided on."""
        self._added = dict(there)

    def add(self, on: date, amount: int) -> None:
        """Keep what a line adds on its date."""
        self._added[on] = self._added.get(on, 0) + amount

    def get(self, on: date) -> int | None:
        """Return what lines add on a date; None where there is none."""
        return self._added.get(on)

    def put_back(self, on: date, added: int | None) -> None:
        """Have lines add on a date what they did before, as ``get`` said it."""
        if added is None:
            self._added.pop(on, None)
        else:
            self._added[on] = added

    def is_late(self, on: date) -> bool:
        """Whether a later day adds something."""
        return any(day > on for day in self._added)

    def spans(self, on: date, *, after: int, sign: int) -> Iterator[tuple[int, date, date]]:
        """Yield what the account closes with from ``on``, in the natural direction that ``sign`` makes, and the first and last day on which it does.

        The latest first. ``after`` is what the last of all days closes with. Back from it, each day closes with less what the days after it add.
        """
        closing, last = after * sign, date.max
        for day in sorted((day for day in self._added if day > on), reverse=True):
            yield closing, day, last
            closing -= self._added[day] * sign
            last = day - timedelta(days=1)
        yield closing, on, last

    def lowest(self, on: date, *, after: int, sign: int) -> tuple[int, date]:
        """Return what the lowest of the days from ``on`` closes with, in the natural direction, and that day, the first of several."""
        return min((closing, first) for closing, first, _last in self.spans(on, after=after, sign=sign))

    def lowest_left(self, on: date, *, after: int, sign: int, due: Mapping[date, int]) -> tuple[int, date]:
        """Return as ``lowest`` what is left at the end of each span once all has gone that is due by then: ``due`` is what is, by day."""
        return min(
            (closing - sum(amount for day, amount in due.items() if day <= last), first)
            for closing, first, last in self.spans(on, after=after, sign=sign)
        )

    def refusals(self, draft: Draft, code: str, *, floor: int, after: int, sign: int) -> list[errors.LedgerError]:
        """Return what refuses a draft that takes from the account and leaves it ``after``: a day from the draft's on that would close below the floor."""
        if is_below(floor, after * sign):
            return [errors.FloorBroken(account=code, balance=after * sign, floor=floor, reference=draft.reference)]
        lowest = self.lowest(draft.effective_on, after=after, sign=sign)
        refusal = day_refusal(lowest, floor, account=code, reference=draft.reference)
        return [] if refusal is None else [refusal]
