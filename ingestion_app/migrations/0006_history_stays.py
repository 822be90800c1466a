"""The history of batches and sources never changes."""

from importlib import import_module
from typing import Any

from django.db import migrations

statement = import_module("ledger_app.migrations.0002_triggers").statement

TRIGGERS = [
    (f"kakutei_{table}_no_{event.lower()}", event, f"ingestion_app_{table}", "")
    for table in ("historicalbatch", "historicalsource")
    for event in ("UPDATE", "DELETE")
]


def create(_apps: Any, schema_editor: Any) -> None:
    """Create the triggers, dropping what a cut-off run has left."""
    for name, event, table, condition in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop the triggers."""
    for name, *_ in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    """Creates the triggers."""

    atomic = False
    dependencies = [("ingestion_app", "0005_reversal_dates"), ("ledger_app", "0010_rows_leave_traces")]
    operations = [migrations.RunPython(create, drop, atomic=False)]
