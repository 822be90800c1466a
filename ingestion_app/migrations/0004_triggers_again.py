"""Creates the triggers anew, since SQLite drops them with the tables that it alters; a reversed batch has ended too."""

from importlib import import_module
from typing import Any

from django.db import migrations

before = import_module("ingestion_app.migrations.0002_triggers")
statement = import_module("ledger_app.migrations.0002_triggers").statement

ENDED = ("kakutei_batch_ended_no_update", "UPDATE", "ingestion_app_batch", "OLD.state IN ('frozen', 'withdrawn', 'reversed')")


def create(apps: Any, schema_editor: Any) -> None:
    """Create every trigger as it was, but the one that knows which batches have ended."""
    before.create(apps, schema_editor)
    schema_editor.execute(f"DROP TRIGGER IF EXISTS {ENDED[0]}")
    schema_editor.execute(statement(schema_editor.connection.vendor, *ENDED))


class Migration(migrations.Migration):
    """Creates ingestion's triggers again."""

    atomic = False
    dependencies = [("ingestion_app", "0003_leases_and_reversals"), ("ledger_app", "0004_triggers_again")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, atomic=False)]
