"""The template that tests take their tables from: it is what the migrations make, and one that is not as it was kept is never used."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection
from django.db.utils import ConnectionHandler

from ledger_app.traces import operations as traces
from tests import schema

KEY = "0123456789abcdef"
TRIGGERS = (
    "SELECT event_object_table, action_timing, event_manipulation, action_order, trigger_name, action_statement, sql_mode, definer"
    " FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY trigger_name"
)
# What migrations write but the traces of it, which have the hour in them.
ROWS = (
    "SELECT app, name FROM django_migrations ORDER BY id",
    "SELECT id, app_label, model FROM django_content_type ORDER BY id",
    "SELECT id, content_type_id, codename, name FROM auth_permission ORDER BY id",
    "SELECT name, permission_id FROM auth_group JOIN auth_group_permissions ON group_id = auth_group.id ORDER BY name, permission_id",
    "SELECT id, username, is_active FROM ledger_app_user",
    "SELECT number, last_trace FROM ledger_app_link",
    "SELECT id, last_number FROM ledger_app_feed",
    "SELECT table_name, event, COUNT(*) FROM ledger_app_trace GROUP BY table_name, event ORDER BY table_name, event",
)


@pytest.fixture
def kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep templates in a folder of this test's own."""
    monkeypatch.setattr(schema, "KEPT", tmp_path / "schemas")
    return tmp_path / "schemas"


def described(database: Any) -> dict[str, Any]:
    """Return all that a database says of its tables and triggers, and what stands in them from the beginning."""
    with database.cursor() as cursor:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        if database.vendor == "sqlite":
            made = {f"{kind} {name}": sql for kind, name, sql in rows("SELECT type, name, sql FROM sqlite_master")}
        else:
            tables = database.introspection.table_names(cursor)
            made = {name: re.sub(r" AUTO_INCREMENT=\d+", "", rows(f"SHOW CREATE TABLE `{name}`")[0][1]) for name in tables}
            made |= {f"trigger {row[4]}": str(row) for row in rows(TRIGGERS)}
        return {**made, **{sql: rows(sql) for sql in ROWS}}


@contextmanager
def empty_database(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Have a database beside that of the tests; yield its name, which is a path on SQLite, and its address."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        yield str(folder / name), f"sqlite:///{folder / name}"
        return
    address = f"mysql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{name}"
    raw = connection.get_new_connection({**connection.get_connection_params(), "database": ""})
    try:
        raw.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        yield name, address
    finally:
        raw.cursor().execute(f"DROP DATABASE `{name}`")
        raw.close()


@pytest.mark.django_db
def test_migrating_from_zero_makes_what_the_template_has(tmp_path: Path) -> None:
    own = f"zero_{os.getpid()}"
    with empty_database(f"{own}_made", tmp_path) as made, empty_database(f"{own}_laid", tmp_path) as laid:
        schema.migrate(made[1])
        # MySQL has no template: its tests stand on what was migrated, as this is.
        has_template = schema.suffix_of(connection) is not None
        assert schema.lay_out(connection, laid[0]) is has_template
        found = {}
        for which, (name, _address) in {"made": made, "laid": laid}.items():
            if which == "made" or has_template:
                other = ConnectionHandler({"default": {**connection.settings_dict, "NAME": name}})["default"]
                found[which] = described(other)
                other.close()
    expected = found.get("laid", found["made"])
    assert found["made"].keys() == expected.keys()
    assert [name for name in found["made"] if found["made"][name] != expected[name]] == []
    assert len([name for name in found["made"] if name.startswith("trigger ")]) > 200


def test_what_was_kept_is_found_whole(kept_here: Path) -> None:
    schema.put(".sql", KEY, b"tables")
    assert schema.find(".sql", KEY) == b"tables"
    assert [schema.find(".sql", "another"), schema.find(".sqlite3", KEY)] == [None, None]


@pytest.mark.parametrize("content", [b"", b"tab", b"tables and more"])
def test_one_that_is_not_as_it_was_kept_is_removed(kept_here: Path, content: bytes) -> None:
    schema.put(".sql", KEY, b"tables")
    (path,) = kept_here.iterdir()
    path.write_bytes(content)
    assert schema.find(".sql", KEY) is None
    assert list(kept_here.iterdir()) == []


def test_one_that_nobody_used_for_long_is_forgotten(kept_here: Path) -> None:
    schema.put(".sql", KEY, b"tables")
    (path,) = kept_here.iterdir()
    os.utime(path, (0, 0))
    schema.put(".sql", "another", b"other tables")
    assert schema.find(".sql", KEY) is None
    assert schema.find(".sql", "another") == b"other tables"


def test_of_many_that_begin_at_once_one_makes_it(kept_here: Path) -> None:
    made, found = [], []
    begin = threading.Barrier(8, timeout=30)

    def run() -> None:
        turn = schema.Turn()
        begin.wait()
        content = turn.take(".sql", KEY)
        if content is None:
            made.append(1)
            schema.put(".sql", KEY, b"tables")
            turn.give()
        else:
            found.append(content)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (made, found) == ([1], [b"tables"] * 7)


@pytest.mark.django_db
def test_whatever_makes_the_tables_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [schema.key(connection)]
    assert schema.key(connection) == keys[0]
    read = Path.read_bytes
    for part in (
        "ledger_app/migrations/0001_initial.py",
        "traces/operations.py",
        "rules/rights.py",
        "axes/migrations/0001_initial.py",
    ):

        def changed(path: Path, part: str = part) -> bytes:
            return read(path) + (b"# changed" if str(path).endswith(part) else b"")

        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", changed)
            keys.append(schema.key(connection))
    for place, name in ((traces, "guards"), (traces, "triggers")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, lambda _vendor: {})
            keys.append(schema.key(connection))
    with monkeypatch.context() as patched:
        patched.setattr(django, "get_version", lambda: "another")
        keys.append(schema.key(connection))
    assert len(set(keys)) == len(keys)
