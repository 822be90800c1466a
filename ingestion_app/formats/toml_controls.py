"""Reads what a sender says of its whole file: the controls among the roles of a source definition."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from ingestion_app.formats.control_totals import Balance, FileTotals, HashTotal, NestedSum, SectionTotals, Total, TotalBy
from ingestion_app.formats.definition import WORDS, Column, Kind
from ingestion_app.formats.toml_amounts import is_read_back, unreadable_value
from ingestion_app.formats.toml_columns import name_description
from ingestion_app.formats.toml_layout import ReadLayout
from ingestion_app.formats.toml_names import Columns, check_column, named_column
from ingestion_app.formats.values import AMOUNT_LIMIT
from ledger_app.base.rules.toml_table import Table

_HASHED_DIGITS = 15  # as many as a count has at most
_OPENINGS = ("header_opening_balance", "trailer_opening_balance")
_CLOSING = "trailer_closing_balance"
_BALANCES = (*_OPENINGS, _CLOSING)
_OF_FILE = ("end_groups", "end_count", "end_sum", "end_lines", "end_sections")
_OF_SECTION = ("section_groups", "section_lines")
_LINES = "trailer_lines"
_NESTED = "nested_sum"
_BY_VALUE_MOST = 20


class ReadControls(NamedTuple):
    """The controls as far as they could be read."""

    trailer_count: str | None
    trailer_sum: str | None
    totals: tuple[tuple[Total, str], ...]
    hash_total: HashTotal | None
    balance: Balance | None
    by_value: tuple[TotalBy, ...]
    same: tuple[str, ...]
    of_file: FileTotals
    of_section: SectionTotals
    trailer_lines: str | None
    nested_sum: NestedSum | None


def read_controls(table: Table, layout: ReadLayout) -> ReadControls:
    """Return the controls. A source without any says so, so that nobody takes it for an oversight."""
    data, header, trailer, end = (each.columns for each in (layout.data, layout.header, layout.trailer, layout.end))
    keys = {total: f"trailer_{total}" for total in Total}
    asked = ("trailer_count", "trailer_sum", *keys.values(), "hash_total", *_BALANCES, "by_value")
    asked = (*asked, *_OF_FILE, *_OF_SECTION, _LINES, _NESTED)
    table.know(*asked)
    count = named_column(table, "trailer_count", trailer, (Kind.COUNT,)) if table.has("trailer_count") else None
    total = named_column(table, "trailer_sum", trailer, (Kind.AMOUNT,)) if table.has("trailer_sum") else None
    totals = [(each, named_column(table, key, trailer, (_kind_of(each),))) for each, key in keys.items() if table.has(key)]
    hash_total = _read_hash(table.table("hash_total", optional=True), data, trailer)
    balance = _read_balance(table, header, trailer)
    controls = table.choice("controls", ("none",), optional=True)
    has_any = any(map(table.has, asked))
    if has_any and controls:
        table.add("controls", _("Take it out: the trailer has controls."))
    if not has_any and not table.has("controls"):
        sentence = _('Name the trailer\'s count, its sum, or both; where the sender sends neither, write controls = "none".')
        table.add("trailer_count", sentence)
    return ReadControls(
        count,
        total,
        tuple((each, name) for each, name in totals if name is not None),
        hash_total,
        balance,
        _read_by_value(table, data, trailer),
        _read_same(table, layout),
        _read_of_file(table, end, layout),
        _read_of_section(table, layout),
        _read_count(table, _LINES, trailer, "groups" if not layout.has_groups else None),
        _read_nested_sum(table.table(_NESTED, optional=True), layout),
    )


def _read_by_value(table: Table, data: Columns, trailer: Columns) -> tuple[TotalBy, ...]:
    """Return what the trailer says of records by what a column of theirs says."""
    rows = table.tables("by_value") if table.has("by_value") else None
    if rows is not None and not 1 <= len(rows) <= _BY_VALUE_MOST:
        table.add("by_value", _("Write one to {most} tables.").format(most=_BY_VALUE_MOST))
    read = [_read_total_by(row, data, trailer) for row in rows or ()]
    return tuple(each for each in read if each is not None)


def _read_total_by(row: Table, data: Columns, trailer: Columns) -> TotalBy | None:
    name = row.text("column", pattern="[a-z][a-z0-9_]{0,39}", expected=name_description())
    is_there = name is not None and check_column(row, "column", name, data, WORDS, may_be_absent=True)
    values = row.texts("values")
    column = data.get(name or "")
    if column is not None and not all(is_read_back(column, value) for value in values or ()):
        row.add("values", unreadable_value())
    count = named_column(row, "count", trailer, (Kind.COUNT,)) if row.has("count") else None
    total = named_column(row, "sum", trailer, (Kind.AMOUNT,)) if row.has("sum") else None
    of = named_column(row, "of", data, (Kind.AMOUNT,)) if row.has("of") else None
    row.know("count", "sum", "of")
    row.close()
    if not row.has("count") and not row.has("sum"):
        row.add("count", _("Name the columns of the trailer with count, sum, or both."))
    return TotalBy(name, tuple(values), count, total, of) if name and is_there and values and (count or total) else None


def _read_same(table: Table, layout: ReadLayout) -> tuple[str, ...]:
    """Return the columns that header and trailer of a group have alike."""
    table.know("same")
    names = table.texts("same") if table.has("same") else None
    if names is not None and not layout.has_groups:
        table.add("same", _("Take it out: only groups are told apart by it."))
    for name in names or ():
        for columns in (layout.header.columns, layout.trailer.columns):
            check_column(table, "same", name, columns, tuple(kind for kind in Kind if kind is not Kind.UNUSED))
    return tuple(names or ())


def _read_of_file(table: Table, end: Columns, layout: ReadLayout) -> FileTotals:
    """Return what the end record says of the whole file."""
    if table.has("end_groups") and not layout.has_groups:
        table.add("end_groups", _("Take it out: the layout has no groups."))
    if table.has("end_sections") and not layout.has_sections:
        table.add("end_sections", _("Take it out: the layout has no sections."))
    kinds = {"end_sum": (Kind.AMOUNT,)}
    return FileTotals(
        *(named_column(table, key, end, kinds.get(key, (Kind.COUNT,))) if table.has(key) else None for key in _OF_FILE)
    )


def _read_of_section(table: Table, layout: ReadLayout) -> SectionTotals:
    """Return what the trailer of a section says of it."""
    columns, lacking = layout.section_trailer.columns, None if layout.has_sections else "sections"
    return SectionTotals(*(_read_count(table, key, columns, lacking) for key in _OF_SECTION))


def _read_count(table: Table, key: str, columns: Columns, lacking: str | None) -> str | None:
    """Return the column that a key names of a trailer; ``lacking`` is what it would be the trailer of and the layout has not."""
    if not table.has(key):
        return None
    if lacking is not None:
        sentence = (
            _("Take it out: the layout has no sections.")
            if lacking == "sections"
            else _("Take it out: the layout has no groups.")
        )
        table.add(key, sentence)
        return None
    return named_column(table, key, columns, (Kind.COUNT,))


def _read_nested_sum(table: Table | None, layout: ReadLayout) -> NestedSum | None:
    """Return what is added up of records and headers, and where each level says it."""
    if table is None:
        return None
    of = named_column(table, "of", layout.data.columns, (Kind.AMOUNT,))
    places = {
        "header": layout.header.columns,
        "trailer": layout.trailer.columns,
        "section": layout.section_trailer.columns,
        "end": layout.end.columns,
    }
    named = {
        key: named_column(table, key, columns, (Kind.AMOUNT,)) if table.has(key) else None for key, columns in places.items()
    }
    table.know(*places)
    if not any(map(table.has, ("trailer", "section", "end"))):
        table.add("trailer", _("Name the column that says the sum: of the trailer, of that of the section, or of the end."))
    table.close()
    return NestedSum(of, **named) if of else None


def check_signs(table: Table, read: ReadControls, amount: Column | None, layout: ReadLayout) -> None:
    """Report totals that cannot be negative though the amounts, and with them their sum, can."""
    if amount is None or amount.minimum >= 0:
        return
    trailer, end = layout.trailer.columns, layout.end.columns
    closing = read.balance.closing if read.balance else None
    for key, name, columns in (
        ("trailer_sum", read.trailer_sum, trailer),
        (_CLOSING, closing, trailer),
        ("end_sum", read.of_file.sum, end),
    ):
        column = columns.get(name or "")
        if column is not None and column.minimum >= 0:
            sentence = _("Give the column {name} a negative minimum: amounts may be negative, and so may their sum.")
            table.add(key, sentence.format(name=column.name))


def _kind_of(total: Total) -> Kind:
    return Kind.COUNT if total in {Total.POSITIVE_COUNT, Total.NEGATIVE_COUNT} else Kind.AMOUNT


def _read_hash(table: Table | None, data: Columns, trailer: Columns) -> HashTotal | None:
    if table is None:
        return None
    said = named_column(table, "trailer", trailer, (Kind.COUNT,))
    of = named_column(table, "of", data, (Kind.IDENTIFIER, Kind.COUNT))
    digits = table.integer("digits", least=1, most=_HASHED_DIGITS, optional=True)
    modulus = table.integer("modulus", least=2, most=AMOUNT_LIMIT, optional=True)
    table.close()
    column = data.get(of or "")
    if digits is None and column is not None and column.kind is Kind.IDENTIFIER and column.width > _HASHED_DIGITS:
        table.add("digits", _("Say how many of the first digits of {name} are added up.").format(name=column.name))
    return HashTotal(said, of, digits, modulus) if said and of else None


def _read_balance(table: Table, header: Columns, trailer: Columns) -> Balance | None:
    """Return the balances: the opening one in header or trailer, the closing one in the trailer, both or neither."""
    if not any(map(table.has, _BALANCES)):
        return None
    if sum(map(table.has, _OPENINGS)) != 1 or not table.has(_CLOSING):
        table.add(_CLOSING, _("Name both balances, the opening one once: {names}.").format(names=", ".join(_BALANCES)))
    opening = closing = None
    for key in _OPENINGS:
        if table.has(key):
            opening = named_column(table, key, header if key.startswith("header") else trailer, (Kind.AMOUNT,))
    if table.has(_CLOSING):
        closing = named_column(table, _CLOSING, trailer, (Kind.AMOUNT,))
    return Balance(opening, closing, table.has(_OPENINGS[0])) if opening and closing else None
