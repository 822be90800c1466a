"""The side of the books on which an account grows: the natural direction of its category. Pure."""

from typing import Final

CATEGORIES: Final = ("asset", "liability", "equity", "income", "expense")
DEBIT_CATEGORIES: Final = frozenset({"asset", "expense"})


def is_debit(category: str) -> bool:
    """Whether an account of ``category`` grows by debits."""
    return category in DEBIT_CATEGORIES


def sign(category: str) -> int:
    """Return what makes a signed amount one in the natural direction of ``category``, and back: 1 or -1."""
    return 1 if category in DEBIT_CATEGORIES else -1


def natural(category: str, amount: int) -> int:
    """Return a signed amount in the natural direction of ``category``: credit positive for liability, equity and income."""
    return amount if category in DEBIT_CATEGORIES else -amount
