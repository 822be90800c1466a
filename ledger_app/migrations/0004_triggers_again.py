"""Creates the triggers anew: SQLite makes a table anew to alter it, and the old one's triggers go with it."""

from importlib import import_module

from django.db import migrations

create = import_module("ledger_app.migrations.0002_triggers").create


class Migration(migrations.Migration):
    """Creates the ledger's triggers again."""

    atomic = False
    dependencies = [("ledger_app", "0003_entry_keys")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, atomic=False)]
