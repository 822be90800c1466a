"""The tables that the migrations make, made once and copied for every run of the tests after it.

Migrating takes half a minute; a copy takes a second. A copy is kept beside the installed packages, by database and by the digest of all
that makes the tables: migrations, models, rights. Whoever changes one of these gets tables made anew.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from django.db.backends.base.base import BaseDatabaseWrapper

TOP = Path(__file__).resolve().parent.parent
KEPT = TOP / ".venv" / ".schemas"
MADE_BY = (
    *("*/migrations/*.py", "*/models/*.py", "ledger_app/rules/rights.py", "requirements.txt"),
    *("ledger_app/rules/traces.py", "ledger_app/queries/traces.py", "ledger_app/operations/traces.py"),
)


def digest() -> str:
    """Return the digest of what makes the tables."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in MADE_BY for path in TOP.glob(pattern)):
        found.update(str(path.relative_to(TOP)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def kept(database: BaseDatabaseWrapper) -> Path | None:
    """Return the path of the copy for this database, whether it is there or not; None for MySQL, whose own programs may be missing."""
    if database.vendor == "sqlite":
        return KEPT / f"{digest()}.sqlite3"
    return KEPT / f"{digest()}.sql" if getattr(database, "mysql_is_mariadb", False) else None


class Turn:
    """Whose turn it is to make the tables: of processes that begin at once one migrates, and the others wait for its copy."""

    def __init__(self) -> None:
        self._lock: IO[str] | None = None

    def take(self, copy: Path | None) -> None:
        """Wait until nobody makes ``copy``; where it is still missing then, everybody else waits until ``give``."""
        if copy is None or copy.exists():
            return
        KEPT.mkdir(parents=True, exist_ok=True)
        self._lock = (KEPT / f"{copy.name}.lock").open("w", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if copy.exists():
            self.give()

    def give(self) -> None:
        """Let the others go on."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


turn = Turn()


def lay_out(database: BaseDatabaseWrapper, name: str) -> bool:
    """Fill the test database ``name`` from the copy; False where there is none yet."""
    copy = kept(database)
    turn.take(copy)
    if copy is None or not copy.exists():
        return False
    if database.vendor == "sqlite":
        shutil.copyfile(copy, name)
        return True
    statements = f"DROP DATABASE IF EXISTS `{name}`; CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
    subprocess.run([*_client(database, "mariadb")], input=statements.encode(), check=True, capture_output=True)
    with copy.open("rb") as stream:
        subprocess.run([*_client(database, "mariadb"), name], stdin=stream, check=True, capture_output=True)
    return True


def copy_sqlite(path: str) -> None:
    """Write a database of SQLite with the tables in it, and no row but those of the migrations."""
    copy = KEPT / f"{digest()}.sqlite3"
    if copy.exists():
        shutil.copyfile(copy, path)
    else:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
        subprocess.run([sys.executable, str(TOP / "manage.py"), "migrate", "--verbosity", "0"], env=environment, check=True)


def keep(database: BaseDatabaseWrapper) -> None:
    """Keep a copy of the connected test database, which nothing but migrations have filled."""
    copy = kept(database)
    if copy is None or copy.exists():
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=KEPT)
    os.close(handle)
    if database.vendor == "sqlite":
        Path(path).unlink()
        with database.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [path])
    else:
        options = ["--routines", "--triggers", "--single-transaction", "--skip-dump-date", "--order-by-primary"]
        with Path(path).open("wb") as stream:
            name = database.settings_dict["NAME"]
            subprocess.run([*_client(database, "mariadb-dump"), *options, name], stdout=stream, check=True)
    # At once, as two runs may make it at the same time.
    Path(path).replace(copy)


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
