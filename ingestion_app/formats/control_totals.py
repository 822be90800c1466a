"""What senders say of the whole of a file or of a group beside its count and sum."""

from dataclasses import dataclass
from enum import StrEnum


class Total(StrEnum):
    """What a trailer may say of the amounts beside their sum, and of their directions."""

    ABSOLUTE_SUM = "absolute_sum"  # signs left out
    POSITIVE_SUM = "positive_sum"
    NEGATIVE_SUM = "negative_sum"  # without its sign
    POSITIVE_COUNT = "positive_count"
    NEGATIVE_COUNT = "negative_count"


@dataclass(frozen=True, slots=True)
class HashTotal:
    """A sum that means nothing but that no record was changed: of the first ``digits`` of a column (None: all), less all of ``modulus``."""

    trailer: str
    of: str
    digits: int | None = None
    modulus: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Columns with the balance before the records, in header or trailer, and that after them, in the trailer."""

    opening: str
    closing: str
    is_opened_in_header: bool


@dataclass(frozen=True, slots=True)
class TotalBy:
    """What a trailer says of the records whose ``column`` has one of ``values``: how many, and the sum of ``of`` (None: the roles' amount)."""

    column: str
    values: tuple[str, ...]
    count: str | None
    sum: str | None
    of: str | None


@dataclass(frozen=True, slots=True)
class FileTotals:
    """The columns of the end record that say something of the whole file: its groups, its data records, their sum, and all of its records."""

    groups: str | None = None
    count: str | None = None
    sum: str | None = None
    lines: str | None = None
    sections: str | None = None


@dataclass(frozen=True, slots=True)
class SectionTotals:
    """The columns of a section's trailer with the number of its groups, and of all of its records."""

    groups: str | None = None
    lines: str | None = None


@dataclass(frozen=True, slots=True)
class NestedSum:
    """A sum that is told at every level: of a data column as it is written, and of what a ``header`` column says beside it.

    ``trailer``, ``section`` and ``end`` are the columns that say it, where they do.
    """

    of: str
    header: str | None = None
    trailer: str | None = None
    section: str | None = None
    end: str | None = None
