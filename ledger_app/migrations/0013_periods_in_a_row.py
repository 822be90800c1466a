"""The trigger on entries believes nothing from one entry to the next; periods follow each other day by day.

Triggers are dropped before they are created: MySQL and MariaDB do not undo DDL, so a migration that was cut off must be able to run again.
"""

from importlib import import_module
from typing import Any

from django.db import migrations, models

first = import_module("ledger_app.migrations.0002_triggers")

REFUSED = "kakutei: an entry needs a period that is not frozen"
ENTRY = "kakutei_entry_in_open_period"

# Every entry asks the row of its own period, under a shared lock, and nothing is believed from one entry to the next: whatever a session can
# write, another can forge. Periods do not overlap, so the newest that begins by the date is the only one that can take it: it is found along
# the index and locked alone, and nobody waits for the freeze of an earlier month. What it costs is in docs/decisions/0030.
ENTRY_IN_OPEN_PERIOD = {
    "mysql": f"""
CREATE TRIGGER {ENTRY} BEFORE INSERT ON ledger_app_entry FOR EACH ROW
BEGIN
    IF NOT COALESCE((
        SELECT ends_on >= NEW.effective_on AND state <> 'frozen'
          FROM ledger_app_period FORCE INDEX (period_start_unique)
         WHERE book_id = NEW.book_id AND starts_on <= NEW.effective_on
         ORDER BY starts_on DESC LIMIT 1 LOCK IN SHARE MODE
    ), FALSE) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSED}';
    END IF;
END
""",
    "sqlite": first.ENTRY_IN_OPEN_PERIOD["sqlite"],
}

OTHER = "EXISTS (SELECT 1 FROM ledger_app_period AS other WHERE other.book_id = NEW.book_id AND other.id <> {self} AND {that})"
# A row that is inserted has no number yet on SQLite, and 0 on MariaDB.
SELF = {"INSERT": "COALESCE(NEW.id, 0)", "UPDATE": "OLD.id"}
NEXT_DAY = {"mysql": "{day} + INTERVAL 1 DAY", "sqlite": "date({day}, '+1 day')"}


def leaves_gap(vendor: str, event: str) -> str:
    """Return the condition that a period neither begins on the day after another of its book nor ends on the day before one, though there are others."""
    own = SELF[event]
    after = NEXT_DAY[vendor].format(day="other.ends_on")
    before = NEXT_DAY[vendor].format(day="NEW.ends_on")
    touches = f"(NEW.starts_on = {after} OR other.starts_on = {before})"
    return f"{OTHER.format(self=own, that='1 = 1')} AND NOT {OTHER.format(self=own, that=touches)}"


def moves_away(vendor: str) -> str:
    """Return the condition that a period which touched its neighbours would not do so with other days."""
    moved = "(NEW.starts_on <> OLD.starts_on OR NEW.ends_on <> OLD.ends_on OR NEW.book_id <> OLD.book_id)"
    neighbours = []
    for was, now in (
        (
            f"OLD.starts_on = {NEXT_DAY[vendor].format(day='other.ends_on')}",
            f"NEW.starts_on = {NEXT_DAY[vendor].format(day='other.ends_on')}",
        ),
        (
            f"other.starts_on = {NEXT_DAY[vendor].format(day='OLD.ends_on')}",
            f"other.starts_on = {NEXT_DAY[vendor].format(day='NEW.ends_on')}",
        ),
    ):
        own = SELF["UPDATE"]
        neighbours.append(f"({OTHER.format(self=own, that=was)} AND NOT {OTHER.format(self=own, that=now)})")
    return f"{moved} AND ({' OR '.join(neighbours)})"


def statements(vendor: str) -> dict[str, str]:
    """Return name → SQL of each trigger that this migration creates."""
    gaps = {
        "kakutei_period_no_gap_insert": ("INSERT", leaves_gap(vendor, "INSERT")),
        "kakutei_period_no_gap_update": ("UPDATE", moves_away(vendor)),
    }
    made = {
        name: first.statement(vendor, name, event, "ledger_app_period", condition) for name, (event, condition) in gaps.items()
    }
    return {ENTRY: ENTRY_IN_OPEN_PERIOD[vendor].strip(), **made}


def create(_apps: Any, schema_editor: Any) -> None:
    """Create the triggers."""
    for name, statement in statements(schema_editor.connection.vendor).items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement)


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop the triggers, and create the one on entries as it was."""
    vendor = schema_editor.connection.vendor
    for name in statements(vendor):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
    schema_editor.execute(first.ENTRY_IN_OPEN_PERIOD[vendor].strip())


class Migration(migrations.Migration):
    """Creates the triggers, and the index by which the roles of a book's accounts are found."""

    atomic = False
    dependencies = [("ledger_app", "0012_turns")]
    operations = [
        migrations.RunPython(create, drop, atomic=False),
        migrations.AddIndex(model_name="account", index=models.Index(fields=["book", "role"], name="account_role")),
    ]
