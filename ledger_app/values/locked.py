"""Periods and accounts as they stand under their locks. Pure."""

from datetime import date
from typing import NamedTuple


class LockedPeriod(NamedTuple):
    """A period as it stands under its shared lock."""

    name: str
    starts_on: date
    ends_on: date
    state: str


class LockedAccount(NamedTuple):
    """An account as it stands under the lock of its balances."""

    code: str
    book_id: int
    category: str
    floor: int | None
    stripes: int
    state: str
    merged_into: int | None
    keeps_lots: bool = False
