"""What a source is: its layout, its control totals and its posting rules, as immutable values.

A definition is written by people as TOML (``toml.py`` reads it) and kept, whole and numbered, with every batch that ran under it.
"""

import re
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from ingestion_app.formats.shape_rules import ShapeRules


class Kind(StrEnum):
    """What a column holds, and so how strictly it is read."""

    TEXT = "text"  # any characters but control characters
    IDENTIFIER = "identifier"  # ASCII letters, digits and - _ . only, never empty
    AMOUNT = "amount"  # an integer in minor units
    COUNT = "count"  # an integer of zero or more
    DATE = "date"  # a calendar date
    INSTANT = "instant"  # a date and time, with the column's zone


class DateFormat(StrEnum):
    """The only ways in which a date may be written; none is guessed."""

    COMPACT = "YYYYMMDD"
    DASHED = "YYYY-MM-DD"


class InstantFormat(StrEnum):
    """The only ways in which an instant may be written; none is guessed."""

    UTC = "YYYY-MM-DDTHH:MM:SSZ"
    LOCAL = "YYYY-MM-DD HH:MM:SS"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record type.

    ``width`` is the most characters a text or identifier may have; ``minimum`` the least an amount may be (0, or negative where the
    sender sends refunds); ``constant`` the only value allowed, or None; ``zone`` the time zone of an instant written as local time; ``may_look_like_card`` says that the sender's
    own long numbers may pass for card numbers here.
    """

    name: str
    kind: Kind
    width: int = 64
    minimum: int = 0
    constant: str | None = None
    format: DateFormat | InstantFormat | None = None
    zone: tzinfo | None = None
    may_look_like_card: bool = False


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type: the marker in its first field, and the columns that follow the marker."""

    marker: str
    columns: tuple[Column, ...]

    def position(self, name: str) -> int:
        """Return the place of the column ``name``, counted from 0 without the marker."""
        return next(place for place, column in enumerate(self.columns) if column.name == name)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of a file are cut into records: delimited lines of four record types."""

    encoding: str  # "utf-8" or "cp932"
    delimiter: str  # one ASCII character
    quote: str | None  # one ASCII character, doubled inside a quoted field; None: quotes mean nothing
    line_ending: bytes  # b"\n" or b"\r\n", one for the whole file
    line_bytes: int  # the longest line taken, without its ending
    header: RecordType
    data: RecordType
    trailer: RecordType
    end: RecordType | None


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns say what every batch needs to know."""

    key: tuple[str, ...]  # data columns that together are a record's own key
    holder: str  # data column with the holder's identifier
    holder_kind: str  # the kind of that identifier
    amount: str  # data column that the trailer adds up
    header_business_date: str | None  # header column that must equal the slot's business date
    header_sequence: str | None  # header column that must equal the slot's sequence
    trailer_count: str
    trailer_sum: str
    order: str | None = None  # data column (count, date or instant) in whose order a chunk's records are posted; None: the file's


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Names an account: the record's holder in a role, a code in which ``{column}`` stands for a column's value, or a reason code's.

    ``reason`` is the column that holds the reason code whose contra account, as finance keeps it, is meant.
    """

    role: str | None = None
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PostingRule:
    """One entry that every record posts into a book: ``amount // per`` minor units, nothing where that is zero."""

    book: str
    amount: str
    per: int
    effective: str  # the data column (date or instant) that dates the entry; an instant is dated in the book's zone
    debit: AccountRule
    credit: AccountRule
    description: str  # may name columns as {column}


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a source."""

    code: str
    name: str
    name_pattern: re.Pattern[str] | None  # with the groups business_date and sequence; the whole file name must match
    layout: Layout
    roles: Roles
    postings: tuple[PostingRule, ...]
    set_aside_limit: int  # how many records that the ledger would refuse may be set aside before the file is rejected
    chunk_records: int  # about how many records a chunk should hold
    failing_chunks: int  # how many chunks may stop in one attempt before applying pauses by itself
    redirects_merged: (
        bool  # whether a record of a member who was merged is posted to the member who remains; else its chunk stops
    )
    applied_within_minutes: int | None  # how long after its receipt a file has to be applied; None: nothing was agreed
    shape: ShapeRules = field(
        default_factory=ShapeRules
    )  # when a file that looks unlike earlier ones is told, and when it is an alert

    @property
    def adjusted_books(self) -> tuple[str, ...]:
        """The books in which its records are adjustments: those whose rule names a contra account by a reason code."""
        return tuple(rule.book for rule in self.postings if rule.debit.reason or rule.credit.reason)
