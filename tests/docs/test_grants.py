"""The grants of the runbook: they name every table that the application writes, and let nothing be altered that must stand."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import MySQLdb
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.utils import ConnectionHandler

from ledger_app.base import proofs
from ledger_app.models import ErasedPart
from ledger_app.verification import queries as schema
from ledger_app.verification.proofs import ledger as ledger_proofs
from tests.support import every_table, samples

RUNBOOK = Path(settings.BASE_DIR) / "docs" / "runbooks" / "production-on-mariadb.md"
GRANT = re.compile(r"^GRANT ([A-Z, ]+) ON kakutei\.(\w+) TO kakutei@localhost;$", re.MULTILINE)
# What MySQL asks of who locks rows.
LOCKS = re.compile(r"^GRANT (LOCK TABLES) ON kakutei\.\* TO kakutei@localhost;$", re.MULTILINE)
COLUMN = re.compile(r"^GRANT (UPDATE \((\w+)\)) ON kakutei\.(\w+) TO kakutei@localhost;$", re.MULTILINE)
# Users are of the whole server, which processes of tests share.
USER, PASSWORD = f"kakutei_grants_{os.getpid()}", "made-up-for-this-test"
# Written by migrate alone.
OF_MIGRATE = {"django_content_type", "django_migrations", "auth_permission", "auth_group", "auth_group_permissions"}
# What django-axes brings and is told not to write.
OF_NOBODY = {"axes_accesslog", "axes_accessfailurelog"}
# Written by triggers alone, with the rights of the person who made them.
OF_TRIGGERS = {"ledger_app_trace"}
NEVER_CHANGED = (
    "ledger_app_posting",
    "ledger_app_entry",
    "ledger_app_line",
    "ledger_app_seal",
    "ledger_app_auditrow",
    "ledger_app_adjustmentdecision",
    "ledger_app_attachment",
    "ledger_app_lot",
    "ledger_app_lotuse",
    "ledger_app_holdlot",
    "ledger_app_link",
    "ledger_app_postingdigest",
    "ledger_app_sealcover",
    "ledger_app_verification",
    "ledger_app_submission",
    "ledger_app_historicaladjustment",
    "ledger_app_historicalaccount",
    "ingestion_app_historicalbatch",
    "ingestion_app_file",
    "ingestion_app_receipt",
    "ingestion_app_sourceversion",
    "ingestion_app_acknowledgement",
)
NEVER_DELETED = (
    "ledger_app_adjustment",
    "ledger_app_balance",
    "ledger_app_period",
    "ledger_app_account",
    "ingestion_app_batch",
    "ledger_app_user",
)


def granted() -> dict[str, set[str]]:
    """Return the rights by table."""
    return {table: set(rights.split(", ")) for rights, table in GRANT.findall(RUNBOOK.read_text(encoding="utf-8"))}


def column_of(table: str) -> str:
    """Return the key of a table."""
    (model,) = [each for each in apps.get_models() if each._meta.db_table == table and not each._meta.proxy]
    assert model._meta.pk is not None
    return str(model._meta.pk.column)


def test_every_table_is_granted_and_no_other():
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    assert set(granted()) == tables - OF_MIGRATE - OF_TRIGGERS - OF_NOBODY


def test_what_is_written_once_can_only_be_inserted():
    rights = granted()
    assert {table: rights[table] for table in NEVER_CHANGED} == {table: {"INSERT"} for table in NEVER_CHANGED}
    assert {table for table in NEVER_DELETED if "DELETE" in rights[table]} == set()


def grant(right: str, on: str) -> None:
    """Give the user a right."""
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT {right} ON `{connection.settings_dict['NAME']}`.{on} TO {USER}@'%'")


@pytest.fixture
def reader(transactional_db: None) -> Iterator["MySQLdb.Connection"]:
    """Yield a connection of a user that can read everything, and nothing else."""
    database = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
        try:
            grant("SELECT", "*")
            opened = MySQLdb.connect(
                host=connection.settings_dict["HOST"],
                port=int(connection.settings_dict["PORT"]),
                user=USER,
                password=PASSWORD,
                database=database,
            )
            yield opened
            opened.close()
        finally:
            # By a cursor of its own: a test may have closed the connection of the other.
            with connection.cursor() as last:
                last.execute(f"DROP USER {USER}@'%'")


@pytest.fixture
def runtime(reader: "MySQLdb.Connection") -> "MySQLdb.Connection":
    """The connection of a user that has what the runbook grants, and nothing else."""
    for table, rights in granted().items():
        grant(", ".join(sorted(rights)), table)
    if schema.engine() == "mysql":
        (right,) = LOCKS.findall(RUNBOOK.read_text(encoding="utf-8"))
        grant(right, "*")
        # A right over a whole database holds from the next time on that it is chosen.
        reader.select_db(connection.settings_dict["NAME"])
    return reader


@pytest.mark.mariadb
def test_the_right_to_change_one_column_is_enough_to_lock_rows_and_changes_none(reader):
    """MySQL asks for it; MariaDB lets anyone who reads lock."""
    ledger = samples.open_ledger(samples.machine_caller())
    ledger.sell("r-1", 100)
    ((right, column, table),) = COLUMN.findall(RUNBOOK.read_text(encoding="utf-8"))
    cursor = reader.cursor()
    lock = f"SELECT {column} FROM {table} FOR UPDATE"
    if schema.engine() == "mysql":
        with pytest.raises(MySQLdb.OperationalError) as refused:
            cursor.execute(lock)
        assert refused.value.args[0] == 1142
    grant(right, table)
    assert cursor.execute(lock) == 1
    (model,) = [each for each in apps.get_models() if each._meta.db_table == table]
    for other in {field.column for field in model._meta.concrete_fields} - {column}:
        with pytest.raises(MySQLdb.OperationalError, match="denied") as refused:
            cursor.execute(f"UPDATE {table} SET {other} = NULL")
        assert refused.value.args[0] == 1143
    with pytest.raises(MySQLdb.Error) as refused:
        cursor.execute(f"UPDATE {table} SET {column} = {column} + 1")
    assert refused.value.args[0] == 1644
    reader.rollback()


@pytest.mark.mariadb
def test_the_runtime_user_can_read_and_lock_but_not_alter_what_must_stand(runtime):
    cursor = runtime.cursor()
    for table in sorted(granted()):
        cursor.execute(f"SELECT 1 FROM {table} LIMIT 1 FOR UPDATE")
    runtime.rollback()
    attempts = [f"DELETE FROM {table}" for table in (*NEVER_CHANGED, *NEVER_DELETED)]
    attempts += [f"UPDATE {table} SET {column_of(table)} = {column_of(table)}" for table in NEVER_CHANGED]
    attempts += [f"INSERT INTO {table} SELECT * FROM {table}" for table in sorted(OF_TRIGGERS)]
    attempts += [f"DELETE FROM {table}" for table in sorted(OF_TRIGGERS)]
    attempts += [
        "TRUNCATE ledger_app_line",
        "REPLACE INTO ledger_app_line SELECT * FROM ledger_app_line",
        "DROP TABLE ledger_app_line",
        "ALTER TABLE ledger_app_line ADD extra INT",
        "DROP TRIGGER kakutei_line_no_update",
        # A trigger would read it in place of the table whose name it has.
        "CREATE TEMPORARY TABLE ledger_app_period (id INT)",
        "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 1)",
    ]
    for statement in attempts:
        with pytest.raises(MySQLdb.OperationalError, match="denied"):
            cursor.execute(statement)


@pytest.mark.mariadb
def test_what_the_runtime_user_writes_is_traced_with_the_rights_of_the_owner(runtime):
    cursor = runtime.cursor()
    cursor.execute("INSERT INTO ledger_app_book (code, name, unit, exponent, time_zone) VALUES ('B', 'B', 'points', 0, 'UTC')")
    runtime.commit()
    with connection.cursor() as owner:
        owner.execute("SELECT COUNT(*) FROM ledger_app_trace WHERE table_name = 'ledger_app_book'")
        assert owner.fetchone() == (1,)


@pytest.mark.mariadb
def test_the_runtime_user_can_do_everything_once(runtime, tmp_path):
    """Also what erases, which triggers do with the rights of their owner. Anyone who is left out of the grants is found here, and not by a user."""
    owner = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict |= {"USER": USER, "PASSWORD": PASSWORD}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_USER()")
            assert cursor.fetchone() == (f"{USER}@%",)
        world = every_table.build(tmp_path)
        scope = proofs.Scope([world.card, world.points])
        assert [breach for invariant in proofs.invariants() for breach in invariant.breaches(scope)] == []
        assert ErasedPart.objects.exists()
    finally:
        connection.close()
        connection.settings_dict |= owner


@pytest.mark.mariadb
def test_verify_says_what_the_runtime_user_is_not_shown_and_calls_none_of_it_missing(runtime, monkeypatch):
    """MariaDB tells it of the triggers of the tables that it writes, and not what they do; MySQL tells it of none."""
    named = "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    cursor = runtime.cursor()
    cursor.execute(named)
    assert ("kakutei_line_no_update" in {name for (name,) in cursor.fetchall()}) is (schema.engine() == "mariadb")
    assert schema.unseen() == ""
    settings_of_it = {**connection.settings_dict, "USER": USER, "PASSWORD": PASSWORD}
    handler = ConnectionHandler({"default": settings_of_it})
    for module in (schema, proofs):
        monkeypatch.setattr(module, "connection", handler["default"])
    try:
        assert "ask as its owner" in schema.unseen()
        line, trace = "kakutei_line_no_update", "kakutei_trace_no_update"
        assert schema.not_shown({line, trace}) == ({trace} if schema.engine() == "mariadb" else {line, trace})
        assert list(schema.differing()) == []
        assert list(ledger_proofs.entries_never_change(proofs.Scope([]))) == []
    finally:
        handler["default"].close()
