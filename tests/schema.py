"""The tables that the migrations make, made once and copied for every run of the tests after it: the template.

A template is named by what its tables are made of and by its own bytes. So one that is old, cut off or changed is never laid out: it is not
found, or it is removed and made anew. It lies beside the installed packages.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import django
from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

TOP = Path(__file__).resolve().parent.parent
KEPT = TOP / ".venv" / ".schemas"
UNUSED_SECONDS = 14 * 24 * 3600
DUMP = ("--routines", "--triggers", "--single-transaction", "--skip-dump-date", "--order-by-primary")


def key(database: BaseDatabaseWrapper) -> str:
    """Return the digest of all that makes the tables and their first rows: anyone who changes one of these gets another template.

    These are the migrations of every application, what is made after them from the models and the rights, and Django. On MariaDB the triggers
    are their maker's, and the dump is of a version.
    """
    from ledger_app.rights.operations import rights
    from ledger_app.rights.rules import rights as table_of_rights
    from ledger_app.traces import operations as traces

    found = hashlib.sha256(f"{django.get_version()} {database.vendor} {_engine(database)}".encode())
    migrations = (Path(config.path) / "migrations" for config in apps.get_app_configs())
    sources = [path for folder in migrations for path in sorted(folder.glob("*.py"))]
    sources += [Path(str(module.__file__)) for module in (rights, traces, table_of_rights)]
    for path in sources:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for made in (traces.guards(database.vendor), traces.triggers(database.vendor)):
        found.update(repr(sorted(made.items())).encode())
    return found.hexdigest()[:16]


def find(suffix: str, wanted: str) -> bytes | None:
    """Return the template of a key whole; None where there is none. One that is not what its name says is removed."""
    for path in KEPT.glob(f"{wanted}-*{suffix}"):
        # Another may just have removed it.
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
            if path.name == _name(wanted, content, suffix):
                os.utime(path)
                return content
            path.unlink()
    return None


def put(suffix: str, wanted: str, content: bytes) -> None:
    """Keep a template, and forget those that nobody has used for long."""
    KEPT.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=KEPT)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    # At once, as others may look for it.
    Path(path).replace(KEPT / _name(wanted, content, suffix))
    for old in KEPT.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if old.stat().st_mtime < time.time() - UNUSED_SECONDS:
                old.unlink()


def suffix_of(database: BaseDatabaseWrapper) -> str | None:
    """Return how templates for this database end; None for MySQL, whose own programs may be missing."""
    if database.vendor == "sqlite":
        return ".sqlite3"
    return ".sql" if getattr(database, "mysql_is_mariadb", False) else None


class Turn:
    """Whose turn it is to make the tables: of processes that begin at once one migrates, and the others wait for its template."""

    def __init__(self) -> None:
        self._lock: IO[str] | None = None

    def take(self, suffix: str, wanted: str) -> bytes | None:
        """Return the template, waiting until nobody makes it; where it is still missing then, everybody else waits until ``give``."""
        if (content := find(suffix, wanted)) is not None:
            return content
        KEPT.mkdir(parents=True, exist_ok=True)
        self._lock = (KEPT / f"{wanted}{suffix}.lock").open("w", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if (content := find(suffix, wanted)) is not None:
            self.give()
        return content

    def give(self) -> None:
        """Let the others go on."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


turn = Turn()


def lay_out(database: BaseDatabaseWrapper, name: str) -> bool:
    """Fill the test database ``name`` from the template; False where there is none yet."""
    suffix = suffix_of(database)
    content = turn.take(suffix, key(database)) if suffix is not None else None
    if content is None:
        return False
    if database.vendor == "sqlite":
        Path(name).write_bytes(content)
        return True
    statements = f"DROP DATABASE IF EXISTS `{name}`; CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
    subprocess.run([*_client(database, "mariadb")], input=statements.encode(), check=True, capture_output=True)
    subprocess.run([*_client(database, "mariadb"), name], input=content, check=True, capture_output=True)
    return True


def keep(database: BaseDatabaseWrapper) -> None:
    """Keep the connected test database, which nothing but migrations have filled, as the template."""
    suffix = suffix_of(database)
    if suffix is None or find(suffix, key(database)) is not None:
        return
    if database.vendor == "sqlite":
        with tempfile.TemporaryDirectory() as folder, database.cursor() as cursor:
            path = Path(folder) / "whole.sqlite3"
            cursor.execute("VACUUM INTO %s", [str(path)])
            content = path.read_bytes()
    else:
        name = database.settings_dict["NAME"]
        content = subprocess.run([*_client(database, "mariadb-dump"), *DUMP, name], capture_output=True, check=True).stdout
    put(suffix, key(database), content)


def copy_sqlite(path: str) -> None:
    """Write a database of SQLite with the tables in it, and no row but those of the migrations."""
    from django.db import connection

    content = find(".sqlite3", key(connection)) if connection.vendor == "sqlite" else None
    if content is not None:
        Path(path).write_bytes(content)
    else:
        migrate(f"sqlite:///{path}")


def migrate(url: str) -> None:
    """Make the tables of an empty database, by the command that makes them everywhere."""
    environment = {**os.environ, "DATABASE_URL": url}
    subprocess.run([sys.executable, str(TOP / "manage.py"), "migrate", "--verbosity", "0"], env=environment, check=True)


def _name(wanted: str, content: bytes, suffix: str) -> str:
    return f"{wanted}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"


def _engine(database: BaseDatabaseWrapper) -> str:
    """Return what a dump holds good for: the server's version and modes, and who makes the triggers."""
    if database.vendor == "sqlite":
        return ""
    settings = database.settings_dict
    return f"{database.mysql_server_data} {settings['USER']} {settings['HOST']}"  # type: ignore[attr-defined]


def _client(database: BaseDatabaseWrapper, program: str) -> list[str]:
    """Return the command line of a client program of MariaDB that connects as the tests do."""
    settings: dict[str, Any] = database.settings_dict
    return [
        program,
        "--no-defaults",
        f"--host={settings['HOST']}",
        f"--port={settings['PORT']}",
        f"--user={settings['USER']}",
        f"--password={settings['PASSWORD']}",
    ]
