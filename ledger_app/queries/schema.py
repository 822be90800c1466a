"""What the database keeps, held against what the migrations make: triggers, constraints, unique keys and foreign keys."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django.utils.translation import gettext as _

from ledger_app.queries import traces

# By engine, each trigger and constraint with the digest of what it says; made from a fresh database by tests/ledger_app/queries/test_schema.py.
KEPT = Path(__file__).resolve().parent.parent / "schemas"

UNSEEN = "unseen"

TRIGGERS_OF_MARIADB = """
    SELECT trigger_name, action_timing, event_manipulation, event_object_table, action_statement
      FROM information_schema.triggers WHERE trigger_schema = DATABASE()
"""
CHECKS_OF_MARIADB = """
    SELECT table_name, constraint_name, check_clause
      FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
"""
KEYS_OF_MARIADB = """
    SELECT CONCAT(table_name, ' key ', GROUP_CONCAT(column_name ORDER BY seq_in_index)), 'unique'
      FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0
     GROUP BY table_name, index_name
"""
REFERENCES_OF_MARIADB = """
    SELECT usages.table_name, usages.column_name, usages.referenced_table_name, usages.referenced_column_name, rules.delete_rule
      FROM information_schema.key_column_usage AS usages
      JOIN information_schema.referential_constraints AS rules
        ON rules.constraint_schema = usages.constraint_schema AND rules.constraint_name = usages.constraint_name
       AND rules.table_name = usages.table_name
     WHERE usages.constraint_schema = DATABASE() AND usages.referenced_table_name IS NOT NULL
"""


def differing() -> Iterator[str]:
    """Yield the name of each trigger or constraint that is missing, is another one than it should be, or should not be there."""
    path = KEPT / f"{engine()}.json"
    if not path.exists():
        return
    wanted: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    found = installed()
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name) and not (name in wanted and found.get(name) == UNSEEN):
            yield name


def unseen() -> str:
    """Say what this user of the database may not see: on MariaDB, what triggers do is shown to those alone who may make them."""
    if not (KEPT / f"{engine()}.json").exists():
        return _("nothing is kept of what the migrations make on {engine}").format(engine=engine())
    return (
        _("what triggers do is not shown to this user of the database; ask as its owner")
        if UNSEEN in installed().values()
        else ""
    )


def engine() -> str:
    """Return which database this is: ``sqlite``, ``mariadb`` or ``mysql``."""
    return "mariadb" if getattr(connection, "mysql_is_mariadb", False) else connection.vendor


def installed() -> dict[str, str]:
    """Return the digest of what each trigger and constraint of the kept tables says, by name."""
    said = dict(_said_by_sqlite() if connection.vendor == "sqlite" else _said_by_mariadb())
    return {
        name: hashlib.sha256(text.encode()).hexdigest()[:16] if text is not None else UNSEEN
        for name, text in sorted(said.items())
    }


def _tables() -> set[str]:
    return {model._meta.db_table for model in traces.models_kept()}  # noqa: SLF001 - the documented interface of models


def _said_by_sqlite() -> Iterator[tuple[str, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = cursor.fetchall()
    kept = _tables()
    for kind, name, table, sql in rows:
        # Only what refuses something: an index that is missing makes nothing wrong.
        if table in kept and (kind in {"trigger", "table"} or sql.startswith("CREATE UNIQUE")):
            yield f"{kind} {name}", sql


def _said_by_mariadb() -> Iterator[tuple[str, str | None]]:
    kept = _tables()
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS_OF_MARIADB)
        for name, timing, event, table, body in cursor.fetchall():
            if table in kept:
                yield f"trigger {name}", f"{timing} {event} {table} {body}" if body is not None else None
        cursor.execute(CHECKS_OF_MARIADB)
        for table, name, clause in cursor.fetchall():
            if table in kept:
                yield f"check {table} {name}", re.sub(r"[`\s()]", "", clause.lower())
        cursor.execute(KEYS_OF_MARIADB)
        for name, text in cursor.fetchall():
            if name.partition(" ")[0] in kept:
                yield name, text
        cursor.execute(REFERENCES_OF_MARIADB)
        for table, column, to_table, to_column, rule in cursor.fetchall():
            if table in kept:
                yield f"reference {table}.{column}", f"{to_table}.{to_column} {rule}"
