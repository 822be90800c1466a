"""The triggers by which an erasure changes rows that are written once, and that let nothing else change them."""

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps

from ledger_app.queries import traces
from ledger_app.queries.traces import Table
from ledger_app.rules import erasures

ERASES = "kakutei_erasedpart_erases"
NAMED = (
    "EXISTS (SELECT 1 FROM ledger_app_erasedpart AS part"
    " WHERE part.table_name = '{table}' AND part.row_id = OLD.{key} AND part.column_name = '{column}'{says})"
)
# Of a trace: what the last trace of the same row says, which the change of that row has just left.
OF_TRACE = (
    "UPDATE ledger_app_trace SET content = (SELECT last_said.content FROM (SELECT said.content AS content FROM ledger_app_trace AS said"
    " JOIN ledger_app_trace AS this ON this.table_name = said.table_name AND this.row_id = said.row_id"
    " WHERE this.id = NEW.row_id ORDER BY said.id DESC LIMIT 1) AS last_said) WHERE id = NEW.row_id"
)


class Erasable(NamedTuple):
    """A table of which an erasure may change some columns: all its columns, and those."""

    table: Table
    columns: tuple[str, ...]

    @property
    def guard(self) -> str:
        """The name of the trigger that refuses every other change."""
        return f"kakutei_{self.table.name.partition('_app_')[2]}_no_update"


def tables() -> Iterator[Erasable]:
    """Yield the tables of which an erasure may change something."""
    models = {model._meta.db_table: model for model in apps.get_models()}  # noqa: SLF001 - the documented interface of models
    for name, columns in erasures.ERASABLE.items():
        meta = models[name]._meta  # noqa: SLF001 - as above
        assert meta.pk is not None, "every table has a key"  # noqa: S101
        yield Erasable(Table(name, str(meta.pk.column), tuple((str(f.column), False) for f in meta.concrete_fields)), columns)


def refused(vendor: str, each: Erasable) -> str:
    """Return the condition under which a change of a row is no erasure's: another column changes, or one that no erasure names, or to something else."""
    others = Table(
        each.table.name, each.table.key, tuple(column for column in each.table.columns if column[0] not in each.columns)
    )
    changed = [_differs(vendor, traces.content(vendor, "OLD", others), traces.content(vendor, "NEW", others))]
    for column in each.columns:
        # What is put in its place is told by the part; of a trace it follows, and JSON the engines compare each in its own way.
        is_told = each.table.name != erasures.TRACES and column not in erasures.OF_JSON
        says = f" AND part.says = NEW.{column}" if is_told else ""
        named = NAMED.format(table=each.table.name, key=each.table.key, column=column, says=says)
        old, new = (traces.literal(vendor, row, column, is_bytes=False) for row in ("OLD", "NEW"))
        changed.append(f"({_differs(vendor, old, new)} AND NOT {named})")
    return " OR ".join(changed)


def _differs(vendor: str, old: str, new: str) -> str:
    return f"({old}) IS NOT ({new})" if vendor == "sqlite" else f"NOT (({old}) <=> ({new}))"


def statements() -> Iterator[tuple[str, str, str]]:
    """Yield (table, column, statement) of what erases each kind of part."""
    for each in tables():
        for column in each.columns:
            if each.table.name == erasures.TRACES:
                yield each.table.name, column, OF_TRACE
            else:
                yield (
                    each.table.name,
                    column,
                    f"UPDATE {each.table.name} SET {column} = NEW.says WHERE {each.table.key} = NEW.row_id",
                )
