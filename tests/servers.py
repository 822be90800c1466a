"""A private database server for tests and benches: durable, on a free port, in a temporary folder, gone when its starter is.

What MariaDB and MySQL have in common; how each is found, installed and started is in ``tests/mariadb.py`` and ``tests/mysql.py``.
From Python, :func:`private_server`. From a shell, ``python -m tests.mariadb [--quiet] -- COMMAND ARGUMENT...`` and
``python -m tests.mysql`` run a command with ``DATABASE_URL`` set and pass on its exit status.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import MySQLdb

DATABASE = "kakutei"
USER = "kakutei"
START_SECONDS = 60
STOP_SECONDS = 60
START_ATTEMPTS = 3
# What a test run's databases come to, with room to spare.
MEMORY_BYTES = 6 << 30

# Reads until its starter is gone, however that died, then ends the server and removes the folder.
WATCH = 'read -r _; kill -TERM "$1" 2>/dev/null; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"'


class Unavailable(Exception):
    """A private server cannot be had on this machine; the message says what to do."""


@dataclass(frozen=True)
class Engine:
    """A kind of server: how it is found on this machine, and what is its own in the way it is set up and started."""

    name: str
    # Returns the path of the server's program; raises Unavailable where it cannot be had.
    find: Callable[[], str]
    # What fills the data folder, a program of its own or the server's with these options.
    installer: str | None
    installer_options: Sequence[str]
    options: Sequence[str]
    # Takes away the users that the installer made: no root without a password listens on a port.
    no_other_user: Sequence[str]


class Server:
    """One private server. Made by :func:`private_server`; its data outlive :meth:`kill9` and :meth:`restart`."""

    def __init__(self, engine: Engine, *, home: Path, program: str) -> None:
        self.engine = engine
        self.home = home
        self.datadir = home / "data"
        self.socket = home / "s"
        self.log = home / "error.log"
        self.password = secrets.token_hex(16)
        self.port = _free_port()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value for ``DATABASE_URL``."""
        return f"mysql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def pid(self) -> int:
        """The process id of the running server.

        :raises RuntimeError: when it is not running.
        """
        if self._process is None:
            raise RuntimeError(f"The private {self.engine.name} is not running.")
        return self._process.pid

    def start(self) -> None:
        """Start the server on its data and return when it answers.

        :raises Unavailable: when it does not come up; the message ends with its log.
        """
        if self._process is not None:
            raise RuntimeError(f"The private {self.engine.name} is already running.")
        # A session of its own: Ctrl-C is for the tests, which still need the server to end well.
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, *self._options()], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "watch", str(self.pid), str(self.home)], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill9()
            raise

    def stop(self) -> None:
        """End the server in order, by its process id. Nothing happens when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def kill9(self) -> None:
        """Kill the server as a crash would. :meth:`restart` brings it back on the same port with what was committed."""
        if self._process is None:
            return
        self._process.kill()
        self._forget()

    def restart(self) -> None:
        """Start the server again on the same port and data, ending it in order first when it runs."""
        self.stop()
        self.start()

    def connect(self) -> "MySQLdb.Connection":
        """Return a new raw connection to the server's database."""
        return MySQLdb.connect(host="127.0.0.1", port=self.port, user=USER, password=self.password, database=DATABASE)

    def _forget(self) -> None:
        """Reap the server's process, then the watcher that would have ended it."""
        if self._process is not None:
            self._process.wait()
            self._process = None
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            # Its socket, and not its port, which another program may have taken between our look and its start.
            with contextlib.suppress(MySQLdb.OperationalError):
                MySQLdb.connect(unix_socket=str(self.socket), user=USER, password=self.password).close()
                return
            time.sleep(0.05)
        last_lines = self.log.read_text(errors="replace").splitlines()[-20:] if self.log.exists() else []
        raise Unavailable(f"The private {self.engine.name} did not start.\n" + "\n".join(last_lines))

    def _options(self) -> list[str]:
        """Return the options: durable at every commit, and as roomy as a small production server."""
        return [
            *self._basic_options(),
            f"--socket={self.socket}",
            f"--pid-file={self.home / 'pid'}",
            f"--log-error={self.log}",
            f"--init-file={self.home / 'init.sql'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_bin",
            "--innodb-flush-log-at-trx-commit=1",
            f"--log-bin={self.home / 'binlog'}",
            "--sync-binlog=1",
            # A chunk's rows stay in memory until they are committed; and nobody here asks for the digests of statements.
            "--binlog-cache-size=16M",
            "--max-digest-length=0",
            # Triggers are created by a user who is not SUPER, as in production.
            "--log-bin-trust-function-creators=1",
            "--local-infile=0",
            "--innodb-buffer-pool-size=1G",
            "--max-connections=200",
            *self.engine.options,
        ]

    def _basic_options(self) -> list[str]:
        # A folder of its own for what is temporary, also while it is set up: whichever server begins there removes what others have there.
        user = ["--user=root"] if os.geteuid() == 0 else []
        return ["--no-defaults", *user, f"--datadir={self.datadir}", f"--tmpdir={self.home}"]

    def install(self) -> None:
        """Create the data folder, and the statements of each start: one user, who needs the password even on this machine.

        :raises Unavailable: when the server's own installer fails.
        """
        statements = (
            *self.engine.no_other_user,
            f"CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{self.password}'",
            f"CREATE USER IF NOT EXISTS {USER}@'localhost' IDENTIFIED BY '{self.password}'",
            f"GRANT ALL PRIVILEGES ON *.* TO {USER}@'127.0.0.1', {USER}@'localhost' WITH GRANT OPTION",
            f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )
        init_file = self.home / "init.sql"
        init_file.write_text("".join(f"{statement};\n" for statement in statements))
        init_file.chmod(0o600)
        installer = self.engine.installer or self._program
        command = [installer, *self._basic_options(), *self.engine.installer_options]
        outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if outcome.returncode != 0:
            raise Unavailable(f"{installer} failed: {outcome.stderr.decode(errors='replace').strip()}")


@contextlib.contextmanager
def private_server(engine: Engine, directory: Path | None = None) -> Iterator[Server]:
    """Yield a running private server; end it and remove its folder afterwards.

    The folder is made inside ``directory``, or where temporary files go. Should the caller be killed, the server ends all
    the same and its folder goes.

    :raises Unavailable: when there is no server to run and this user cannot install one.
    """
    program = engine.find()
    # Short, since the path of a Unix socket may not exceed 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="kdb", dir=directory)).resolve()
    server = Server(engine, home=home, program=program)
    try:
        server.install()
        _start_on_a_free_port(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def in_memory() -> Path | None:
    """Return a folder in memory that is large enough, or None. What is tested is the server's logic and locks, not the disk below it."""
    folder = Path("/dev/shm")
    is_large = folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > MEMORY_BYTES
    return folder if is_large else None


def run_with_server(engine: Engine, command: Sequence[str], *, is_quiet: bool) -> int:
    """Run ``command`` with ``DATABASE_URL`` naming a private server; return its exit status (128 + n after signal n)."""
    with private_server(engine) as server:
        if not is_quiet:
            sys.stderr.write(
                f"A private {engine.name} runs on 127.0.0.1:{server.port}, process {server.pid}, in {server.home}.\n"
            )
        try:
            process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": server.url})
        except OSError as error:
            sys.stderr.write(f"{command[0]}: {error.strerror}\n")
            return 127

        def pass_on(number: int, _frame: FrameType | None) -> None:
            # A terminal sends Ctrl-C to the command as well; twice would make it give up without tidying.
            if number != signal.SIGINT or not sys.stdin.isatty():
                process.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, pass_on)
        status = process.wait()
    return status if status >= 0 else 128 - status


def main(engine: Engine, arguments: Sequence[str]) -> int:
    """Run the command line of an engine; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.{engine.name.lower()}", description=f"Run a command on a private {engine.name}."
    )
    parser.add_argument("--quiet", action="store_true", help="do not say where the server runs")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="the command, after --")
    options = parser.parse_args(arguments)
    try:
        return run_with_server(engine, options.command, is_quiet=options.quiet)
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return 69


def _start_on_a_free_port(server: Server) -> None:
    for attempts_left in reversed(range(START_ATTEMPTS)):
        try:
            server.start()
        except Unavailable:
            if not attempts_left or "in use" not in server.log.read_text(errors="replace"):
                raise
            server.port = _free_port()
        else:
            return


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
