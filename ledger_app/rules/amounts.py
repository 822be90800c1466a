"""Amounts as text for other programs and for terminals."""


def decimal_text(amount: int, exponent: int) -> str:
    """Return minor units as a decimal number with ``exponent`` decimals: -1234 with 2 is “-12.34”. Digits only, no separators."""
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
