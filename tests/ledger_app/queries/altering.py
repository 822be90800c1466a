"""Alters rows past the triggers, as an administrator of the database could, and puts the triggers back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

OF_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND ({where})"
OF_MARIADB = """
    SELECT trigger_name,
           CONCAT('CREATE TRIGGER ', trigger_name, ' ', action_timing, ' ', event_manipulation, ' ON ', event_object_table,
                  ' FOR EACH ROW ', action_statement)
      FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND ({where})
"""


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
        switches = (
            ("PRAGMA ignore_check_constraints = {0}", "PRAGMA foreign_keys = {1}")
            if is_sqlite
            else ("SET check_constraint_checks = {1}", "SET foreign_key_checks = {1}")
        )
        for switch in switches:
            cursor.execute(switch.format(1, 0))
        try:
            yield cursor
        finally:
            for switch in switches:
                cursor.execute(switch.format(0, 1))
            for _name, statement in triggers:
                cursor.execute(statement)
