"""What arrived never changes, what is applied stays applied, and a batch that has ended stays as it is: the database sees to it."""

from importlib import import_module
from typing import Any

from django.db import migrations

ledger = import_module("ledger_app.migrations.0002_triggers")
Refusal, kept = ledger.Refusal, ledger.kept

CHUNK, BATCH = "ingestion_app_chunk", "ingestion_app_batch"
TRIGGERS = [
    *(each for table in ("file", "receipt", "sourceversion") for each in kept(f"ingestion_app_{table}")),
    Refusal("kakutei_chunk_applied_no_update", "UPDATE", CHUNK, "OLD.state = 'applied'"),
    Refusal("kakutei_chunk_applied_no_delete", "DELETE", CHUNK, "OLD.state = 'applied'"),
    Refusal("kakutei_batch_ended_no_update", "UPDATE", BATCH, "OLD.state IN ('frozen', 'withdrawn', 'reversed')"),
    *kept(BATCH, "DELETE"),
]


def create(_apps: Any, schema_editor: Any) -> None:
    """Create every trigger, dropping what a cut-off run has left."""
    for each in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {each.name}")
        schema_editor.execute(each.statement(schema_editor.connection.vendor))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    for each in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {each.name}")


class Migration(migrations.Migration):
    """Creates the triggers of ingestion."""

    atomic = False
    dependencies = [("ingestion_app", "0001_initial"), ("ledger_app", "0002_triggers")]
    operations = [migrations.RunPython(create, drop, atomic=False)]
