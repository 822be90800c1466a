"""What tests of the recomputations have: somebody who changes rows past every guard."""

import pytest
from django.db import connection

# Indexes that a statement names on MariaDB, and cannot do without.
NAMED = {
    "auditrow": "(INDEX audit_subject (subject_type, subject_id))",
    "event": "(INDEX event_subject (subject_type, subject_id))",
}


@pytest.fixture
def tamper(db):
    """Return a function that runs SQL on a copy of a table, which has its rows and its name, and none of its guards.

    A temporary table is found before the one whose name it bears, for this connection alone.
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

    yield run
    with connection.cursor() as cursor:
        for name in shadowed:
            cursor.execute(f"DROP TABLE temp.{name}" if connection.vendor == "sqlite" else f"DROP TEMPORARY TABLE {name}")
