"""Reads the columns of a record type in a source definition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from ingestion_app.formats.bai2 import SUMMARIES
from ingestion_app.formats.definition import Column, JsonType, Kind, Padding, RecordType, Side
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.json_paths import PATH_CHARACTERS, Path, parse
from ingestion_app.formats.toml_amounts import read_amount, read_form, read_moment
from ingestion_app.formats.toml_computed import read_computed
from ingestion_app.formats.values import field_reader
from ledger_app.base.rules.toml_table import Table

NAME = "[a-z][a-z0-9_]{0,39}"
IDENTIFIER_WIDTH, TEXT_WIDTH, DEFAULT_WIDTH = (
    64,
    255,
    64,
)  # the widest that may be asked for, and what it is where nothing is asked for

# In fixed width: a value of another kind takes less, and what is not read may take all of a line.
_BYTES_MOST = {Kind.TEXT: TEXT_WIDTH, Kind.IDENTIFIER: IDENTIFIER_WIDTH, Kind.UNUSED: 1_000_000}
VALUE_BYTES = 64
_OF_NUMBERS = "0123456789+-.,()"  # without one of them at its end a number, or a date, is another


@dataclass(frozen=True, slots=True)
class ReadType:
    """A record type as far as it could be read: columns by name, None for one whose table does not pass."""

    marker: str | None
    record_type: RecordType | None
    columns: Mapping[str, Column | None]


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a layout its columns depend on: the characters that no plain field holds, and which keys have a meaning."""

    never: str
    has_header_row: bool
    has_quoted_newlines: bool
    is_fixed: bool = False
    is_json: bool = False
    is_bai2: bool = False


def name_description() -> str:
    """Say what a name is, in the active language."""
    return _("a name of lower-case letters, digits and underscores that begins with a letter, at most 40 characters")


def read_type(table: Table, cut: Cut, *, is_data: bool, header: Mapping[str, Column | None] | None = None) -> ReadType:
    """Return the record type; only that of the data may be without a marker, and may take over what the ``header`` says."""
    marker = table.text("marker", pattern="[A-Za-z0-9]{1,10}", expected=_("1 to 10 ASCII letters or digits"), optional=is_data)
    rows = table.tables("columns")
    made = table.tables("computed") if table.has("computed") else None
    table.know("computed")
    table.close()
    columns: dict[str, Column | None] = {}
    headings: set[str] = set()
    for row in rows or ():
        column_name = row.text("name", pattern=NAME, expected=name_description())
        column = _read_column(row, column_name or "", cut, is_data=is_data)
        if column_name is not None and column_name in columns:
            row.add("name", _("Give it another name: the record type has a column {name} already.").format(name=column_name))
        elif column_name is not None:
            columns[column_name] = column
        if column is not None and cut.has_header_row and is_data:
            heading = column.heading or column.name
            if heading in headings:
                row.add("heading", _("Give it another heading: the row has {heading} already.").format(heading=heading))
            headings.add(heading)
    written = dict(columns)
    for row in made or ():
        column_name = row.text("name", pattern=NAME, expected=name_description())
        column = read_computed(row, column_name or "", written, header)
        if column_name is not None and column_name in columns:
            row.add("name", _("Give it another name: the record type has a column {name} already.").format(name=column_name))
        elif column_name is not None:
            columns[column_name] = column
    read = tuple(column for column in columns.values() if column is not None)
    is_marked = marker is not None or (is_data and not table.has("marker"))
    is_whole = is_marked and rows is not None and len(read) == len(rows) + len(made or ())
    if is_data and rows is not None and not rows and marker is None:
        table.add("columns", _("Describe at least one column: a record without a marker has nothing else."))
        is_whole = False
    return ReadType(
        marker, RecordType(marker, read, has_field_for_marker=not (cut.is_fixed or cut.is_json)) if is_whole else None, columns
    )


def _read_column(table: Table, name: str, cut: Cut, *, is_data: bool) -> Column | None:
    written_kind = table.choice("kind", tuple(Kind))
    if written_kind is None:
        # Which other keys belong here depends on the kind, so nothing can be said of them.
        return None
    kind = Kind(written_kind)
    column = Column(name=name, kind=kind, width=DEFAULT_WIDTH)
    if cut.has_header_row and is_data:
        heading = table.text(
            "heading", pattern=r"[^\x00-\x1f\x7f]{1,100}", expected=_("the column's name in the header row"), optional=True
        )
        column = replace(column, heading=heading)
    if cut.is_fixed:
        size = table.integer("bytes", least=1, most=_BYTES_MOST.get(kind, VALUE_BYTES))
        column = replace(column, bytes=size or 1, width=size or DEFAULT_WIDTH)
    if cut.is_json or cut.is_bai2:
        column = _read_place(table, column) if cut.is_json else _read_summary(table, column)
    if kind is Kind.UNUSED:
        table.close()
        return column
    constant = None
    column = replace(column, padding=_read_padding(table, kind))
    if kind.is_text:
        most = TEXT_WIDTH if kind is Kind.TEXT else IDENTIFIER_WIDTH
        column = replace(
            column,
            may_look_like_card=table.switch("may_look_like_card"),
            width=column.width if cut.is_fixed else table.integer("width", least=1, most=most, optional=True) or DEFAULT_WIDTH,
        )
        constant = table.text("constant", pattern="(?s).+", expected=_("the only value allowed"), optional=True)
        column = read_form(table, column)
    if kind is Kind.TEXT and cut.has_quoted_newlines:
        column = replace(column, joins_lines=table.switch("joins_lines"))
    read: Column | None = column
    if kind is Kind.AMOUNT:
        read = read_amount(table, column)
    elif kind in {Kind.DATE, Kind.INSTANT}:
        read = read_moment(table, column)
    return _finished(table, read, constant, cut)


def _read_summary(table: Table, column: Column) -> Column:
    """Return a column of BAI2 with the summary of which it has the amount, where it has one."""
    expected = _("the type code of a summary, three digits, or all: their sum")
    said = table.text("summary", pattern=f"[0-9]{{3}}|{SUMMARIES}", expected=expected, optional=True)
    if said is not None and column.kind is not Kind.AMOUNT:
        table.add("summary", _("Name a summary in a column of kind amount alone."))
    return replace(column, summary=said)


def _read_place(table: Table, column: Column) -> Column:
    """Return a column of JSON Lines with its path, and with what JSON calls its value: amounts and counts are numbers, if nothing is said."""
    path = read_path(table, "path", optional=True)
    if column.kind is Kind.UNUSED:
        return replace(column, path=path or ())
    choices = tuple(each for each in JsonType if each is not JsonType.BOOLEAN or column.kind.is_text)
    said = table.choice("json_type", choices, optional=True)
    usual = JsonType.NUMBER if column.kind in {Kind.AMOUNT, Kind.COUNT} else JsonType.STRING
    return replace(column, path=path or (), json_type=JsonType(said) if said else usual)


def read_path(table: Table, key: str, *, optional: bool) -> Path | None:
    """Return the path into the object of a line that the value of ``key`` spells."""
    expected = _("a path of names and places in arrays, such as customer.id or items[0].price")
    spelled = table.text(key, pattern=f"(?s).{{1,{PATH_CHARACTERS}}}", expected=expected, optional=optional)
    path = parse(spelled) if spelled is not None else None
    if spelled is not None and path is None:
        table.add(key, _("Give it {expected}, in quotes.").format(expected=expected))
    return path


def _finished(table: Table, read: Column | None, constant: str | None, cut: Cut) -> Column | None:
    """Return the column with its constant and what an empty field means, having closed its table."""
    is_optional = table.switch("optional")
    default = _read_default(table) if is_optional else None
    empties = table.texts("empty") if is_optional and table.has("empty") else None
    table.know(*(["default", "empty"] if is_optional else []))
    table.close()
    if read is None:
        return None
    with_constant = _with_constant(table, read, constant, cut.never)
    if with_constant is None:
        return None
    with_empties = replace(with_constant, empties=tuple(empties or ()))
    return _with_default(table, with_empties, default, is_optional=is_optional)


def _read_padding(table: Table, kind: Kind) -> Padding | None:
    row = table.table("padding", optional=True)
    if row is None:
        return None
    side = row.choice("side", tuple(Side))
    character = row.text("with", pattern=r"[^\x00-\x1f\x7f]", expected=_("one character"))
    row.close()
    if side and character and not kind.is_text and character in _OF_NUMBERS and (side, character) != (Side.LEFT, "0"):
        row.add("with", _("Write a character that is no part of a number, or 0 on the left: the rest would be another number."))
        return None
    return Padding(Side(side), character) if side and character else None


def _with_constant(table: Table, column: Column, constant: str | None, never: str) -> Column | None:
    if constant is None:
        return column
    # What it is filled up with is no part of it: it would never be found.
    if field_reader(column).read(constant) != constant or any(character in constant for character in never):
        table.add("constant", _("Write a value that the column could hold without quotes."))
        return None
    return replace(column, constant=constant)


def _read_default(table: Table) -> str | None:
    expected = _("the value of an empty field, as the sender would write it")
    return table.text("default", pattern="(?s).+", expected=expected, optional=True)


def _with_default(table: Table, column: Column, default: str | None, *, is_optional: bool) -> Column | None:
    if default is not None and isinstance(field_reader(column).read(default), Fault):
        table.add("default", _("Write a value that the column could hold."))
        return None
    return replace(column, optional=is_optional, default=default)
