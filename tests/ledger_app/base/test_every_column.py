"""Of every table and every column, one value at a time is changed past the triggers, and ``verify`` names it: no column is left behind.

What is not tried stands in ``rules.UNTRACED_COLUMNS``, and in ``OF_NO_WEIGHT`` below, each with its reason.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, models

from ledger_app.base import proofs
from ledger_app.models import Book
from ledger_app.posting.proofs import posting as posting_proofs
from ledger_app.traces import operations as tracing
from ledger_app.traces.proofs import change as change_proofs
from ledger_app.traces.queries import traces
from ledger_app.traces.rules import traces as rules
from ledger_app.verification.proofs import ledger as ledger_proofs
from ledger_app.verification.proofs import trace as trace_proofs
from tests.support import every_table
from tests.support.altering import unguarded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

OF_NO_WEIGHT: dict[tuple[str, str], str] = {
    ("ingestion_app_record", "id"): "nothing refers to it: a record is named by its batch and line, which its digest covers",
}


# What finds most is asked first, and last what asks MariaDB for all its triggers.
ORDER: dict[Any, int] = {
    trace_proofs.rows_are_as_written: 0,
    trace_proofs.rows_are_as_their_history_says: 1,
    posting_proofs.postings_are_what_they_wrote: 1,
    ledger_proofs.entries_never_change: 3,
}


@pytest.fixture
def sound(files_dir: Path) -> proofs.Scope:
    """Do everything once, link it, and return the books, in which nothing is wrong."""
    every_table.build(files_dir.parent)
    tracing.link(at=datetime.now(tz=UTC) + timedelta(minutes=1), distance=timedelta(0))
    scope = proofs.Scope(Book.objects.order_by("id"), reads_bytes=True)
    assert list(breaches(scope)) == []
    return scope


def breaches(scope: proofs.Scope) -> Iterator[str]:
    """Yield what is found, the invariants that find most first; nothing of it is kept from an earlier run."""
    scope = proofs.Scope(list(scope))
    for invariant in sorted(proofs.invariants(), key=lambda each: ORDER.get(each.breaches, 2)):
        yield from (f"{invariant.number}. {breach}" for breach in invariant.breaches(scope))


def another(field: Any, value: Any) -> Any:
    """Return another value for a column, such as an administrator might put there; never one that the column refuses for its type."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.JSONField):
        return '{"x": 1}'
    if isinstance(field, models.BooleanField):
        return 0 if value else 1
    if isinstance(field, models.BinaryField):
        return bytes([1]) * 32 if not value else bytes([value[0] ^ 1]) + bytes(value[1:])
    if isinstance(field, models.DateTimeField | models.DateField):
        fallback = datetime(2011, 1, 1) if isinstance(field, models.DateTimeField) else date(2011, 1, 1)  # noqa: DTZ001 - as rows keep it
        if isinstance(value, str):
            value = type(fallback).fromisoformat(value)
        return str(value + timedelta(days=1) if value is not None else fallback)
    if isinstance(field, models.CharField | models.TextField):
        return "x" if not value else ("y" if value[0] != "y" else "z") + value[1:]
    return 1 if value is None else value + (1 if field.get_internal_type() == "PositiveSmallIntegerField" else 1_000)


def keys_of(table: str, key: str) -> list[Any]:
    """Return the first and the last key of a table; of MariaDB, which takes a minute for each, the last."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MIN({key}), MAX({key}) FROM {table}")
        found = sorted({each for each in cursor.fetchone() if each is not None})
        return found if connection.vendor == "sqlite" else found[-1:]


def test_every_column_of_every_table_is_held_by_something(sound):
    missed, empty = [], []
    for model in traces.models_kept():
        meta = model._meta
        table, quote = meta.db_table, connection.ops.quote_name
        key = quote(str(meta.pk.column))
        keys = keys_of(table, key)
        if not keys:
            empty.append(table)
        with unguarded(table=table) as cursor:
            for row_id in keys:
                for field in meta.concrete_fields:
                    if (table, field.column) in rules.UNTRACED_COLUMNS or (table, field.column) in OF_NO_WEIGHT:
                        continue
                    column = quote(str(field.column))
                    cursor.execute(f"SELECT {column} FROM {table} WHERE {key} = %s", [row_id])
                    (before,) = cursor.fetchone()
                    after = another(field, before)
                    now = after if field is meta.pk else row_id
                    try:
                        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", [after, row_id])
                    except IntegrityError:
                        continue  # a unique key refuses it, which nobody can drop without being named
                    if next(breaches(sound), None) is None:
                        missed.append(f"{table}.{field.column} of {row_id}: {before!r} → {after!r}")
                    cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", [before, now])
    assert "\n".join(missed) == ""
    assert empty == []
    assert list(breaches(sound)) == []


def test_every_row_that_is_removed_is_missed(sound):
    kept = []
    for model in traces.models_kept():
        meta = model._meta
        table, key = meta.db_table, connection.ops.quote_name(str(meta.pk.column))
        columns = [connection.ops.quote_name(str(field.column)) for field in meta.concrete_fields]
        with unguarded(table=table) as cursor:
            for row_id in keys_of(table, key):
                cursor.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = %s", [row_id])
                row = cursor.fetchone()
                cursor.execute(f"DELETE FROM {table} WHERE {key} = %s", [row_id])
                if next(breaches(sound), None) is None:
                    kept.append(f"{table} {row_id}")
                marks = ", ".join(["%s"] * len(columns))
                cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)
    assert kept == []
    assert list(breaches(sound)) == []


def test_what_was_changed_while_triggers_were_away_is_named_once_they_are_made_again(sound):
    kept = []
    for table in traces.tables():
        model = next(each for each in traces.models_kept() if each._meta.db_table == table.name)
        key, columns = connection.ops.quote_name(table.key), {name for name, _is_bytes in table.columns}
        field = next(each for each in model._meta.concrete_fields if not each.primary_key and each.column in columns)
        column, row_id = connection.ops.quote_name(str(field.column)), keys_of(table.name, key)[-1]
        with unguarded(table=table.name) as cursor:
            cursor.execute(f"SELECT {column} FROM {table.name} WHERE {key} = %s", [row_id])
            before = cursor.fetchone()[0]
            with suppress(IntegrityError):  # of a key of several columns
                cursor.execute(f"UPDATE {table.name} SET {column} = %s WHERE {key} = %s", [another(field, before), row_id])
        is_changed = bool(traces.differing(table))
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER kakutei_trace_{table.name}_update")
        tracing.install()
        assert list(traces.differing(table)) == []
        if is_changed and not any(
            each.startswith(f"{table.name} ") for each in change_proofs.rows_are_found_as_they_were_left(())
        ):
            kept.append(f"{table.name}.{field.column}")
        # What migrations wrote stays for the tests that follow.
        with unguarded(table=table.name) as cursor:
            cursor.execute(f"UPDATE {table.name} SET {column} = %s WHERE {key} = %s", [before, row_id])
    assert kept == []
