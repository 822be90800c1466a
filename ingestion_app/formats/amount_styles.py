"""How senders write amounts: what a column says of its own."""

from dataclasses import dataclass
from enum import StrEnum


class Sign(StrEnum):
    """Where the sign of an amount stands."""

    LEADING = "leading"
    TRAILING = "trailing"
    PARENTHESES = "parentheses"  # around negative ones
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How an amount is written, where it is not a bare number of minor units.

    ``decimals`` digits stand behind the ``point`` (None: the last digits are the decimals); ``minor_digits`` of them the unit has.
    """

    decimals: int = 0
    minor_digits: int = 0
    point: str | None = None
    has_fewer_decimals: bool = False
    thousands: str | None = None
    sign: Sign = Sign.LEADING
    may_have_plus: bool = False
    zero_padded: bool = False
