"""Amounts as senders write them: major units, separators, signs in odd places. Each column takes one way of writing, and nothing beside it."""

import re
from collections.abc import Callable

from ingestion_app.formats.amount_styles import AmountStyle, Sign

# No more digits than this are turned into a number: as many as a column of fixed width has, zeros in front among them.
_DIGITS_MOST = 64


def amount_parser(style: AmountStyle) -> Callable[[str], int | None]:
    """Return a function from a text to the minor units that it spells, or None where it is not written in this style."""
    whole = re.compile(_pattern(style)).fullmatch
    surplus = style.decimals - style.minor_digits

    def parse(text: str) -> int | None:
        if len(text) > _DIGITS_MOST or (match := whole(text)) is None:
            return None
        digits, decimals = match["digits"], match["decimals"] or ""
        if style.thousands:
            digits = digits.replace(style.thousands, "")
        if style.point is None and style.decimals:
            digits = digits.rjust(style.decimals + 1, "0")
            digits, decimals = digits[: -style.decimals], digits[-style.decimals :]
        decimals = decimals.ljust(style.decimals, "0")
        if surplus > 0:
            # What is smaller than the unit's own must be nothing: it is never rounded.
            if decimals[style.minor_digits :].strip("0"):
                return None
            decimals = decimals[: style.minor_digits]
        amount = int(digits + decimals.ljust(style.minor_digits, "0"))
        is_negative = any(match.groupdict().get(name) for name in ("minus", "opened"))
        # A zero has no sign: with a minus it is the same zero, as it is where another column says the sign.
        return -amount if is_negative else amount

    return parse


def example(style: AmountStyle) -> str:
    """Return how minus one thousand two hundred thirty-four is written in this style, with all of its decimals."""
    number = f"1{style.thousands or ''}234"
    if style.decimals:
        number += (style.point or "") + "0" * style.decimals
    match style.sign:
        case Sign.LEADING:
            return f"-{number}"
        case Sign.TRAILING:
            return f"{number}-"
        case Sign.PARENTHESES:
            return f"({number})"
        case Sign.NONE:
            return number


def _pattern(style: AmountStyle) -> str:
    if style.zero_padded:
        plain = "[0-9]+"
    elif style.point is None and style.decimals:
        plain = f"(?:[1-9][0-9]*|0|0[0-9]{{1,{style.decimals}}})"
    else:
        plain = "(?:[1-9][0-9]*|0)"
    if style.thousands:
        groups = f"(?:{re.escape(style.thousands)}[0-9]{{3}})*"
        plain = f"[0-9]{{1,3}}{groups}" if style.zero_padded else f"(?:[1-9][0-9]{{0,2}}{groups}|0)"
    decimals = "(?P<decimals>)"
    if style.decimals and style.point is not None:
        least = 1 if style.has_fewer_decimals else style.decimals
        decimals = f"{re.escape(style.point)}(?P<decimals>[0-9]{{{least},{style.decimals}}})"
        decimals = f"(?:{decimals})?" if style.has_fewer_decimals else decimals
    number = f"(?P<digits>{plain}){decimals}"
    sign = r"(?:(?P<minus>-)|\+)?" if style.may_have_plus else "(?P<minus>-)?"
    match style.sign:
        case Sign.LEADING:
            return sign + number
        case Sign.TRAILING:
            return number + sign
        case Sign.PARENTHESES:
            return rf"(?P<opened>\()?{number}(?(opened)\))"
        case Sign.NONE:
            return number
