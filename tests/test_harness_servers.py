"""The private servers: durable, brought back after a kill, pass on exit statuses, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import MySQLdb
import pytest

from tests import mariadb, mysql, servers

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "tests.mariadb"]

pytestmark = [pytest.mark.serial]


@pytest.fixture(autouse=True)
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the servers a folder that the test can look into afterwards; its path is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="kt") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(params=["MariaDB", "MySQL"])
def engine(request: pytest.FixtureRequest) -> servers.Engine:
    """Each kind of server in turn; MySQL where this machine has it, for a test downloads nothing."""
    if request.param == "MariaDB":
        return mariadb.ENGINE
    if mysql.here() is None:
        pytest.skip("MySQL is not here: bash .ci/get-mysql .venv/.mysql")
    return mysql.ENGINE


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def wait_until_gone(pid: int, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while (is_running(pid) or any(folder.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
    assert list(folder.iterdir()) == []


def read_one(server: servers.Server, statement: str) -> object:
    connection = server.connect()
    try:
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchone()[0]
    finally:
        connection.close()


def test_the_server_is_durable_comes_back_after_a_kill_and_leaves_nothing(engine: servers.Engine, short_folder: Path) -> None:
    with servers.private_server(engine) as server:
        assert (engine.name == "MariaDB") == ("MariaDB" in str(read_one(server, "SELECT VERSION()")))
        assert read_one(server, "SELECT @@sync_binlog") == 1
        assert read_one(server, "SELECT @@innodb_flush_log_at_trx_commit") == 1
        assert read_one(server, "SELECT @@collation_database") == "utf8mb4_bin"
        connection = server.connect()
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE kept (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO kept VALUES (7)")
        connection.commit()
        killed, port = server.pid, server.port
        server.kill9()
        assert not is_running(killed)
        with pytest.raises(MySQLdb.OperationalError):
            server.connect()
        server.restart()
        assert server.port == port
        assert read_one(server, "SELECT id FROM kept") == 7
        server.restart()
        assert read_one(server, "SELECT id FROM kept") == 7
        last = server.pid
    wait_until_gone(last, short_folder)


def test_only_its_own_user_is_let_in(engine: servers.Engine) -> None:
    with servers.private_server(engine) as server, pytest.raises(MySQLdb.OperationalError):
        MySQLdb.connect(host="127.0.0.1", port=server.port, user="root")


def test_a_command_runs_with_the_url_and_its_exit_status_is_passed_on(short_folder: Path) -> None:
    script = "import os, sys; print(os.environ['DATABASE_URL']); sys.exit(3)"
    outcome = subprocess.run([*COMMAND, "--quiet", "--", sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert outcome.returncode == 3
    assert outcome.stdout.startswith("mysql://kakutei:")
    assert outcome.stderr == ""
    assert list(short_folder.iterdir()) == []


def test_a_command_that_does_not_exist_is_said_so(short_folder: Path) -> None:
    outcome = subprocess.run([*COMMAND, "--quiet", "--", "no-such-command"], cwd=ROOT, capture_output=True, text=True)
    assert outcome.returncode == 127
    assert "no-such-command" in outcome.stderr
    assert list(short_folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_or_killed_it_leaves_no_server_and_no_folder(number: signal.Signals, short_folder: Path) -> None:
    ready = "import time; print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [*COMMAND, "--", sys.executable, "-c", ready],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "ready\n"
    server_pid = int(process.stderr.readline().partition("process ")[2].partition(",")[0])
    assert is_running(server_pid)
    process.send_signal(number)
    status = process.wait(timeout=30)
    # After SIGKILL the command itself is left: it is the group's, and ends with it.
    if number == signal.SIGKILL:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    wait_until_gone(server_pid, short_folder)


def test_without_a_server_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    monkeypatch.setattr(mariadb, "APT_INSTALL", Path("/bin/false"))
    with (
        pytest.raises(servers.Unavailable, match="apt-get install -y --no-install-recommends mariadb-server"),
        servers.private_server(mariadb.ENGINE),
    ):
        pass


def script(folder: Path, name: str, text: str) -> Path:
    """Write a program that can be started."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_mysqld_that_is_that_of_mariadb_is_no_mysql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mysql, "UNPACKED", tmp_path / "unpacked")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    script(tmp_path, "mysqld", "echo 'mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu'")
    assert mysql.here() is None
    ours = script(tmp_path, "mysqld", "echo 'mysqld  Ver 9.7.4 for Linux'")
    assert mysql.here() == str(ours)


def test_where_mysql_cannot_be_unpacked_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the program itself, on a machine whose sources name no archive of Debian."""
    monkeypatch.setattr(mysql, "UNPACKED", tmp_path / "unpacked")
    monkeypatch.setattr(mysql, "here", lambda: None)
    script(tmp_path, "apt-get", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(servers.Unavailable) as refused:
        mysql.find()
    assert str(refused.value).startswith("MySQL cannot be had here: ")
    assert str(refused.value).count("\n") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["apt-get"]
