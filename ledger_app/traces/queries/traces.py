"""Which tables are traced, what of their rows, and the rows that are not what their traces and histories say."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection, models

from ledger_app.models import Trace
from ledger_app.traces.rules import traces as rules

ROWS_MOST = 100


class Table(NamedTuple):
    """A traced table: its name, its key, and its columns as (name, whether it holds bytes), in the order of the model."""

    name: str
    key: str
    columns: tuple[tuple[str, bool], ...]


class Historied(NamedTuple):
    """A table with history: its name and key, that of its history, and the columns that both have."""

    name: str
    key: str
    history: str
    columns: tuple[str, ...]


def models_kept() -> list[type[models.Model]]:
    """Return every model that the application keeps rows of, those between two others included, in the order of their tables."""
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed  # noqa: SLF001 - the documented interface of models
        and model._meta.db_table not in {*rules.OF_NO_WEIGHT, *rules.HELD_BY_AUDIT_ROWS}  # noqa: SLF001
        and (
            model._meta.app_label in rules.TRACED_APPS  # noqa: SLF001
            or model._meta.db_table in rules.TRACED_BESIDES  # noqa: SLF001
        )
    ]
    return sorted(found, key=lambda model: model._meta.db_table)  # noqa: SLF001


def history_of(model: type[models.Model]) -> type[models.Model] | None:
    """Return the model that keeps the history of ``model``, where there is one."""
    manager = getattr(model, "history", None)
    return manager.model if manager is not None and hasattr(manager, "model") and manager.model is not model else None


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Return the tables that are traced: all but those that have a proof of their own."""
    found = []
    for model in models_kept():
        meta = model._meta  # noqa: SLF001
        if meta.db_table in rules.PROVED_OTHERWISE:
            continue
        columns = tuple(
            (str(field.column), isinstance(field, models.BinaryField))
            for field in meta.concrete_fields
            if (meta.db_table, field.column) not in rules.UNTRACED_COLUMNS
        )
        assert meta.pk is not None, "every table has a key"  # noqa: S101
        found.append(Table(meta.db_table, str(meta.pk.column), columns))
    return tuple(found)


@lru_cache(maxsize=1)
def historied() -> tuple[Historied, ...]:
    """Return the tables whose rows are compared with their histories."""
    found = []
    for model in models_kept():
        history = history_of(model)
        if history is None:
            continue
        meta = model._meta  # noqa: SLF001
        there = {field.column for field in history._meta.concrete_fields}  # noqa: SLF001
        columns = tuple(
            str(field.column)
            for field in meta.concrete_fields
            if field.column in there and (meta.db_table, field.column) not in rules.WITHOUT_HISTORY
        )
        assert meta.pk is not None, "every table has a key"  # noqa: S101
        found.append(Historied(meta.db_table, str(meta.pk.column), history._meta.db_table, columns))  # noqa: SLF001
    return tuple(found)


def written_once() -> list[str]:
    """Return the tables whose rows never change: those that the rules name, and every history."""
    return sorted({*rules.WRITTEN_ONCE, *(table.history for table in historied())})


def literal(vendor: str, row: str, column: str, *, is_bytes: bool) -> str:
    """Return the SQL of one column of ``row`` as a literal."""
    name = f"{row}.{_quoted(vendor, column)}"
    if vendor == "sqlite":
        return f"quote({name})"
    return f"COALESCE(CONCAT('0x', HEX({name})), 'NULL')" if is_bytes else f"QUOTE({name})"


def content(vendor: str, row: str, table: Table) -> str:
    """Return the SQL of what a trace says of ``row``: each column as a literal, with commas between."""
    parts = [literal(vendor, row, column, is_bytes=is_bytes) for column, is_bytes in table.columns]
    return " || ',' || ".join(parts) if vendor == "sqlite" else f"CONCAT_WS(',', {', '.join(parts)})"


def _quoted(vendor: str, name: str) -> str:
    return f'"{name}"' if vendor == "sqlite" else f"`{name}`"


# The last trace of a row says what the row says; of a row that was removed it says so.
DIFFERING = """
    SELECT kept.{key}
      FROM {table} AS kept
     WHERE COALESCE((SELECT CASE WHEN trace.event = 'D' THEN '' ELSE trace.content END
                       FROM ledger_app_trace AS trace
                      WHERE trace.table_name = '{table}' AND trace.row_id = kept.{key}
                      ORDER BY trace.id DESC LIMIT 1), '') <> {content}
     LIMIT {most}
"""
GONE = """
    SELECT trace.row_id
      FROM ledger_app_trace AS trace LEFT JOIN {table} AS kept ON kept.{key} = trace.row_id
     WHERE trace.table_name = '{table}' AND kept.{key} IS NULL AND trace.event <> 'D'
       AND NOT EXISTS (SELECT 1 FROM ledger_app_trace AS later
                        WHERE later.table_name = '{table}' AND later.row_id = trace.row_id AND later.id > trace.id)
     LIMIT {most}
"""


def differing(table: Table) -> list[int]:
    """Return the numbers of rows that are not what their last traces say, or have none: the first hundred."""
    vendor = connection.vendor
    return _keys(
        DIFFERING.format(key=_quoted(vendor, table.key), table=table.name, content=content(vendor, "kept", table), most=ROWS_MOST)
    )


def gone(table: Table) -> list[int]:
    """Return the numbers of rows that are not there, and whose last traces do not say that they were removed: the first hundred."""
    return _keys(GONE.format(key=_quoted(connection.vendor, table.key), table=table.name, most=ROWS_MOST))


def unlike(table: Table, row_id: int) -> str:
    """Return the first column in which a row differs from its last trace; nothing where it has none."""
    trace = Trace.objects.filter(table_name=table.name, row_id=row_id).order_by("-id").first()
    if trace is None or trace.event == Trace.Event.DELETED:
        return ""
    vendor = connection.vendor
    parts = [literal(vendor, "kept", column, is_bytes=is_bytes) for column, is_bytes in table.columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(parts)} FROM {table.name} AS kept WHERE kept.{_quoted(vendor, table.key)} = %s",
            [row_id],
        )
        row = cursor.fetchone() or ()
    place = 0
    for (column, _is_bytes), said in zip(table.columns, row, strict=False):
        if not f"{trace.content},".startswith(f"{said},", place):
            return column
        place += len(str(said)) + 1
    return ""


# A literal of either database: quoted text, in which SQLite doubles a quote and MariaDB puts a backslash before it, or something without commas.
LITERALS = {
    "sqlite": re.compile(r"(X?'(?:[^']|'')*'|[^,']*)(?:,|$)"),
    "mysql": re.compile(r"('(?:[^'\\]|\\.)*'|[^,']*)(?:,|$)", re.DOTALL),
}


def values(vendor: str, text: str) -> list[str | None]:
    """Return the values of a trace's content as texts, without their quotes; None for NULL. Escapes within are left as they are."""
    found: list[str | None] = []
    place = 0
    while place < len(text) or (text.endswith(",") and place == len(text)):
        match = LITERALS[vendor].match(text, place)
        if match is None or match.end() == place:
            break
        said = match[1]
        found.append(None if said == "NULL" else said[1:-1] if said.startswith("'") else said)
        place = match.end()
    return found


def contents_of(name: str, row_ids: Sequence[int]) -> dict[int, list[dict[str, str | None]]]:
    """Return what the traces of rows said of them, by row, each as the columns' texts, the oldest first."""
    (table,) = [each for each in tables() if each.name == name]
    names = [column for column, _is_bytes in table.columns]
    found: dict[int, list[dict[str, str | None]]] = {}
    kept = Trace.objects.filter(table_name=name, row_id__in=row_ids).exclude(event=Trace.Event.DELETED).order_by("id")
    for row_id, text in kept.values_list("row_id", "content"):
        found.setdefault(row_id, []).append(dict(zip(names, values(connection.vendor, text), strict=False)))
    return found


LAST = """
    SELECT kept.{key}
      FROM {table} AS kept
      LEFT JOIN {history} AS said
        ON said.history_id = (SELECT MAX(any_row.history_id) FROM {history} AS any_row WHERE any_row.{key} = kept.{key})
     WHERE said.history_id IS NULL OR said.history_type = '-' OR {differs}
     LIMIT {most}
"""
LEFT_OUT = """
    SELECT said.{key}
      FROM {history} AS said LEFT JOIN {table} AS kept ON kept.{key} = said.{key}
     WHERE kept.{key} IS NULL AND said.history_type <> '-'
       AND NOT EXISTS (SELECT 1 FROM {history} AS later WHERE later.{key} = said.{key} AND later.history_id > said.history_id)
     LIMIT {most}
"""


def beside_history(table: Historied) -> Iterator[int]:
    """Yield the numbers of rows that are not what the last row of their history says, or are gone without it saying so."""
    vendor = connection.vendor
    same = "IS" if vendor == "sqlite" else "<=>"
    names = [_quoted(vendor, column) for column in table.columns]
    differs = " OR ".join(f"NOT (kept.{name} {same} said.{name})" for name in names)
    key = _quoted(vendor, table.key)
    given = {"key": key, "table": table.name, "history": table.history, "most": ROWS_MOST}
    yield from _keys(LAST.format(differs=differs, **given))
    yield from _keys(LEFT_OUT.format(**given))


def _keys(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [key for (key,) in cursor.fetchall()]
