"""A real server is killed under what runs for ever: it waits, says so, and goes on when the server is back."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django_tasks_db.models import DBTaskResult

from tests import mariadb, servers
from tests.support import world as worlds

pytestmark = [pytest.mark.mariadb, pytest.mark.serial, pytest.mark.slow]

MANAGE = str(Path(settings.BASE_DIR) / "manage.py")
PATIENCE_SECONDS = 60


class Running:
    """A command that has no end, and what it has said."""

    def __init__(self, *arguments: str, url: str, folder: Path) -> None:
        self.said = folder / f"{arguments[0]}.txt"
        environment = {**worlds.environment(folder), "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
        with self.said.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, MANAGE, *arguments], stdout=output, stderr=output, env=environment)

    def has_said(self, text: str) -> bool:
        """Wait until it has said something; fail where it ended instead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if text in self.said.read_text():
                return True
            assert self.process.poll() is None, self.said.read_text()
            time.sleep(0.1)
        return False

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("outliving")
    with servers.private_server(mariadb.ENGINE, servers.in_memory()) as server:
        environment = {**worlds.environment(folder), "DATABASE_URL": server.url}
        subprocess.run([sys.executable, MANAGE, "migrate", "--verbosity", "0"], check=True, env=environment, timeout=240)
        yield server


def rows(server: servers.Server, sql: str) -> list[tuple[Any, ...]]:
    connection = server.connect()
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        return list(cursor.fetchall())
    finally:
        connection.close()


def until(server: servers.Server, sql: str) -> list[tuple[Any, ...]]:
    """Wait until a statement finds something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := rows(server, sql)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def queue_something(server: servers.Server, folder: Path) -> None:
    """Ask for the application of a batch that is not there: the worker takes it up and says that it failed."""
    code = "from ingestion_app import tasks; tasks.apply_batch.enqueue(batch_id=77, user_id=1)"
    environment = {**worlds.environment(folder), "DATABASE_URL": server.url}
    subprocess.run([sys.executable, MANAGE, "shell", "-c", code], check=True, env=environment, timeout=60, capture_output=True)


FAILED = f"SELECT id FROM {DBTaskResult._meta.db_table} WHERE status = 'FAILED'"
SEEN = "SELECT kind FROM ingestion_app_worker WHERE ended_at IS NULL AND seen_at > '{since}'"


def test_wake_and_the_worker_outlive_a_server_that_is_killed(server: servers.Server, tmp_path: Path) -> None:
    waker = Running("wake", "--every", "1", url=server.url, folder=tmp_path)
    worker = Running("db_worker", url=server.url, folder=tmp_path)
    try:
        kinds = until(
            server, "SELECT kind FROM ingestion_app_worker GROUP BY kind HAVING (SELECT COUNT(*) FROM ingestion_app_worker) = 2"
        )
        assert {kind for (kind,) in kinds} == {"worker", "waker"}
        server.kill9()
        assert waker.has_said("the database is away")
        assert worker.has_said("the database is away")
        server.restart()
        assert waker.has_said("the database is back")
        ((since,),) = rows(server, "SELECT NOW(6)")
        queue_something(server, tmp_path)
        assert until(server, FAILED), "the worker works again"
        assert {kind for (kind,) in until(server, f"{SEEN.format(since=since)} AND kind = 'worker'")} == {"worker"}
        assert {kind for (kind,) in until(server, f"{SEEN.format(since=since)} AND kind = 'waker'")} == {"waker"}
        assert (waker.process.poll(), worker.process.poll()) == (None, None)
        assert (waker.end(), worker.end()) == (0, 0)
        assert rows(server, "SELECT kind FROM ingestion_app_worker WHERE ended_at IS NULL") == []
    finally:
        for each in (waker, worker):
            each.process.kill()
            each.process.wait()


def test_what_begins_while_the_server_is_away_waits_for_it(server: servers.Server, tmp_path: Path) -> None:
    server.kill9()
    waker = Running("wake", "--every", "1", url=server.url, folder=tmp_path)
    worker = Running("db_worker", url=server.url, folder=tmp_path)
    try:
        assert waker.has_said("the database is away")
        assert worker.has_said("the database is away")
        server.restart()
        assert waker.has_said("the database is back")
        assert (waker.end(), worker.end()) == (0, 0)
    finally:
        for each in (waker, worker):
            each.process.kill()
            each.process.wait()
