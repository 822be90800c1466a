"""Anyone who sends half a request, or nothing, does not stop the server; and what it refuses itself is told as a problem."""

import json
import runpy
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import serving
from tests.support import world as worlds
from tests.support.serving import Server

pytestmark = [pytest.mark.anywhere, pytest.mark.serial, pytest.mark.django_db(transaction=True)]

CONFIGURED = runpy.run_path(str(serving.ROOT / "config" / "gunicorn_conf.py"))
THREADS = CONFIGURED["workers"] * CONFIGURED["threads"]
# Less than after which the slow are turned out.
PATIENCE_SECONDS = 12


@pytest.fixture(scope="module")
def small_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one process with two threads: three who hold a thread each would be enough."""
    folder = tmp_path_factory.mktemp("small")
    with serving.serving(folder, *serving.CONFIGURED, "--workers", "1", "--threads", "2") as server:
        yield server


def answers_in_time(server: Server, path: str = "/api/v1/books/") -> int:
    begun = time.monotonic()
    status = server.send(server.head("GET", path)).status
    assert time.monotonic() - begun < PATIENCE_SECONDS
    return status


def halves(server: Server, token: str) -> dict[str, bytes]:
    """Return requests that are not whole, by where they stop."""
    form = server.head("POST", "/admin/login/", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 100")
    typed = ("Content-Type: application/json", "Content-Length: 100")
    return {
        "nothing": b"",
        "half a line": b"POST /api/v1/ba",
        "half a head": server.head("POST", "/api/v1/batches/", token)[:-2],
        "a head without end": b"GET / HTTP/1.1\r\nX-A: " + b"a" * 100_000,
        "a form of a stranger": form + b"username=",
        "a body of a stranger": server.head("POST", "/api/v1/batches/1/transitions/apply/", *typed) + b'{"ver',
        "a body of a user": server.head("POST", "/api/v1/batches/1/transitions/apply/", token, *typed) + b'{"ver',
        "a body that waits": server.head("POST", "/api/v1/batches/1/transitions/apply/", token, *typed, "Expect: 100-continue"),
        "an endless file of a stranger": server.head(
            "POST", "/api/v1/batches/", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 500000000"
        )
        + b"--x",
    }


KINDS = list(halves(Server(0, "", (), Path()), ""))


@pytest.mark.parametrize("kind", KINDS)
def test_more_half_requests_than_threads_stop_nobody(made_server: Server, token: str, kind: str) -> None:
    with ExitStack() as stack:
        for _each in range(THREADS + 2):
            stack.enter_context(made_server.open(halves(made_server, token)[kind]))
        for _each in range(3):
            assert answers_in_time(made_server) == 401


def test_control_gunicorns_own_threads_are_stopped_by_as_many(world: worlds.World, tmp_path: Path) -> None:
    own = ("config.wsgi", "--worker-class", "gthread", "--workers", "1", "--threads", "2", "--keep-alive", "2")
    with serving.serving(tmp_path, *own) as server, ExitStack() as stack:
        for _each in range(3):
            stack.enter_context(server.open(halves(server, "")["half a line"]))
        time.sleep(0.5)
        with server.open(server.head("GET", "/api/v1/books/")) as connection:
            connection.settimeout(3)
            with pytest.raises(TimeoutError):
                connection.recv(1)


def test_half_requests_of_every_kind_stop_no_server_of_two_threads(small_server: Server, token: str) -> None:
    with ExitStack() as stack:
        for half in halves(small_server, token).values():
            for _each in range(4):
                stack.enter_context(small_server.open(half))
        for _each in range(5):
            assert answers_in_time(small_server) == 401


def test_whoever_does_not_hang_up_stops_nobody(small_server: Server, world: worlds.World) -> None:
    with ExitStack() as stack:
        for _each in range(10):
            connection = stack.enter_context(small_server.open(small_server.head("GET", "/api/v1/books/")))
            assert connection.recv(12) == b"HTTP/1.1 401"
        assert answers_in_time(small_server) == 401


def test_a_whole_request_in_many_small_pieces_is_answered(small_server: Server, world: worlds.World, token: str) -> None:
    body = json.dumps({"version": 99_999, "reason": "piece by piece"}).encode()
    path = f"/api/v1/batches/{world.receive().pk}/transitions/withdraw/"
    whole = small_server.head("POST", path, token, "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    with small_server.open() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(whole), 7):
            connection.sendall(whole[place : place + 7])
            time.sleep(0.005)
        assert serving.read(connection).status == 409


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "address_too_long"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: 1\r\n" * 200 + b"\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 400_000, 431, "headers_too_large"),
        (b"nothing of the kind\r\n\r\n", 400, "shape_invalid"),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400, "shape_invalid"),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400, "shape_invalid"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", 400, "shape_invalid"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "shape_invalid"),
        (b"POST /api/v1/books/ HTTP/1.1\r\nHost: elsewhere.example\r\nContent-Length: 0\r\n\r\n", 400, "host_unknown"),
    ],
)
def test_what_the_server_refuses_itself_is_a_problem(made_server: Server, sent: bytes, status: int, code: str) -> None:
    answer = made_server.send(sent, ends=True)
    said = json.loads(answer.body)
    assert (answer.status, said["status"], said["code"], said["type"]) == (status, status, code, f"urn:kakutei:{code}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "no-store" in answer.headers["cache-control"]


def test_every_line_that_the_server_logs_is_json_and_of_the_level(made_server: Server) -> None:
    made_server.send(b"nothing of the kind\r\n\r\n")
    lines = [json.loads(line) for line in made_server.said.read_text().splitlines()]
    assert {line["level"] for line in lines} <= {"warning", "error"}
    assert any(line["logger"] == "gunicorn.error" for line in lines)


def test_a_worker_whose_threads_are_at_work_leaves_who_comes_to_another(
    django_db_setup: None, tmp_path: Path, world: worlds.World, token: str
) -> None:
    """One of two workers, of one thread each, reads a file that does not go on. It took in every second request, which waited for that file."""
    kind = "Content-Type: multipart/form-data; boundary=x"
    begun = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nH,'
    with (
        serving.serving(tmp_path, *serving.CONFIGURED, "--workers", "2", "--threads", "1") as server,
        server.open(server.head("POST", "/api/v1/batches/", token, kind, "Content-Length: 5000000") + begun) as connection,
    ):
        time.sleep(1)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        for _each in range(30):
            assert answers_in_time(server) == 401
