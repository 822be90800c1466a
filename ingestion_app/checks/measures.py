"""Measures of how far two counts are apart, in whole numbers: the same on every machine, and of a size that says something at a million records.

No measure here asks how likely a difference is: at a million records every difference is unlikely.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

MILLION = 1_000_000
THOUSAND = 1_000
LEAST_SHARE = (
    200  # in a million: what is rarer counts as that rare, so that a value that was not there does not weigh without end
)
LN_2 = 693_147  # in millionths
_BITS = 30

Counts = Mapping[str, int]
Shares = Mapping[str, int]  # in a million


def shares(counts: Counts) -> dict[str, int]:
    """Return the shares of counts in a million."""
    total = sum(counts.values())
    return {value: count * MILLION // total for value, count in counts.items()} if total else {}


def mean(of: Sequence[Shares]) -> dict[str, int]:
    """Return the mean of shares, each file weighing the same."""
    return {value: sum(each.get(value, 0) for each in of) // len(of) for value in set().union(*of)}


@lru_cache(maxsize=65536)
def logarithm(number: int) -> int:
    """Return the natural logarithm of a whole number above zero, in thousandths."""
    whole = number.bit_length() - 1
    part = (number << _BITS) >> whole
    bits = 0
    for _ in range(14):
        part = part * part >> _BITS
        bits <<= 1
        if part >> (_BITS + 1):
            part >>= 1
            bits |= 1
    return (((whole << 14) + bits) * LN_2 >> 14) // THOUSAND


def stability(one: Shares, other: Shares) -> int:
    """Return the population stability index of two distributions, in thousandths: 0 where they are the same."""
    found = 0
    for value in one.keys() | other.keys():
        a, b = max(one.get(value, 0), LEAST_SHARE), max(other.get(value, 0), LEAST_SHARE)
        found += (a - b) * (logarithm(a) - logarithm(b))
    return found // MILLION


def by_chance(cells: int, *records: int) -> int:
    """Return what the index comes to where two samples of the same thing differ as samples do, in thousandths."""
    return sum(cells * THOUSAND // max(1, count) for count in records)


def middle(of: Iterable[int]) -> int:
    """Return the median, the lower of two."""
    ordered = sorted(of)
    return ordered[(len(ordered) - 1) // 2]
