"""Which entry a reference names: the one that stands. A reversed one gives its reference to the next, whose turn it is then."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

REFUSE = import_module("ledger_app.migrations.0002_triggers").REFUSE

NAME = "kakutei_entry_turn_follows"
MESSAGE = "kakutei: an entry takes the reference of another only once that is reversed"
BEFORE = (
    "SELECT 1 FROM ledger_app_entry AS earlier JOIN ledger_app_entry AS reversal ON reversal.reverses_id = earlier.id"
    " WHERE earlier.book_id = NEW.book_id AND earlier.reference = NEW.reference AND earlier.turn + 1 = NEW.turn"
)
# Two conditions, one in the other: nearly every entry has turn 0, and nothing is looked up for it.
TRIGGER = {
    "mysql": f"""
CREATE TRIGGER {NAME} BEFORE INSERT ON ledger_app_entry FOR EACH ROW
BEGIN
    IF NEW.turn > 0 THEN
        IF NOT EXISTS ({BEFORE}) THEN {REFUSE["mysql"].format(message=MESSAGE)}; END IF;
    END IF;
END
""",
    "sqlite": f"""
CREATE TRIGGER {NAME} BEFORE INSERT ON ledger_app_entry FOR EACH ROW
WHEN NEW.turn > 0 AND NOT EXISTS ({BEFORE})
BEGIN
    {REFUSE["sqlite"].format(message=MESSAGE)};
END
""",
}
NAMES_ENTRIES = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%ledger_app_entry%'"
_put_aside: list[tuple[str, str]] = []


def put_aside(_apps: Any, schema_editor: Any) -> None:
    """Take down the triggers that name the table: SQLite makes it anew to alter it, and its own would go with it."""
    _put_aside.clear()
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(NAMES_ENTRIES)
        _put_aside.extend(cursor.fetchall())
    for name, _sql in _put_aside:
        schema_editor.execute(f"DROP TRIGGER {name}")


def put_back(_apps: Any, schema_editor: Any) -> None:
    """Put up again, in the transaction in which they came down, the triggers that were put aside."""
    for name, sql in _put_aside:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(sql)


def create(_apps: Any, schema_editor: Any) -> None:
    """Create the trigger on turns, dropping what a cut-off run has left."""
    schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}")
    schema_editor.execute(TRIGGER[schema_editor.connection.vendor].strip())


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop the trigger."""
    schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}")


class Migration(migrations.Migration):
    """Adds the turn of an entry to what is unique of it."""

    dependencies = [("ledger_app", "0011_hold_rules")]
    operations = [
        migrations.RunPython(put_aside, put_back, atomic=False),
        migrations.RunPython(migrations.RunPython.noop, drop, atomic=False),
        migrations.AddField(
            model_name="entry",
            name="turn",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="turn"),
        ),
        migrations.RemoveConstraint(model_name="entry", name="entry_reference_unique"),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(fields=("book", "reference", "turn"), name="entry_reference_unique"),
        ),
        migrations.RunPython(put_back, put_aside, atomic=False),
        migrations.RunPython(create, migrations.RunPython.noop, atomic=False),
    ]
