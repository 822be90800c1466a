"""The database itself refuses what the code refuses.

Triggers are dropped before they are created: MySQL and MariaDB do not undo DDL, so a migration that was cut off must be able to run again.
"""

from typing import Any

from django.db import migrations

APPEND_ONLY = ("posting", "entry", "line", "seal", "auditrow")

REFUSE = {
    "mysql": "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'",
    "sqlite": "SELECT RAISE(ABORT, '{message}')",
}

# The period's row is read with a shared lock, so that an entry written by whatever means waits for a freeze and a freeze for it. The span that
# was found is believed for the rest of the statement only (NOW is the statement's): a lookup for each of a million entries costs ten seconds.
ENTRY_IN_OPEN_PERIOD = {
    "mysql": """
CREATE TRIGGER kakutei_entry_in_open_period BEFORE INSERT ON ledger_app_entry FOR EACH ROW
BEGIN
    DECLARE span_from DATE DEFAULT NULL;
    DECLARE span_to DATE DEFAULT NULL;
    IF NOT (@kakutei_statement <=> NOW(6) AND @kakutei_book <=> NEW.book_id
            AND NEW.effective_on BETWEEN @kakutei_from AND @kakutei_to) THEN
        SET @kakutei_statement = NULL;
        SELECT starts_on, ends_on INTO span_from, span_to FROM ledger_app_period
         WHERE book_id = NEW.book_id AND starts_on <= NEW.effective_on AND ends_on >= NEW.effective_on AND state <> 'frozen'
         ORDER BY starts_on LIMIT 1 LOCK IN SHARE MODE;
        IF span_from IS NULL THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kakutei: an entry needs a period that is not frozen';
        END IF;
        SET @kakutei_statement = NOW(6), @kakutei_book = NEW.book_id, @kakutei_from = span_from, @kakutei_to = span_to;
    END IF;
END
""",
    "sqlite": """
CREATE TRIGGER kakutei_entry_in_open_period BEFORE INSERT ON ledger_app_entry FOR EACH ROW
WHEN NOT EXISTS (
    SELECT 1 FROM ledger_app_period
     WHERE book_id = NEW.book_id AND starts_on <= NEW.effective_on AND ends_on >= NEW.effective_on AND state <> 'frozen'
)
BEGIN
    SELECT RAISE(ABORT, 'kakutei: an entry needs a period that is not frozen');
END
""",
}

OVERLAPS = (
    "EXISTS (SELECT 1 FROM ledger_app_period AS other WHERE other.book_id = NEW.book_id"
    " AND other.starts_on <= NEW.ends_on AND other.ends_on >= NEW.starts_on)"
)


def refusals() -> list[tuple[str, str, str, str]]:
    """Return (name, event, table, condition) of each trigger that does nothing but refuse."""
    found = [
        (f"kakutei_{table}_no_{event.lower()}", event, f"ledger_app_{table}", "")
        for table in APPEND_ONLY
        for event in ("UPDATE", "DELETE")
    ]
    found.append(("kakutei_period_frozen_no_update", "UPDATE", "ledger_app_period", "OLD.state = 'frozen'"))
    found.append(("kakutei_period_no_delete", "DELETE", "ledger_app_period", ""))
    # A second period over the days of a frozen one would let entries in.
    found.append(("kakutei_period_no_overlap_insert", "INSERT", "ledger_app_period", OVERLAPS))
    found.append(("kakutei_period_no_overlap_update", "UPDATE", "ledger_app_period", f"{OVERLAPS[:-1]} AND other.id <> OLD.id)"))
    return found


def create(_apps: Any, schema_editor: Any) -> None:
    """Create every trigger."""
    vendor = schema_editor.connection.vendor
    for name, event, table, condition in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(vendor, name, event, table, condition))
    schema_editor.execute("DROP TRIGGER IF EXISTS kakutei_entry_in_open_period")
    schema_editor.execute(ENTRY_IN_OPEN_PERIOD[vendor].strip())


def statement(vendor: str, name: str, event: str, table: str, condition: str) -> str:
    """Return the SQL of a trigger that refuses ``event`` on rows of ``table`` for which ``condition`` holds (empty: on all)."""
    refuse = REFUSE[vendor].format(message=f"kakutei: {table} refuses this {event}")
    if vendor == "sqlite":
        when = f"WHEN {condition} " if condition else ""
        return f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {when}BEGIN {refuse}; END"
    body = f"IF {condition} THEN {refuse}; END IF" if condition else refuse
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW BEGIN {body}; END"


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    for name in [name for name, *_ in refusals()] + ["kakutei_entry_in_open_period"]:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    """Creates the ledger's triggers."""

    atomic = False
    dependencies = [("ledger_app", "0001_initial")]
    operations = [migrations.RunPython(create, drop, atomic=False)]
