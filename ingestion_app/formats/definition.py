"""What a source is: its layout, its control totals and its posting rules, as immutable values.

A definition is written by people as TOML (``toml.py`` reads it) and kept, whole and numbered, with every batch that ran under it.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from enum import StrEnum

from ingestion_app.formats.amount_styles import AmountStyle
from ingestion_app.formats.control_totals import Balance, FileTotals, HashTotal, NestedSum, SectionTotals, Total, TotalBy
from ingestion_app.formats.shape_rules import ShapeRules


class Kind(StrEnum):
    """What a column holds, and so how strictly it is read."""

    TEXT = "text"  # any characters but control characters
    IDENTIFIER = "identifier"  # ASCII letters, digits and - _ . only, never empty
    AMOUNT = "amount"  # an integer in minor units
    COUNT = "count"  # an integer of zero or more
    DATE = "date"  # a calendar date
    INSTANT = "instant"  # a date and time, with the column's zone
    UNUSED = "unused"  # anything at all, which is not read

    @property
    def is_text(self) -> bool:
        """Whether a value is the text that was sent: it has a width, may pad and hold its own form, and is looked at for card numbers.

        Said by what it is not, so that a new kind is looked at until somebody says that its values are no texts.
        """
        return self not in {Kind.AMOUNT, Kind.COUNT, Kind.DATE, Kind.INSTANT, Kind.UNUSED}


# The kinds of which a definition may list values.
WORDS = (*(kind for kind in Kind if kind.is_text), Kind.COUNT)


class DateFormat(StrEnum):
    """The commonest ways in which a date is written."""

    COMPACT = "YYYYMMDD"
    DASHED = "YYYY-MM-DD"


class InstantFormat(StrEnum):
    """The commonest ways in which an instant is written."""

    UTC = "YYYY-MM-DDTHH:MM:SSZ"
    LOCAL = "YYYY-MM-DD HH:MM:SS"


class JsonType(StrEnum):
    """What JSON calls the value of a column."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


class Side(StrEnum):
    """On which side of a value its padding stands."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Padding:
    """What a field is filled up with."""

    side: Side
    character: str


@dataclass(frozen=True, slots=True)
class SignBy:
    """A column whose values say the sign of an amount; of a count, 100-399 is each number from 100 to 399."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Only:
    """Which values of a column an amount counts for; for the others it is zero."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record type.

    ``width`` is the most characters a text or identifier may have; ``minimum`` the least an amount may be (0, or negative where the
    sender sends refunds); ``constant`` the only value allowed, or None; ``zone`` the time zone of an instant written as local time; ``may_look_like_card`` says that the sender's
    own long numbers may pass for card numbers here. ``heading`` is what the header row calls it; an ``optional`` one may be empty, and then has its
    ``default`` (as the sender would write it), or no value; ``joins_lines`` says that line endings inside quotes are read as one blank each.
    ``empties`` are texts that stand for an empty field; ``century`` (2000) and ``era`` say what years of two digits are. Where the file's
    business date says which year or era is meant, the column ``is_near`` it, and ``near`` is that date once a file is read.

    A computed one stands in no field: ``plus`` less ``minus``, ``of`` with the ``signs`` that other columns say, or counted for ``only`` some
    records; texts ``joined`` with ``between`` between them; the characters ``first`` to ``last`` of ``part_of``; or what the header of the record's group says in a column, ``from_header``.
    """

    name: str
    kind: Kind
    width: int = 64
    minimum: int = 0
    constant: str | None = None
    format: str | None = None  # spelled with YYYY, MM, DD and the like
    zone: tzinfo | None = None
    may_look_like_card: bool = False
    heading: str | None = None
    optional: bool = False
    default: str | None = None
    joins_lines: bool = False
    bytes: int = 0  # how many it has in fixed width
    empties: tuple[str, ...] = ()
    padding: Padding | None = None
    values: tuple[str, ...] = ()  # the only ones allowed; none: any
    pattern: str | None = None
    amount: AmountStyle | None = None
    century: int | None = None
    era: str | None = None
    plus: str | None = None
    minus: str | None = None
    of: str | None = None
    signs: tuple[SignBy, ...] = ()
    only: Only | None = None
    joined: tuple[str, ...] = ()
    between: str = ""
    part_of: str | None = None
    first: int = 1
    last: int | None = None
    from_header: str | None = None
    is_near: bool = False
    near: date | None = None
    summary: str | None = None  # of BAI2: the type code of which it has the amount; or SUMMARIES: the sum of all
    path: tuple[str | int, ...] = ()  # of JSON Lines: names and places that lead to it; none: its name
    json_type: JsonType = JsonType.STRING

    @property
    def is_computed(self) -> bool:
        """Whether no field holds it."""
        made_of = (self.plus, self.of, self.part_of, self.from_header)
        return bool(self.joined) or any(each is not None for each in made_of)

    @property
    def may_be_absent(self) -> bool:
        """Whether a record may have no value here."""
        return self.kind is Kind.UNUSED or (self.optional and self.default is None)


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type: the marker in its first field, None where there is none, and the columns that follow it, computed ones last."""

    marker: str | None
    columns: tuple[Column, ...]
    has_field_for_marker: bool = True  # whether the marker is a field before the columns, and not a part of them

    def position(self, name: str) -> int:
        """Return the place of the column ``name``, counted from 0 without the marker."""
        return next(place for place, column in enumerate(self.columns) if column.name == name)

    def field_number(self, name: str) -> int:
        """Return the number of the column's field, counted from 1; a marker is field 1, and 0 no field of this record."""
        column = self.columns[self.position(name)]
        if column.from_header is not None:
            return 0
        # What is computed is named by what it is made of.
        made_of = column.joined[0] if column.joined else column.plus or column.of or column.part_of
        return self.position(made_of or name) + self.first_field

    @property
    def bytes(self) -> int:
        """How many bytes a record has in fixed width."""
        return sum(column.bytes for column in self.written)

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that stand in fields."""
        return tuple(column for column in self.columns if not column.is_computed)

    @property
    def computed(self) -> tuple[Column, ...]:
        """The columns that stand in none."""
        return tuple(column for column in self.columns if column.is_computed)

    @property
    def first_field(self) -> int:
        """The number of the first column's field."""
        return 2 if self.marker is not None and self.has_field_for_marker else 1


class Cutting(StrEnum):
    """How lines are cut into fields."""

    DELIMITED = "delimited"
    FIXED = "fixed"  # by numbers of bytes
    JSON_LINES = "json-lines"  # each is an object
    BAI2 = "bai2"  # at commas, each continued by the lines marked 88 behind it


class HeaderRow(StrEnum):
    """Whether the first line names the columns in the order of the layout, or in any."""

    IN_ORDER = "in order"
    ANY_ORDER = "any order"


class Mark(StrEnum):
    """Whether a byte-order mark begins the file; where a layout says nothing there may be none."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of a file are cut into records: lines of up to seven record types.

    With ``has_groups`` header, data and trailer come again and again, between a file header (where there is one) and the end record.
    Groups may stand in sections, each with a header and a trailer of its own.
    """

    encoding: str  # as Python calls it
    delimiter: str  # one character; nothing where lines are not cut at one
    quote: str | None  # one ASCII character, doubled inside a quoted field; None: quotes mean nothing
    line_ending: bytes  # LF or CRLF as it stands in the file, one for the whole of it; of fixed width also b"": none
    line_bytes: int  # the longest line taken, without its ending
    header: RecordType | None
    data: RecordType
    trailer: RecordType | None
    end: RecordType | None
    byte_order_mark: Mark | None = None
    header_row: HeaderRow | None = None
    preamble_lines: int = 0  # lines before everything else, which are not read
    comment: str | None = None  # what lines begin with that are not read
    has_trailing_delimiter: bool = False
    may_end_without_ending: bool = False  # whether the last line may have none
    has_quoted_newlines: bool = False  # whether a quoted field may hold line endings
    cutting: Cutting = Cutting.DELIMITED
    marker_place: int = 0  # of fixed width: the byte of a line, from 0, at which its marker begins
    may_end_with_mark: bool = False  # whether a byte 1A may stand behind the last line
    marker_path: tuple[str | int, ...] | None = None  # of JSON Lines: where the marker stands
    may_have_unknown_names: bool = False  # of JSON Lines: whether objects may hold what no column names
    has_groups: bool = False
    file_header: RecordType | None = None
    section_header: RecordType | None = None
    section_trailer: RecordType | None = None

    @property
    def record_types(self) -> tuple[RecordType, ...]:
        """The record types in the order in which they stand in a file."""
        return tuple(each for name in RECORD_TYPES if (each := getattr(self, name)) is not None)

    def near(self, day: date) -> "Layout":
        """Return the layout in which dates that need the business date of their file are read by ``day``; itself where none does."""
        if not any(column.is_near for each in self.record_types for column in each.columns):
            return self
        read = {
            name: replace(each, columns=tuple(replace(c, near=day) if c.is_near else c for c in each.columns))
            for name in RECORD_TYPES
            if (each := getattr(self, name)) is not None
        }
        return replace(self, **read)

    @property
    def is_cut_at_lines(self) -> bool:
        """Whether a file may be cut behind any line feed, each part being read by itself."""
        # Of two bytes a character, one that looks like a line feed may be a part of another character.
        has_own_ending = self.line_ending in {b"\n", b"\r\n"}
        # Of a part nobody could tell in which group it stands.
        is_by_itself = not self.has_groups and not any(column.from_header for column in self.data.columns)
        return has_own_ending and is_by_itself and not self.has_quoted_newlines and self.comment is None


# The record types by their names in a definition, in the order in which they stand in a file.
RECORD_TYPES = ("file_header", "section_header", "header", "data", "trailer", "section_trailer", "end")
LINE, OCCURRENCE, BUSINESS_DATE, SEQUENCE = "@line", "@occurrence", "@business_date", "@sequence"
# What may stand in a key beside columns: where the record stands, and for which day and as which file of it the file came.
KEY_WORDS = (LINE, OCCURRENCE, BUSINESS_DATE, SEQUENCE)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns say what every batch needs to know."""

    key: tuple[str, ...]  # data columns, and words of KEY_WORDS, that together are a record's own key
    holder: str  # data column with the holder's identifier
    holder_kind: str  # the kind of that identifier
    amount: str  # data column that the trailer adds up
    header_business_date: str | None  # header column that must equal the slot's business date
    header_sequence: str | None  # header column that must equal the slot's sequence
    trailer_count: str | None  # None, as the sum: nothing from the sender says it
    trailer_sum: str | None
    order: str | None = None  # data column (count, date or instant) in whose order a chunk's records are posted; None: the file's
    totals: tuple[tuple[Total, str], ...] = ()  # further controls, each with the trailer's column
    hash_total: HashTotal | None = None
    balance: Balance | None = None
    by_value: tuple[TotalBy, ...] = ()
    same: tuple[str, ...] = ()  # columns that header and trailer of a group have alike
    of_file: FileTotals = field(default_factory=FileTotals)
    of_section: SectionTotals = field(default_factory=SectionTotals)
    trailer_lines: str | None = None  # the trailer's column with the number of all records of its group
    nested_sum: NestedSum | None = None

    @property
    def controls(self) -> tuple[str, ...]:
        """What the sender says of the whole file, by which it is known to be whole: empty, none of it."""
        count, total = self.trailer_count or self.of_file.count, self.trailer_sum or self.of_file.sum
        others = (("hash_total", self.hash_total), ("balance", self.balance), ("by_value", self.by_value or None))
        groups = self.of_file.groups or self.of_file.sections or self.of_section.groups
        lines = self.of_file.lines or self.of_section.lines or self.trailer_lines
        of_file = (("groups", groups), ("lines", lines), ("nested_sum", self.nested_sum))
        named = (("count", count), ("sum", total), *self.totals, *others, *of_file)
        return tuple(str(name) for name, said in named if said is not None)


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
    def is_cut_at_lines(self) -> bool:
        """Whether a file may be read in parts, each beginning behind any line feed."""
        return self.layout.is_cut_at_lines and OCCURRENCE not in self.roles.key

    @property
    def adjusted_books(self) -> tuple[str, ...]:
        """The books in which its records are adjustments: those whose rule names a contra account by a reason code."""
        return tuple(rule.book for rule in self.postings if rule.debit.reason or rule.credit.reason)
