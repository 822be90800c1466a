"""Reads the ``[layout]`` tables of a source definition."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ingestion_app.formats.definition import HeaderRow, Layout, Mark
from ingestion_app.formats.toml_columns import Cut, ReadType, read_type
from ingestion_app.formats.toml_table import Table

LINE_BYTES = 1_000_000
PREAMBLE_LINES = 1000

_ENDINGS = {"lf": b"\n", "crlf": b"\r\n"}
# A letter, a digit, or what stands within numbers, dates and names would be cut apart.
_DELIMITER = r"[^A-Za-z0-9.\-_\r\n\x00\x1a\ud800-\udfff]"
_NO_TYPE = ReadType(None, None, {})


@dataclass(frozen=True, slots=True)
class ReadLayout:
    """The layout as far as it could be read."""

    layout: Layout | None
    header: ReadType
    data: ReadType
    trailer: ReadType


def read_layout(table: Table, line_bytes: int | None) -> ReadLayout:
    """Return the layout; ``line_bytes`` comes from the limits."""
    table.choice("format", ("delimited",))
    encoding = table.choice("encoding", ("utf-8", "cp932"))
    mark = table.choice("byte_order_mark", tuple(Mark), optional=True) if encoding == "utf-8" else None
    quote = table.choice("quote", ('"', "'"), optional=True)
    delimiter = _read_delimiter(table, encoding, quote)
    ending = table.choice("line_ending", tuple(_ENDINGS))
    final_ending = table.choice("final_ending", ("required", "optional"), optional=True)
    has_trailing_delimiter = table.switch("trailing_delimiter")
    has_quoted_newlines = table.switch("quoted_newlines") if quote else False
    header_row = table.choice("header_row", tuple(HeaderRow), optional=True)
    preamble = table.integer("preamble_lines", least=1, most=PREAMBLE_LINES, optional=True)
    comment = table.text("comment", pattern=r"[\x21-\x7e]{1,10}", expected=_("1 to 10 ASCII signs"), optional=True)
    cut = Cut((delimiter or "") + (quote or ""), bool(header_row), has_quoted_newlines)
    types = _read_types(table, cut)
    table.close()
    header, data, trailer, end = (types.get(name, _NO_TYPE).record_type for name in ("header", "data", "trailer", "end"))
    if header_row and "header" in types:
        table.add("header_row", _("Take it out, or the header record: a file has one of the two."))
    if comment and any(comment[0] == sign for sign in [*cut.never, *((read.marker or "")[:1] for read in types.values())]):
        table.add("comment", _("Begin it with a sign that begins no marker, and is neither delimiter nor quote."))
    layout = None
    if encoding and delimiter and ending and line_bytes and data and all(read.record_type for read in types.values()):
        layout = Layout(
            encoding=encoding,
            delimiter=delimiter,
            quote=quote,
            line_ending=_ENDINGS[ending],
            line_bytes=line_bytes,
            header=header,
            data=data,
            trailer=trailer,
            end=end,
            byte_order_mark=Mark(mark) if mark else None,
            header_row=HeaderRow(header_row) if header_row else None,
            preamble_lines=preamble or 0,
            comment=comment,
            has_trailing_delimiter=has_trailing_delimiter,
            may_end_without_ending=final_ending == "optional",
            has_quoted_newlines=has_quoted_newlines,
        )
    return ReadLayout(layout, types.get("header", _NO_TYPE), types.get("data", _NO_TYPE), types.get("trailer", _NO_TYPE))


def _read_delimiter(table: Table, encoding: str | None, quote: str | None) -> str | None:
    expected = _("one character: no letter, digit, line ending, quote, nor any of - . _")
    delimiter = table.text("delimiter", pattern=_DELIMITER, expected=expected)
    if delimiter is None:
        return None
    if delimiter == quote or not _is_in(delimiter, encoding or "utf-8"):
        table.add("delimiter", _("Give it {expected}, in quotes.").format(expected=expected))
        return None
    return delimiter


def _is_in(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _read_types(layout: Table, cut: Cut) -> dict[str, ReadType]:
    """Return the record types that the layout describes: data always."""
    types: dict[str, ReadType] = {}
    for name in ("header", "data", "trailer", "end"):
        table = layout.table(name, optional=name != "data")
        if table is not None:
            types[name] = read_type(table, cut, is_data=name == "data")
    _refuse_same_markers(layout, types)
    return types


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
