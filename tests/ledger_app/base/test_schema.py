"""What the database keeps is what the migrations make, to the letter."""

import json
import os
from importlib import import_module

import pytest
from django.db import connection, models

from ledger_app.traces.queries import traces
from ledger_app.verification import queries as schema
from tests.support.altering import unguarded

pytestmark = pytest.mark.django_db


def test_the_kept_digests_are_those_of_a_fresh_database():
    """Anyone who changes a table, a constraint or a trigger has them written anew: KAKUTEI_KEEP_SCHEMA=1 pytest this file, on each database."""
    path = schema.KEPT / f"{schema.engine()}.json"
    if os.environ.get("KAKUTEI_KEEP_SCHEMA"):
        path.write_text(json.dumps(schema.installed(), indent=0) + "\n", encoding="utf-8")
    assert schema.installed() == json.loads(path.read_text(encoding="utf-8"))
    assert list(schema.differing()) == []


def test_what_is_kept_for_mysql_was_made_from_the_same_migrations_as_what_is_kept_for_mariadb():
    """The two say triggers and unique keys alike, and so tell of each other when one was not made anew."""
    mariadb, mysql = (json.loads((schema.KEPT / f"{name}.json").read_text(encoding="utf-8")) for name in ("mariadb", "mysql"))
    alike = [
        {name: said for name, said in kept.items() if name.startswith("trigger ") or " key " in name} for kept in (mariadb, mysql)
    ]
    assert alike[0] == alike[1]
    references = [{name for name in kept if name.startswith("reference ")} for kept in (mariadb, mysql)]
    assert references[0] == references[1]
    # Those without a name of their own are of one column, and called otherwise by each.
    checks = {name for name in mysql if name.startswith("check ") and "_chk_" not in name}
    assert checks == {
        f"check {model._meta.db_table} {each.name}"
        for model in traces.models_kept()
        for each in model._meta.constraints
        if isinstance(each, models.CheckConstraint)
    }
    assert checks <= mariadb.keys()


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


@pytest.mark.django_db(transaction=True)
def test_a_constraint_that_is_kept_and_not_asked_is_named():
    if schema.engine() != "mysql":
        pytest.skip("MySQL alone keeps constraints that it does not ask")
    table = "ledger_app_book"
    with unguarded(table=table):
        found = list(schema.differing())
    assert f"check {table} book_exponent_small" in found
    assert list(schema.differing()) == []


@pytest.mark.django_db(transaction=True)
def test_triggers_that_are_away_are_put_back_as_the_runbook_says():
    migrations = [import_module(f"{app}.migrations.0002_triggers") for app in ("ledger_app", "ingestion_app")]
    with connection.schema_editor(atomic=False) as editor:
        for migration in migrations:
            migration.drop(None, editor)
        assert "trigger kakutei_entry_in_open_period" in set(schema.differing())
        for migration in migrations:
            migration.create(None, editor)
    assert list(schema.differing()) == []
