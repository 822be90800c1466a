"""Reads the names of columns where a source definition names them: each of the right kind, and always with a value."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from ingestion_app.formats.definition import Column, Kind
from ingestion_app.formats.toml_columns import name_description
from ledger_app.base.rules.toml_table import Table

Columns = Mapping[str, Column | None]


def named_column(table: Table, key: str, columns: Columns, kinds: tuple[Kind, ...]) -> str | None:
    """Return the column that the value of ``key`` names, where it passes."""
    name = table.text(key, pattern="[a-z][a-z0-9_]{0,39}", expected=name_description())
    return name if name is not None and check_column(table, key, name, columns, kinds) else None


def check_column(
    table: Table, key: str, name: str, columns: Columns, kinds: tuple[Kind, ...], *, may_be_absent: bool = False
) -> bool:
    """Tell whether ``name`` is a column of one of ``kinds`` that always has a value, or is one that could not be read."""
    if name not in columns:
        known = ", ".join(columns) or "–"
        table.add(
            key, _("Name a column of the record type instead of {name}. There are: {known}.").format(name=name, known=known)
        )
        return False
    column = columns[name]
    if column is not None and column.kind not in kinds:
        wanted = ", ".join(kinds)
        table.add(
            key, _("Name a column of kind {wanted}: {name} is of kind {kind}.").format(wanted=wanted, name=name, kind=column.kind)
        )
        return False
    if column is not None and column.may_be_absent and not may_be_absent:
        table.add(key, _("Name a column that always has a value, or give {name} a default.").format(name=name))
        return False
    return True
