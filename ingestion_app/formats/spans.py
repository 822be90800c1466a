"""Values as a definition lists them: each by itself, or, of counts, all numbers from one to another."""

import re
from collections.abc import Callable, Sequence

_SPAN = re.compile(r"(0|[1-9][0-9]{0,14})-([1-9][0-9]{0,14})")


def span_of(text: str) -> range | None:
    """Return the numbers for which ``100-399`` stands; None where the text is no such span."""
    found = _SPAN.fullmatch(text)
    return range(int(found[1]), int(found[2]) + 1) if found and int(found[1]) < int(found[2]) else None


def holder_of(values: Sequence[str], *, are_counts: bool) -> Callable[[str], bool]:
    """Return what tells whether a value is one of those that are listed."""
    spans = [span for each in values if are_counts and (span := span_of(each)) is not None]
    alone = frozenset(values)
    if not spans:
        return alone.__contains__
    return lambda value: value in alone or (value.isdigit() and any(int(value) in span for span in spans))


def overlap(one: Sequence[str], other: Sequence[str], *, are_counts: bool) -> bool:
    """Whether a value is listed in both."""
    if set(one) & set(other):
        return True
    if not are_counts:
        return False
    spans = [[span_of(each) or range(int(each), int(each) + 1) for each in listed if is_number(each)] for listed in (one, other)]
    return any(a.start < b.stop and b.start < a.stop for a in spans[0] for b in spans[1])


def is_number(text: str) -> bool:
    """Whether a text is a number, or a span of them."""
    return span_of(text) is not None or (text.isascii() and text.isdigit())
