"""The keys and the range of balances. Pure."""

from typing import Final

STRIPES_MOST: Final = 64
BALANCE_MOST: Final = 9 * 10**18  # what the columns of balances and of sums hold, either sign


def balance_id(account_id: int, stripe: int) -> int:
    """Return the primary key of a balance: the order of these keys is the order of the locks."""
    return account_id * STRIPES_MOST + stripe
