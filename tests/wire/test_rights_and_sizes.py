"""Through the real server: rights are asked before a body is read, and what is too large is refused before it is kept."""

import json
import socket
import time
from pathlib import Path

import pytest
from django.test import Client

from tests.conftest import UserMaker, issue_token
from tests.support import serving
from tests.support import world as worlds
from tests.support.serving import Server
from tests.support.wire_doors import doors
from tests.wire.conftest import everything

pytestmark = [pytest.mark.serial, pytest.mark.django_db(transaction=True)]

MULTIPART = "Content-Type: multipart/form-data; boundary=edge"
LARGE = 900_000
BEGUN = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="till-2017-01-09-9.csv"\r\n\r\n'
# conftest.made_server's limit for files, in bytes.
LIMIT = 1_000_000


def form(size: int) -> bytes:
    return BEGUN + b"x" * size + b'\r\n--edge\r\nContent-Disposition: form-data; name="source"\r\n\r\ntill\r\n--edge--\r\n'


@pytest.mark.parametrize("role", [None, "auditor", "support"])
def test_a_file_of_somebody_without_the_right_is_refused_unread(
    made_server: Server, world: worlds.World, make_user: UserMaker, role: str | None
) -> None:
    lines = [MULTIPART, f"Content-Length: {LARGE}"]
    if role is not None:
        lines.append(f"Authorization: Token {issue_token(make_user('nobody-9', role))}")
    begun = time.monotonic()
    # Of what was announced hardly anything is sent: a server that reads it first finds it cut.
    with made_server.open(made_server.head("POST", "/api/v1/batches/", *lines) + BEGUN + b"x" * 100) as connection:
        # What fits the buffer is waited for by the loop, and not by a thread; nothing more is to come.
        connection.shutdown(socket.SHUT_WR)
        waited = b""
        while piece := connection.recv(65_536):
            waited += piece
    answer = serving.parsed(waited)
    assert answer.status == (401 if role is None else 403), answer.body
    assert json.loads(answer.body)["code"] == ("not_authenticated" if role is None else "not_permitted")
    assert time.monotonic() - begun < 10


def test_a_page_asks_for_the_right_before_it_reads_files(made_server: Server, world: worlds.World, make_user: UserMaker) -> None:
    client = Client()
    client.force_login(make_user("auditor-9", "auditor"))
    cookie = f"Cookie: sessionid={client.cookies['sessionid'].value}; csrftoken={'a' * 32}"
    for door in doors():
        if door.takes_files and not door.is_api:
            head = made_server.head("POST", door.path, cookie, f"X-CSRFToken: {'a' * 32}", MULTIPART, "Content-Length: 900000")
            answer = made_server.send(head + BEGUN, ends=True)
            # A body that is not read is not found to be cut.
            assert answer.status == 403, (door, answer)
            stranger = made_server.head("POST", door.path, MULTIPART, "Content-Length: 900000")
            answer = made_server.send(stranger + BEGUN, ends=True)
            assert (answer.status, answer.headers["location"].startswith("/admin/login/")) == (302, True)


def test_a_file_over_the_limit_is_refused_by_what_is_said_of_its_length(
    made_server: Server, token: str, world: worlds.World
) -> None:
    before = everything()
    head = made_server.head("POST", "/api/v1/batches/", token, MULTIPART, "Content-Length: 50000000")
    with made_server.open(head) as connection:
        answer = serving.read(connection)
    assert (answer.status, json.loads(answer.body)["code"]) == (413, "body_too_large")
    assert everything() == before


def test_a_file_over_the_limit_is_refused_by_count(made_server: Server, token: str, session: tuple[str, str]) -> None:
    """What stands round the files may be a megabyte too: a file in its place is counted as it comes in."""
    before = everything()
    for path, lines in (("/api/v1/batches/", (token,)), ("/admin/ingestion_app/batch/receive/", session)):
        body = form(LIMIT + 1)
        answer = made_server.send(made_server.head("POST", path, *lines, MULTIPART, f"Content-Length: {len(body)}") + body)
        assert answer.status == 413, answer.body
    assert everything() == before


def test_a_file_within_the_limit_comes_in(made_server: Server, token: str, world: worlds.World, tmp_path: Path) -> None:
    body = form(LIMIT)
    answer = made_server.send(
        made_server.head("POST", "/api/v1/batches/", token, MULTIPART, f"Content-Length: {len(body)}") + body
    )
    assert (answer.status, json.loads(answer.body)["bytes"]) == (201, LIMIT)


def test_a_page_that_takes_no_files_is_given_none(made_server: Server, session: tuple[str, str]) -> None:
    body = form(10)
    for path in ("/admin/ledger_app/book/open/", "/admin/search/", "/admin/ledger_app/reasoncode/keep/"):
        answer = made_server.send(made_server.head("POST", path, *session, MULTIPART, f"Content-Length: {len(body)}") + body)
        assert (answer.status, b"takes no files" in answer.body) == (400, True)
