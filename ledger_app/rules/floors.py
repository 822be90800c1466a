"""Whether every day of an account closes at its floor or above, whatever the order in which its entries come. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ledger_app import errors

if TYPE_CHECKING:
    from ledger_app.rules.posting import Draft


class Days:
    """What the lines of an account that has a floor add by date: those in the ledger, and those decided on so far. Signed, debit positive."""

    __slots__ = ("_added",)

    def __init__(self, there: Mapping[date, int]) -> None:
        """Begin with what the ledger has on days after the first that is decided on."""
        self._added = dict(there)

    def add(self, on: date, amount: int) -> None:
        """Keep what a line adds on its date."""
        self._added[on] = self._added.get(on, 0) + amount

    def lowest(self, on: date, *, after: int, sign: int) -> tuple[int, date]:
        """Return what the lowest of the days from ``on`` closes with, in the natural direction that ``sign`` makes, and that day, the first of several.

        ``after`` is what the last of all days closes with. Back from it, each day closes with less what the days after it add.
        """
        later = sorted((day for day in self._added if day > on), reverse=True)
        closing = after * sign
        lowest, lowest_on = closing, later[0] if later else on
        for day, before in zip(later, [*later[1:], on], strict=True):
            closing -= self._added[day] * sign
            if closing <= lowest:
                lowest, lowest_on = closing, before
        return lowest, lowest_on

    def refusals(self, draft: "Draft", code: str, *, floor: int, after: int, sign: int) -> list[errors.LedgerError]:
        """Return what refuses a draft that takes from the account and leaves it ``after``: a day from the draft's on that would close below the floor."""
        if after * sign < floor:
            return [errors.FloorBroken(account=code, balance=after * sign, floor=floor, reference=draft.reference)]
        lowest, on = self.lowest(draft.effective_on, after=after, sign=sign)
        if lowest >= floor:
            return []
        facts = {"account": code, "balance": lowest, "floor": floor, "reference": draft.reference}
        return [errors.FloorBrokenOn(date=on.isoformat(), **facts)]
