"""A server as it is started in life, and requests written byte by byte, as no client library would write them."""

import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from tests.support import world as worlds

ROOT = Path(settings.BASE_DIR)
BEGIN_SECONDS = 60
ANSWER_SECONDS = 30
CONFIGURED = ("--config", "config/gunicorn_conf.py", "config.wsgi")
PROGRAM = re.compile(r"^\s*(?:\.venv/bin/)?gunicorn (--config \S+ config\.wsgi[^&\n]*)", re.MULTILINE)


class Answer(NamedTuple):
    """What came back: a status, the headers in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server(NamedTuple):
    """Where a server listens, whom its requests are for, and what a proxy in front would add."""

    port: int
    host: str
    added: tuple[str, ...]
    said: Path

    def head(self, method: str, path: str, *lines: str, version: str = "HTTP/1.1") -> bytes:
        """Return the head of a request."""
        return "\r\n".join([f"{method} {path} {version}", f"Host: {self.host}", *self.added, *lines, "", ""]).encode("latin-1")

    def send(self, *pieces: bytes, ends: bool = False) -> Answer:
        """Send bytes over a connection of their own, and return the answer; with ``ends``, nothing more is to come."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            return read(connection)

    def open(self, *pieces: bytes) -> socket.socket:
        """Send bytes and leave the connection open."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS)
        for piece in pieces:
            connection.sendall(piece)
        return connection


def read(connection: socket.socket) -> Answer:
    """Return the last answer of a connection that the other side closes; what is interim comes before it."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return parsed(received)


def parsed(received: bytes) -> Answer:
    """Return an answer from its bytes."""
    while received.startswith(b"HTTP/1.1 100 "):
        received = received.partition(b"\r\n\r\n")[2]
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    assert first.startswith(("HTTP/1.1 ", "HTTP/1.0 ")), received[:300]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def arguments_in(document: str) -> list[str]:
    """Return the arguments that a document gives to gunicorn, without the address."""
    (found,) = PROGRAM.findall((ROOT / document).read_text(encoding="utf-8"))
    words = shlex.split(found)
    place = words.index("--bind")
    return words[:place] + words[place + 2 :]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(folder: Path, *arguments: str, host: str = "localhost", added: tuple[str, ...] = (), **more: str) -> Iterator[Server]:
    """Run gunicorn on the tests' own database until the end of the block."""
    server = Server(free_port(), host, added, folder / "server.log")
    command = [sys.executable, "-m", "gunicorn", *arguments, "--bind", f"127.0.0.1:{server.port}"]
    with server.said.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=worlds.environment(folder, **more), stdout=output, stderr=output)
    try:
        wait_for(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(server: Server, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, server.said.read_text()
        with suppress(OSError, AssertionError):
            if server.send(server.head("GET", "/api/v1/")).status == 401:
                return
        time.sleep(0.1)
    raise AssertionError(server.said.read_text())
