"""What the database keeps is what the migrations make, to the letter."""

import json
import os

import pytest
from django.db import connection

from ledger_app.queries import schema
from tests.ledger_app.queries.altering import unguarded

pytestmark = pytest.mark.django_db


def test_the_kept_digests_are_those_of_a_fresh_database():
    """Whoever changes a table, a constraint or a trigger has them written anew: KAKUTEI_KEEP_SCHEMA=1 pytest this file, on both databases."""
    path = schema.KEPT / f"{schema.engine()}.json"
    if os.environ.get("KAKUTEI_KEEP_SCHEMA"):
        path.write_text(json.dumps(schema.installed(), indent=0) + "\n", encoding="utf-8")
    assert schema.installed() == json.loads(path.read_text(encoding="utf-8"))
    assert list(schema.differing()) == []


@pytest.mark.django_db(transaction=True)
def test_a_trigger_of_the_right_name_that_does_nothing_is_named():
    name, table = "kakutei_line_no_update", "ledger_app_line"
    body = "BEGIN SELECT 1; END" if connection.vendor == "sqlite" else "BEGIN DECLARE nothing INT; END"
    with unguarded(name) as cursor:
        cursor.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW {body}")
        found = list(schema.differing())
        cursor.execute(f"DROP TRIGGER {name}")
    assert found == [f"trigger {name}"]
    assert list(schema.differing()) == []
