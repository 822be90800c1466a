"""What arrived never changes, what is applied stays applied, and a frozen batch is frozen: the database sees to it."""

from importlib import import_module
from typing import Any

from django.db import migrations

statement = import_module("ledger_app.migrations.0002_triggers").statement

TRIGGERS = [
    *[
        (f"kakutei_{table}_no_{event.lower()}", event, f"ingestion_app_{table}", "")
        for table in ("file", "receipt", "sourceversion")
        for event in ("UPDATE", "DELETE")
    ],
    ("kakutei_chunk_applied_no_update", "UPDATE", "ingestion_app_chunk", "OLD.state = 'applied'"),
    ("kakutei_chunk_applied_no_delete", "DELETE", "ingestion_app_chunk", "OLD.state = 'applied'"),
    ("kakutei_batch_ended_no_update", "UPDATE", "ingestion_app_batch", "OLD.state IN ('frozen', 'withdrawn')"),
    ("kakutei_batch_no_delete", "DELETE", "ingestion_app_batch", ""),
]


def create(_apps: Any, schema_editor: Any) -> None:
    """Create every trigger, dropping what a cut-off run has left."""
    for name, event, table, condition in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    for name, *_ in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    """Creates ingestion's triggers."""

    atomic = False
    dependencies = [("ingestion_app", "0001_initial"), ("ledger_app", "0002_triggers")]
    operations = [migrations.RunPython(create, drop, atomic=False)]
