"""Requests whose connection is cut before the answer is read, and which are sent again under their key: one effect, and the first answer."""

import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_app.models import AuditRow, Balance, Entry, Event, Hold, IdempotencyKey, Submission
from ledger_app.posting.rules.lots import Grant, Named
from tests.conftest import UserMaker, issue_token
from tests.support import lot_samples, samples
from tests.support.serving import Answer, Server, read

pytestmark = [pytest.mark.serial, pytest.mark.django_db(transaction=True)]

KEYS = 12
MANY, TIMES, CLIENTS = 1_000, 4, 8
SECONDS = 30
# A reset instead of an orderly end, as when a device loses its network.
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def till(transactional_db: None, make_user: UserMaker) -> str:
    """The header of a till, and points of which it may hold some."""
    points = lot_samples.open_points(samples.machine_caller())
    last = (datetime.now(UTC) + timedelta(days=90)).date()
    points.gain("g-1", KEYS, lots=Named(grants=(Grant("paid", KEYS, last),)))
    return f"Authorization: Token {issue_token(make_user('till-1', 'till'))}"


def request_of(server: Server, till: str, number: int, until: str) -> bytes:
    said = {"book": "POINTS", "account": "M1", "target": "programme", "amount": 1, "reference": f"h-{number}"}
    return keyed(server, till, number, "/api/v1/holds/", {**said, "expires_at": until})


def keyed(server: Server, header: str, number: int, path: str, said: Any) -> bytes:
    """Return a request under the key of a number."""
    body = json.dumps(said).encode()
    lines = (header, f"Idempotency-Key: k-{number}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return server.head("POST", path, *lines) + body


def cut(connection: socket.socket) -> None:
    """Break a connection off: nobody reads the answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def is_running(answer: Answer) -> bool:
    """Whether it is told that what was sent first is still being done."""
    return answer.status == 503 or json.loads(answer.body).get("code") == "idempotency_key_running"


def answered(server: Server, request: bytes) -> Answer:
    """Send a request until it is told how it ended."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = server.send(request)
        if not is_running(answer):
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)


@pytest.mark.parametrize("server", ["made_server", "production_server"], indirect=True)
def test_what_is_cut_off_before_its_answer_is_done_once_and_answered_when_it_is_sent_again(server: Server, till: str) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat()
    for number in range(KEYS):
        request = request_of(server, till, number, until)
        cut(server.open(request))
        if number % 2:  # else it is sent again while the first may be at work
            wait_for(number)
        second, third = answered(server, request), answered(server, request)
        assert (second.status, third.status, third.headers["idempotent-replayed"]) == (201, 201, "true")
        if number % 2:
            assert second.headers["idempotent-replayed"] == "true"
        assert second.body == third.body
        assert second.headers["content-type"] == third.headers["content-type"]
        assert json.loads(third.body)["id"] == Hold.objects.get(reference=f"h-{number}").pk
    done = (
        Hold.objects,
        IdempotencyKey.objects,
        Event.objects.filter(kind="hold.place"),
        AuditRow.objects.filter(action="place"),
    )
    assert [rows.count() for rows in done] == [KEYS] * 4


def wait_for(number: int) -> None:
    """Wait until the request that was cut off has been done."""
    deadline = time.monotonic() + SECONDS
    while not IdempotencyKey.objects.filter(key=f"k-{number}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def machine(transactional_db: None, make_user: UserMaker) -> str:
    """The header of a program that posts entries."""
    samples.open_ledger(samples.machine_caller())
    return f"Authorization: Token {issue_token(make_user('machine-1', 'machine'))}"


def at_once(server: Server, request: bytes, broken: int) -> list[Answer]:
    """Send a request several times at once, break one of the connections off, and return what the others are told."""
    opened = [server.open(request) for _time in range(TIMES)]
    cut(opened.pop(broken))
    told = []
    for each in opened:
        with closing(each):
            told.append(read(each))
    return told


def test_a_thousand_keys_each_sent_four_times_at_once_and_again_after_a_cut_connection(server: Server, machine: str) -> None:
    def send(number: int) -> None:
        lines = [{"account": "cash", "amount": 1}, {"account": "sales", "amount": -1}]
        entry = {"book": "CARD", "effective_on": "2017-01-05", "reference": f"r-{number}", "lines": lines}
        request = keyed(server, machine, number, "/api/v1/bulk/entries/", {"mode": "all", "entries": [entry]})
        told = [each for each in at_once(server, request, number % TIMES) if not is_running(each)]
        again = answered(server, request)
        assert (again.status, again.headers["idempotent-replayed"]) == (200, "true"), again
        assert json.loads(again.body)["created"] == 1
        assert {(each.status, each.body) for each in told} <= {(again.status, again.body)}
        assert sum("idempotent-replayed" not in each.headers for each in told) <= 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(send, range(MANY)))
    counted = (Entry.objects, Submission.objects, IdempotencyKey.objects, Event.objects.filter(kind="posting.posted"))
    assert [rows.count() for rows in counted] == [MANY] * 4
    assert Balance.objects.get(account__code="cash").amount == MANY
