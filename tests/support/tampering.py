"""What tests of the recomputations have: somebody who changes rows past every guard."""

import pytest
from django.db import DatabaseError, connection

# Indexes that a statement names on MariaDB, and cannot do without.
NAMED = {
    "auditrow": "(INDEX audit_subject (subject_type, subject_id))",
    "event": "(INDEX event_subject (subject_type, subject_id))",
}


@pytest.fixture
def tamper(db):
    """Return a function that runs SQL on a copy of a table, which has its rows and its name, and none of its guards.

    A temporary table is found before the one whose name it bears, for this connection alone. MySQL reads none twice in a statement: what is asked so
    there is asked on the others alone.
    """
    shadowed = []

    def run(table, *statements):
        name = f"ledger_app_{table}"
        with connection.cursor() as cursor:
            if name not in shadowed:
                if connection.vendor == "sqlite":
                    cursor.execute(f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM main.{name}")
                else:
                    cursor.execute(f"CREATE TEMPORARY TABLE tampered_{table} AS SELECT * FROM {name}")
                    # In two steps, since no statement reads what it creates, and renaming would commit.
                    cursor.execute(f"CREATE TEMPORARY TABLE {name} {NAMED.get(table, '')} AS SELECT * FROM tampered_{table}")
                    cursor.execute(f"DROP TEMPORARY TABLE tampered_{table}")
                shadowed.append(name)
            for statement in statements:
                cursor.execute(statement)
                assert cursor.rowcount > 0, statement

    with connection.execute_wrapper(skipping_what_mysql_reads_once):
        yield run
    with connection.cursor() as cursor:
        for name in shadowed:
            cursor.execute(f"DROP TABLE temp.{name}" if connection.vendor == "sqlite" else f"DROP TEMPORARY TABLE {name}")


# Can't reopen table.
READ_ONCE = 1137


def skipping_what_mysql_reads_once(execute, sql, params, many, context):
    """Execute a statement; where it reads a temporary table twice, and the database is MySQL, skip the test."""
    try:
        return execute(sql, params, many, context)
    except DatabaseError as error:
        if connection.vendor == "mysql" and error.args[0] == READ_ONCE:
            pytest.skip("MySQL reads no temporary table twice in a statement")
        raise
