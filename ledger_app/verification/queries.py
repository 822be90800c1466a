"""What the database keeps, compared with what the migrations make: triggers, constraints, unique keys and foreign keys."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path

from django.db import connection

from ledger_app.errors.sentences import say as _
from ledger_app.traces.queries import traces

# By engine, each trigger and constraint with the digest of what it says; made from a fresh database by tests/ledger_app/base/test_schema.py.
KEPT = Path(__file__).resolve().parents[1] / "schemas"

UNSEEN = "unseen"

TRIGGERS_OF_MARIADB = """
    SELECT trigger_name, action_timing, event_manipulation, event_object_table, action_statement
      FROM information_schema.triggers WHERE trigger_schema = DATABASE()
"""
CHECKS_OF_MARIADB = """
    SELECT table_name, constraint_name, check_clause
      FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
"""
# A constraint that is not enforced refuses nothing, and keeps its name and its words.
CHECKS_OF_MYSQL = """
    SELECT kept.table_name, kept.constraint_name, CONCAT(said.check_clause, IF(kept.enforced = 'YES', '', ' not enforced'))
      FROM information_schema.table_constraints AS kept
      JOIN information_schema.check_constraints AS said
        ON said.constraint_schema = kept.constraint_schema AND said.constraint_name = kept.constraint_name
     WHERE kept.constraint_schema = DATABASE() AND kept.constraint_type = 'CHECK'
"""
KEYS_OF_MARIADB = """
    SELECT CONCAT(table_name, ' key ', GROUP_CONCAT(column_name ORDER BY seq_in_index)), 'unique'
      FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0
     GROUP BY table_name, index_name
"""
# MariaDB tells what a foreign key does when its row goes to those alone who may alter the table.
REFERENCES_OF_MARIADB = """
    SELECT usages.table_name, usages.column_name, usages.referenced_table_name, usages.referenced_column_name, rules.delete_rule
      FROM information_schema.key_column_usage AS usages
      LEFT JOIN information_schema.referential_constraints AS rules
        ON rules.constraint_schema = usages.constraint_schema AND rules.constraint_name = usages.constraint_name
       AND rules.table_name = usages.table_name
     WHERE usages.constraint_schema = DATABASE() AND usages.referenced_table_name IS NOT NULL
"""
# A table of another engine undoes nothing; another collation takes capitals for small letters.
ENGINES_OF_MARIADB = """
    SELECT table_name, engine FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'
"""
COLLATIONS_OF_MARIADB = """
    SELECT table_name, column_name, collation_name FROM information_schema.columns
     WHERE table_schema = DATABASE() AND collation_name NOT LIKE '%\\_bin'
"""
# Who may make triggers is shown what they do; from others MariaDB keeps that, and MySQL that there are any.
SHOWN = """
    SELECT EXISTS (SELECT 1 FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND action_statement IS NOT NULL)
        OR EXISTS (SELECT 1 FROM information_schema.schema_privileges
                    WHERE grantee = %s AND privilege_type = 'TRIGGER' AND DATABASE() LIKE table_schema)
        OR EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE grantee = %s AND privilege_type = 'TRIGGER')
"""
WRITTEN_BY_THIS_USER = "SELECT table_name FROM information_schema.table_privileges WHERE grantee = %s AND table_schema = DATABASE() AND privilege_type <> 'SELECT'"


def differing() -> Iterator[str]:
    """Yield the name of each trigger or constraint that is missing, is another one than it should be, or should not be there."""
    path = KEPT / f"{engine()}.json"
    if not path.exists():
        return
    wanted: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    found = installed()
    absent = {name.removeprefix("trigger ") for name in wanted.keys() - found.keys() if name.startswith("trigger ")}
    found |= {f"trigger {name}": UNSEEN for name in not_shown(absent)}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name) and not (name in wanted and found.get(name) == UNSEEN):
            yield name


def unseen() -> str:
    """Say what this user of the database may not see: what triggers do is shown to those alone who may make them."""
    if not (KEPT / f"{engine()}.json").exists():
        return _("nothing is kept of what the migrations make on {engine}").format(engine=engine())
    if triggers_are_shown():
        return ""
    return _("what triggers do is not shown to this user of the database; ask as its owner")


def not_shown(names: Collection[str]) -> set[str]:
    """Return those of the triggers' names that this user of the database would not be told of if they were there.

    Without the right to make triggers, MySQL tells of none, and MariaDB of those of the tables that the user writes.
    """
    if not names or triggers_are_shown():
        return set()
    if engine() == "mysql":
        return set(names)
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_BY_THIS_USER, [_this_user()])
        silent = {*_tables(), "ledger_app_trace"} - {table for (table,) in cursor.fetchall()}
    begins = [begin for table in silent for begin in (f"kakutei_trace_{table}_", f"kakutei_{table.partition('_app_')[2]}_no_")]
    return {name for name in names if name.startswith(tuple(begins))}


def triggers_are_shown() -> bool:
    """Whether this user of the database is shown every trigger, and what it does."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute(SHOWN, [_this_user()] * 2)
        return bool(cursor.fetchone()[0])


def _this_user() -> str:
    """Return the user of the connection as the tables of rights name it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        user, _at, host = cursor.fetchone()[0].rpartition("@")
    return f"'{user}'@'{host}'"


def engine() -> str:
    """Return which database this is: ``sqlite``, ``mariadb`` or ``mysql``."""
    return "mariadb" if getattr(connection, "mysql_is_mariadb", False) else connection.vendor


def installed() -> dict[str, str]:
    """Return the digest of what each trigger and constraint of the kept tables says, by name."""
    said = dict(_said_by_sqlite() if connection.vendor == "sqlite" else chain(_said_by_mariadb(), _storage_of_mariadb()))
    return {
        name: hashlib.sha256(text.encode()).hexdigest() if text is not None else UNSEEN for name, text in sorted(said.items())
    }


def _tables() -> set[str]:
    return {model._meta.db_table for model in traces.models_kept()}  # noqa: SLF001 - the documented interface of models


def _said_by_sqlite() -> Iterator[tuple[str, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = cursor.fetchall()
    kept = _tables()
    for kind, name, table, sql in rows:
        # Only what refuses something, or writes: an index that is missing makes nothing wrong. A trigger of any table may write into any other.
        if kind == "trigger" or (table in kept and (kind == "table" or sql.startswith("CREATE UNIQUE"))):
            yield f"{kind} {name}", sql


def _said_by_mariadb() -> Iterator[tuple[str, str | None]]:
    kept = _tables()
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS_OF_MARIADB)
        # Of whichever table: a trigger may write into any other.
        for name, timing, event, table, body in cursor.fetchall():
            yield f"trigger {name}", f"{timing} {event} {table} {body}" if body is not None else None
        cursor.execute(CHECKS_OF_MARIADB if engine() == "mariadb" else CHECKS_OF_MYSQL)
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
                yield f"reference {table}.{column}", f"{to_table}.{to_column} {rule}" if rule is not None else None


def _storage_of_mariadb() -> Iterator[tuple[str, str]]:
    """Yield what of the kept tables undoes nothing, or compares otherwise than by bytes: nothing where all is right."""
    kept = _tables()
    with connection.cursor() as cursor:
        cursor.execute(ENGINES_OF_MARIADB)
        yield from ((f"engine of {table}", name) for table, name in cursor.fetchall() if table in kept)
        cursor.execute(COLLATIONS_OF_MARIADB)
        yield from ((f"collation of {table}.{column}", name) for table, column, name in cursor.fetchall() if table in kept)
