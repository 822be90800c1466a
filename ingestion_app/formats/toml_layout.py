"""Reads the ``[layout]`` tables of a source definition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from string import ascii_letters, digits

from django.utils.translation import gettext as _

from ingestion_app.formats.bai2 import FIELDS, MARKERS
from ingestion_app.formats.definition import RECORD_TYPES, Column, Cutting, HeaderRow, Layout, Mark, RecordType, Side
from ingestion_app.formats.json_paths import Path, path_of, spelled, tree_of
from ingestion_app.formats.lines import CR, WIDE_MARKS
from ingestion_app.formats.toml_columns import Cut, ReadType, read_path, read_type
from ledger_app.base.rules.toml_table import Table

LINE_BYTES = 1_000_000
PREAMBLE_LINES = 1000

_ENCODINGS = ("utf-8", "cp932", "euc-jp")
_ENDINGS = {"lf": b"\n", "crlf": b"\r\n"}
# A letter, a digit, or what stands within numbers, dates and names would be cut apart.
_DELIMITER = r"[^A-Za-z0-9.\-_\r\n\x00\x1a\ud800-\udfff]"
_IN_VALUES = ascii_letters + digits + "+-._("
_NO_TYPE = ReadType(None, None, {})
_SECTION = ("section_header", "section_trailer")


@dataclass(frozen=True, slots=True)
class ReadLayout:
    """The layout as far as it could be read."""

    layout: Layout | None
    header: ReadType
    data: ReadType
    trailer: ReadType
    end: ReadType
    has_groups: bool
    section_header: ReadType = _NO_TYPE
    section_trailer: ReadType = _NO_TYPE

    @property
    def has_sections(self) -> bool:
        """Whether groups stand in sections."""
        return self.section_trailer is not _NO_TYPE


def read_layout(table: Table, line_bytes: int | None) -> ReadLayout:
    """Return the layout; ``line_bytes`` comes from the limits."""
    # Without a format that is known, errors are those of a delimited one: most files are.
    cutting = table.choice("format", tuple(Cutting))
    if cutting == Cutting.FIXED:
        return _read_fixed(table, line_bytes)
    if cutting == Cutting.JSON_LINES:
        return _read_json_lines(table, line_bytes)
    if cutting == Cutting.BAI2:
        return _read_bai2(table, line_bytes)
    encoding = table.choice("encoding", (*_ENCODINGS, "iso-2022-jp", *WIDE_MARKS))
    mark = table.choice("byte_order_mark", tuple(Mark), optional=True) if encoding == "utf-8" else None
    is_wide = encoding in WIDE_MARKS
    quote = table.choice("quote", ('"', "'"), optional=True)
    delimiter = _read_delimiter(table, encoding, quote)
    ending = table.choice("line_ending", tuple(_ENDINGS))
    final_ending, end_mark = _read_end(table)
    has_trailing_delimiter = table.switch("trailing_delimiter")
    # In ISO-2022-JP the byte of a quote is a part of characters as well.
    has_quoted_newlines = table.switch("quoted_newlines") if quote and encoding != "iso-2022-jp" else False
    header_row = table.choice("header_row", tuple(HeaderRow), optional=True)
    preamble = table.integer("preamble_lines", least=1, most=PREAMBLE_LINES, optional=True)
    comment = table.text("comment", pattern=r"[\x21-\x7e]{1,10}", expected=_("1 to 10 ASCII signs"), optional=True)
    cut = Cut((delimiter or "") + (quote or ""), bool(header_row), has_quoted_newlines)
    types = _read_types(table, cut)
    table.close()
    if header_row and "header" in types:
        table.add("header_row", _("Take it out, or the header record: a file has one of the two."))
    if comment and comment[0] in {*cut.never, *_beginnings(types, cut)}:
        sentence = _(
            "Begin it with a sign that is neither delimiter nor quote and begins no line that is read: no marker, heading, padding, number, date or identifier."
        )
        table.add("comment", sentence)
    if not (encoding and delimiter and ending and line_bytes):
        return _layout(table, types, None)
    made = partial(
        Layout,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        line_ending=_ENDINGS[ending].decode().encode(encoding) if is_wide else _ENDINGS[ending],
        line_bytes=line_bytes,
        # Without its mark nobody can tell which byte of a character comes first.
        byte_order_mark=Mark.REQUIRED if is_wide else Mark(mark) if mark else None,
        header_row=HeaderRow(header_row) if header_row else None,
        preamble_lines=preamble or 0,
        comment=comment,
        has_trailing_delimiter=has_trailing_delimiter,
        may_end_without_ending=final_ending,
        may_end_with_mark=end_mark,
        has_quoted_newlines=has_quoted_newlines,
    )
    return _layout(table, types, made)


def _beginnings(types: Mapping[str, ReadType], cut: Cut) -> set[str]:
    """Return the signs with which a line that is read may begin, but for those of a text: a line taken for a comment is lost, and nothing tells."""
    data = types.get("data", _NO_TYPE)
    columns = [column for column in data.columns.values() if column is not None]
    found = {read.marker[0] for read in types.values() if read.marker}
    if cut.has_header_row:
        found |= {(column.heading or column.name)[0] for column in columns}
    if data.marker is None:
        found |= {
            *_IN_VALUES,
            *(column.padding.character for column in columns if column.padding and column.padding.side == Side.LEFT),
        }
    return found


def _read_fixed(table: Table, line_bytes: int | None) -> ReadLayout:
    """Return a layout of fixed width."""
    encoding = table.choice("encoding", _ENCODINGS)
    ending = table.choice("line_ending", (*_ENDINGS, "cr", "none"))
    final_ending, end_mark = _read_end(table)
    types = _read_types(table, Cut("", has_header_row=False, has_quoted_newlines=False, is_fixed=True))
    marked = [read for read in types.values() if read.marker is not None]
    place = table.integer("marker_byte", least=1, most=LINE_BYTES, optional=not marked)
    table.close()
    sizes = {name: read.record_type.bytes for name, read in types.items() if read.record_type}
    for name, size in sizes.items():
        _refuse_size(table, name, size, sizes.get("data", size) if ending == "none" else None, line_bytes)
        if place is not None and place - 1 + len(types[name].marker or "") > size:
            table.add(
                "marker_byte", _("Write a byte of every record type: the {name} ends before its marker does.").format(name=name)
            )
    if not (encoding and ending and line_bytes):
        return _layout(table, types, None)
    made = partial(
        Layout,
        encoding=encoding,
        delimiter="",
        quote=None,
        line_ending=CR if ending == "cr" else _ENDINGS.get(ending, b""),
        line_bytes=line_bytes,
        may_end_without_ending=final_ending,
        may_end_with_mark=end_mark,
        cutting=Cutting.FIXED,
        marker_place=(place or 1) - 1,
    )
    return _layout(table, types, made)


def _read_json_lines(table: Table, line_bytes: int | None) -> ReadLayout:
    """Return a layout whose lines are JSON objects."""
    encoding = table.choice("encoding", ("utf-8",))
    mark = table.choice("byte_order_mark", tuple(Mark), optional=True)
    ending = table.choice("line_ending", tuple(_ENDINGS))
    final_ending, end_mark = _read_end(table)
    unknown = table.choice("unknown_names", ("refused", "allowed"), optional=True)
    types = _read_types(table, Cut("", has_header_row=False, has_quoted_newlines=False, is_json=True))
    is_marked = any(read.marker is not None for read in types.values())
    marker_path = read_path(table, "marker_path", optional=not is_marked)
    if marker_path is not None and not is_marked:
        table.add("marker_path", _("Take it out, or give the record types their markers."))
    table.close()
    for name, read in types.items():
        _refuse_paths(table, name, read, marker_path if read.marker is not None else None)
    if table.problems.in_order() or not (encoding and ending and line_bytes):
        return _layout(table, types, None)
    made = partial(
        Layout,
        encoding=encoding,
        delimiter="",
        quote=None,
        line_ending=_ENDINGS[ending],
        line_bytes=line_bytes,
        byte_order_mark=Mark(mark) if mark else None,
        may_end_without_ending=final_ending,
        may_end_with_mark=end_mark,
        cutting=Cutting.JSON_LINES,
        marker_path=marker_path,
        may_have_unknown_names=unknown == "allowed",
    )
    return _layout(table, types, made)


def _read_bai2(table: Table, line_bytes: int | None) -> ReadLayout:
    """Return a layout of BAI2, whose record types are all there and have their markers and the number of their fields from the standard."""
    encoding = table.choice("encoding", _ENCODINGS)
    ending = table.choice("line_ending", tuple(_ENDINGS))
    final_ending, end_mark = _read_end(table)
    types = _read_types(table, Cut("", has_header_row=False, has_quoted_newlines=False, is_bai2=True))
    table.close()
    if not table.switch("groups"):
        table.add("groups", _("Write groups = true: accounts are groups of a file."))
    for name, marker in MARKERS.items():
        read = types.get(name)
        if read is None:
            table.add(
                name, _("Describe the {name}: every file of BAI2 has one, marked {marker}.").format(name=name, marker=marker)
            )
        elif read.marker is not None and read.marker != marker:
            table.problems.add((*table.path, name, "marker"), _("Write {marker}: BAI2 marks it so.").format(marker=marker))
        elif read.record_type is not None:
            _refuse_fields(table, name, read.record_type, FIELDS[marker])
    if table.problems.in_order() or not (encoding and ending and line_bytes):
        return _layout(table, types, None)
    made = partial(
        Layout,
        encoding=encoding,
        delimiter="",
        quote=None,
        line_ending=_ENDINGS[ending],
        line_bytes=line_bytes,
        may_end_without_ending=final_ending,
        may_end_with_mark=end_mark,
        cutting=Cutting.BAI2,
    )
    return _layout(table, types, made)


def _refuse_fields(table: Table, name: str, record_type: RecordType, wanted: int) -> None:
    """Report another number of columns than BAI2 has fields; those of summaries stand behind them, in the header of an account alone."""
    path, written = (*table.path, name, "columns"), record_type.written
    is_in_order = all(column.summary is None for column in written[:wanted])
    of_summaries = [column for column in written if column.summary is not None]
    if len(written) - len(of_summaries) != wanted or not is_in_order:
        sentence = _("Describe the {wanted} fields that BAI2 has here, each as a column, and columns of summaries behind them.")
        table.problems.add(path, sentence.format(wanted=wanted))
    if of_summaries and name != "header":
        table.problems.add(path, _("Take the columns with a summary out: the header of an account alone has some."))


def _refuse_paths(table: Table, name: str, read: ReadType, marker_path: Path | None) -> None:
    """Report a path that two columns have, or that leads through the end of another's."""
    if read.record_type is None:
        return
    paths = [path_of(column) for column in read.record_type.written]
    others = [] if marker_path is None or marker_path in paths else [marker_path]
    wrong = tree_of([*others, *paths])
    if isinstance(wrong, tuple):
        sentence = _(
            "Give each column a path of its own: {path} is read already, leads through another’s end, or into another kind."
        )
        index = len(paths) - 1 - paths[::-1].index(wrong)
        table.problems.add((*table.path, name, "columns", index, "path"), sentence.format(path=spelled(wrong)))


def _refuse_size(table: Table, name: str, size: int, wanted: int | None, line_bytes: int | None) -> None:
    path = (*table.path, name, "columns")
    if wanted is not None and size != wanted:
        sentence = _("Describe {wanted} bytes instead of {size}: without line endings every record is as long as the data.")
        table.problems.add(path, sentence.format(wanted=wanted, size=size))
    if line_bytes is not None and size > line_bytes:
        table.problems.add(
            path, _("Describe at most the {most} bytes of limits.line_bytes, or raise that.").format(most=line_bytes)
        )


def _read_end(table: Table) -> tuple[bool, bool]:
    """Return whether the last line may lack its ending, and whether a byte 1A may stand behind it."""
    final_ending = table.choice("final_ending", ("required", "optional"), optional=True)
    return final_ending == "optional", table.switch("end_of_file_mark")


def _layout(table: Table, types: Mapping[str, ReadType], made: Callable[..., Layout] | None) -> ReadLayout:
    """Return what was read, with the layout where all of its record types were."""
    data = types.get("data", _NO_TYPE)
    layout, has_groups = None, table.switch("groups")
    if made is not None and data.record_type and all(read.record_type for read in types.values()):
        layout = made(has_groups=has_groups, **{name: types.get(name, _NO_TYPE).record_type for name in RECORD_TYPES})
    header, trailer, end = (types.get(name, _NO_TYPE) for name in ("header", "trailer", "end"))
    sections = (types.get(name, _NO_TYPE) for name in ("section_header", "section_trailer"))
    return ReadLayout(layout, header, data, trailer, end, has_groups, *sections)


def _read_delimiter(table: Table, encoding: str | None, quote: str | None) -> str | None:
    expected = _("one character: no letter, digit, line ending, quote, nor any of - . _")
    delimiter = table.text("delimiter", pattern=_DELIMITER, expected=expected)
    if delimiter is None:
        return None
    # What ISO-2022-JP spells with shifts is no sign by itself.
    if delimiter == quote or not _is_in(delimiter, "ascii" if encoding == "iso-2022-jp" else encoding or "utf-8"):
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
    has_groups = layout.switch("groups")
    has_sections = layout.has("section_header") or layout.has("section_trailer")
    for name in RECORD_TYPES:
        is_needed = name == "data" or (has_groups and name in {"header", "trailer"}) or (has_sections and name in _SECTION)
        table = layout.table(name, optional=not is_needed)
        if table is not None:
            types[name] = read_type(table, cut, is_data=name == "data", header=_heads(types))
    for name in ("file_header", *_SECTION):
        if name in types and not has_groups:
            layout.add(name, _("Take it out, or write groups = true: it stands before the groups of a file."))
    _refuse_same_markers(layout, types)
    return types


def _heads(types: Mapping[str, ReadType]) -> dict[str, Column | None]:
    """Return what a data record may take over: what the header of its group says, and where that says nothing what its section's does."""
    outer, inner = (types.get(name, _NO_TYPE).columns for name in ("section_header", "header"))
    found = {**outer, **inner}
    for name in outer.keys() & inner.keys():
        own, other = inner[name], outer[name]
        if own is not None and other is not None and own.kind is other.kind and own.may_be_absent:
            found[name] = other
    return found


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
