"""Amounts as text for other programs and for terminals; which columns of settings are amounts."""

from typing import Final

# Columns of settings and accounts that are amounts of their book, in minor units.
OF_SETTINGS: Final = frozenset(
    {"amount_most", "two_deciders_above", "day_most", "member_day_most", "all_day_most", "floor", "amount_a_day"}
)


def decimal_text(amount: int, exponent: int) -> str:
    """Return minor units as a decimal number with ``exponent`` decimals: -1234 with 2 is “-12.34”. Digits only, no separators."""
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
