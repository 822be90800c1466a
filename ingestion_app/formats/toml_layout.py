"""Reads the ``[layout]`` tables of a source definition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from ingestion_app.formats.definition import Column, DateFormat, InstantFormat, Kind, Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import AMOUNT_LIMIT, field_reader
from ledger_app.rules.toml_table import Table

NAME = "[a-z][a-z0-9_]{0,39}"
IDENTIFIER_WIDTH, TEXT_WIDTH, DEFAULT_WIDTH = (
    64,
    255,
    64,
)  # the widest that may be asked for, and what it is where nothing is asked for
LINE_BYTES = 1_000_000

_ENDINGS = {"lf": b"\n", "crlf": b"\r\n"}
_FORMATS: Mapping[Kind, tuple[str, ...]] = {Kind.DATE: tuple(DateFormat), Kind.INSTANT: tuple(InstantFormat)}
_SIZED = (Kind.TEXT, Kind.IDENTIFIER)


@dataclass(frozen=True, slots=True)
class ReadType:
    """A record type as far as it could be read: columns by name, None for one whose table does not pass."""

    marker: str | None
    record_type: RecordType | None
    columns: Mapping[str, Column | None]


@dataclass(frozen=True, slots=True)
class ReadLayout:
    """The layout as far as it could be read."""

    layout: Layout | None
    header: ReadType
    data: ReadType
    trailer: ReadType


def name_description() -> str:
    """Say what a name is, in the active language."""
    return _("a name of lower-case letters, digits and underscores that begins with a letter, at most 40 characters")


def read_layout(table: Table, line_bytes: int | None) -> ReadLayout:
    """Return the layout; ``line_bytes`` comes from the limits."""
    table.choice("format", ("delimited",))
    encoding = table.choice("encoding", ("utf-8", "cp932"))
    delimiter = table.choice("delimiter", (",", ";", "\t", "|"))
    quote = table.choice("quote", ('"', "'")) if table.has("quote") else None
    ending = table.choice("line_ending", tuple(_ENDINGS))
    never = (delimiter or "") + (quote or "")
    table.know("quote", "end")
    types = {name: _read_type(table, name, never) for name in ("header", "data", "trailer")}
    end = _read_type(table, "end", never) if table.has("end") else None
    _refuse_same_markers(table, {**types, **({"end": end} if end else {})})
    table.close()
    header, data, trailer = (types[name].record_type for name in ("header", "data", "trailer"))
    layout = None
    if encoding and delimiter and ending and line_bytes and header and data and trailer and (end is None or end.record_type):
        layout = Layout(
            encoding=encoding,
            delimiter=delimiter,
            quote=quote,
            line_ending=_ENDINGS[ending],
            line_bytes=line_bytes,
            header=header,
            data=data,
            trailer=trailer,
            end=end.record_type if end else None,
        )
    return ReadLayout(layout, types["header"], types["data"], types["trailer"])


def _read_type(layout: Table, name: str, never: str) -> ReadType:
    table = layout.table(name)
    if table is None:
        return ReadType(None, None, {})
    marker = table.text("marker", pattern="[A-Za-z0-9]{1,10}", expected=_("1 to 10 ASCII letters or digits"))
    rows = table.tables("columns")
    table.close()
    columns: dict[str, Column | None] = {}
    for row in rows or ():
        column_name = row.text("name", pattern=NAME, expected=name_description())
        column = _read_column(row, column_name or "", never)
        if column_name is not None and column_name in columns:
            row.add("name", _("Give it another name: the record type has a column {name} already.").format(name=column_name))
        elif column_name is not None:
            columns[column_name] = column
    read = tuple(column for column in columns.values() if column is not None)
    is_whole = marker is not None and rows is not None and len(read) == len(rows)
    return ReadType(marker, RecordType(marker or "", read) if is_whole else None, columns)


def _read_column(table: Table, name: str, never: str) -> Column | None:
    written_kind = table.choice("kind", tuple(Kind))
    if written_kind is None:
        # Which other keys belong here depends on the kind, so nothing can be said of them.
        return None
    kind = Kind(written_kind)
    width = minimum = constant = written_format = zone = None
    may_look_like_card = False
    if kind in _SIZED:
        may_look_like_card = table.switch("may_look_like_card")
        most = TEXT_WIDTH if kind is Kind.TEXT else IDENTIFIER_WIDTH
        width = table.integer("width", least=1, most=most, optional=True)
        constant = table.text("constant", pattern="(?s).+", expected=_("the only value allowed"), optional=True)
    if kind is Kind.AMOUNT:
        minimum = table.integer("minimum", least=-AMOUNT_LIMIT, most=AMOUNT_LIMIT, optional=True)
    if kind in _FORMATS:
        written_format = table.choice("format", _FORMATS[kind])
    if written_format == InstantFormat.LOCAL:
        zone = _read_zone(table)
    table.close()
    # An optional key is None where it does not pass, which has then been said.
    if kind in _FORMATS and (written_format is None or (written_format == InstantFormat.LOCAL and zone is None)):
        return None
    column = Column(
        name=name,
        kind=kind,
        width=width or DEFAULT_WIDTH,
        minimum=minimum or 0,
        format=_as_format(kind, written_format),
        zone=zone,
        may_look_like_card=may_look_like_card,
    )
    return _with_constant(table, column, constant, never)


def _with_constant(table: Table, column: Column, constant: str | None, never: str) -> Column | None:
    if constant is None:
        return column
    if isinstance(field_reader(column).read(constant), Fault) or any(character in constant for character in never):
        table.add("constant", _("Write a value that the column could hold without quotes."))
        return None
    return replace(column, constant=constant)


def _refuse_same_markers(layout: Table, types: Mapping[str, ReadType]) -> None:
    users: dict[str, str] = {}
    for name, read in types.items():
        if not read.marker:
            continue
        if read.marker in users:
            sentence = _("Give it another marker: {marker} marks the {name} already.").format(
                marker=read.marker, name=users[read.marker]
            )
            layout.problems.add((*layout.path, name, "marker"), sentence)
        users.setdefault(read.marker, name)


def _as_format(kind: Kind, text: str | None) -> DateFormat | InstantFormat | None:
    if text is None:
        return None
    return DateFormat(text) if kind is Kind.DATE else InstantFormat(text)


def _read_zone(table: Table) -> ZoneInfo | None:
    expected = _("the name of a time zone, such as Asia/Tokyo")
    name = table.text("zone", pattern="[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)+|UTC", expected=expected)
    try:
        return ZoneInfo(name) if name is not None else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.add("zone", _("Give it {expected}, in quotes.").format(expected=expected))
        return None
