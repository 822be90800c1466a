"""The triggers by which an erasure changes rows that are written once, and that let nothing else change them."""

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps
from django.db import models

from ledger_app.traces.queries import traces
from ledger_app.traces.queries.traces import Table
from ledger_app.traces.rules import erased

ERASES = "kakutei_erasedpart_erases"
NAMED = "EXISTS (SELECT 1 FROM ledger_app_erasedpart AS part WHERE part.table_name = '{table}' AND part.row_id = OLD.{key}{more})"


class Erasable(NamedTuple):
    """A table of which an erasure may change some columns: its model, all its columns, and those."""

    model: type[models.Model]
    table: Table
    columns: tuple[str, ...]

    @property
    def guard(self) -> str:
        """The name of the trigger that refuses every other change."""
        return f"kakutei_{self.table.name.partition('_app_')[2]}_no_update"


def tables() -> Iterator[Erasable]:
    """Yield the tables of which an erasure may change something."""
    found = {model._meta.db_table: model for model in apps.get_models()}  # noqa: SLF001 - the documented interface of models
    for name, columns in erased.ERASABLE.items():
        meta = found[name]._meta  # noqa: SLF001 - as above
        assert meta.pk is not None, "every table has a key"  # noqa: S101
        every = tuple((str(field.column), isinstance(field, models.BinaryField)) for field in meta.concrete_fields)
        yield Erasable(found[name], Table(name, str(meta.pk.column), every), columns)


def refused(vendor: str, each: Erasable) -> str:
    """Return the condition under which a change of a row is no erasure's.

    No erasure names the row; or another column changes, or one that no erasure names, or to something else.
    """
    others = Table(
        each.table.name, each.table.key, tuple(column for column in each.table.columns if column[0] not in each.columns)
    )
    changed = [
        f"NOT {NAMED.format(table=each.table.name, key=each.table.key, more='')}",
        _differs(vendor, traces.content(vendor, "OLD", others), traces.content(vendor, "NEW", others)),
    ]
    for column in each.columns:
        # What is put in its place is told by the part; of a trace it follows, and JSON the engines compare each in its own way.
        is_told = each.table.name != erased.TRACES and column not in erased.OF_JSON
        says = f" AND part.says = NEW.{column}" if is_told else ""
        named = NAMED.format(table=each.table.name, key=each.table.key, more=f" AND part.column_name = '{column}'{says}")
        old, new = (traces.literal(vendor, row, column, is_bytes=False) for row in ("OLD", "NEW"))
        changed.append(f"({_differs(vendor, old, new)} AND NOT {named})")
    return " OR ".join(changed)


def _differs(vendor: str, old: str, new: str) -> str:
    return f"({old}) IS NOT ({new})" if vendor == "sqlite" else f"NOT (({old}) <=> ({new}))"
