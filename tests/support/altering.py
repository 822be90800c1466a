"""Alters rows past the triggers, as an administrator of the database could, and puts the triggers back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from ledger_app.verification import queries as schema

OF_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND ({where})"
OF_MARIADB = """
    SELECT trigger_name,
           CONCAT('CREATE TRIGGER ', trigger_name, ' ', action_timing, ' ', event_manipulation, ' ON ', event_object_table,
                  ' FOR EACH ROW ', action_statement)
      FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND ({where})
"""
# MySQL cannot be told to ask no check: each is switched off by itself, and asked of every row when it is switched on again.
CHECKS_OF_MYSQL = "SELECT constraint_name FROM information_schema.table_constraints WHERE constraint_schema = DATABASE() AND table_name = %s AND constraint_type = 'CHECK'"


@contextmanager
def unguarded(name: str = "", *, table: str = "") -> Iterator[Any]:
    """Yield a cursor while one trigger, or all of a table, is dropped, and no check and no foreign key is asked; make them again afterwards."""
    is_sqlite = connection.vendor == "sqlite"
    column = "name" if is_sqlite else "trigger_name"
    of_table = "tbl_name" if is_sqlite else "event_object_table"
    with connection.cursor() as cursor:
        sql = (OF_SQLITE if is_sqlite else OF_MARIADB).format(where=f"{column} = %s OR {of_table} = %s")
        cursor.execute(sql, [name, table])
        triggers = list(cursor.fetchall())
        for each, _statement in triggers:
            cursor.execute(f"DROP TRIGGER {each}")
        switched = switches(cursor, table)
        for off, _on in switched:
            cursor.execute(off)
        try:
            yield cursor
        finally:
            for _off, on in switched:
                cursor.execute(on)
            for _name, statement in triggers:
                cursor.execute(statement)


def switches(cursor: Any, table: str) -> list[tuple[str, str]]:
    """Return the statements (off, on) that have checks and foreign keys not asked, and asked again."""
    if connection.vendor == "sqlite":
        return [
            ("PRAGMA ignore_check_constraints = 1", "PRAGMA ignore_check_constraints = 0"),
            ("PRAGMA foreign_keys = 0", "PRAGMA foreign_keys = 1"),
        ]
    keys = ("SET foreign_key_checks = 0", "SET foreign_key_checks = 1")
    if schema.engine() == "mariadb":
        return [("SET check_constraint_checks = 0", "SET check_constraint_checks = 1"), keys]
    cursor.execute(CHECKS_OF_MYSQL, [table])
    changes = [f"ALTER CHECK `{name}` {{}}" for (name,) in cursor.fetchall()]
    alter = f"ALTER TABLE `{table}` {', '.join(changes)}"
    checks = [(alter.replace("{}", "NOT ENFORCED"), alter.replace("{}", "ENFORCED"))] if changes else []
    return [*checks, keys]
