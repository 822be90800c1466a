"""Requests whose connection is cut before the answer is read, and which are sent again under their key: one effect, and the first answer."""

import json
import os
import socket
import struct
import time
from datetime import UTC, datetime, timedelta

import pytest

from ledger_app.models import AuditRow, Event, Hold, IdempotencyKey
from ledger_app.rules.lots import Grant, Named
from tests.conftest import UserMaker, issue_token
from tests.ledger_app import lot_samples, samples
from tests.wire.serving import Answer, Server

pytestmark = [pytest.mark.serial, pytest.mark.django_db(transaction=True)]

KEYS = int(os.environ.get("KAKUTEI_KEYS", "12"))
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
    body = json.dumps({**said, "expires_at": until}).encode()
    lines = (till, f"Idempotency-Key: k-{number}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return server.head("POST", "/api/v1/holds/", *lines) + body


def cut(server: Server, request: bytes) -> None:
    """Send a request and break the connection off at once: nobody reads the answer."""
    connection = server.open(request)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def answered(server: Server, request: bytes) -> Answer:
    """Send a request until it is told how it ended."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = server.send(request)
        if answer.status != 503 and json.loads(answer.body).get("code") != "idempotency_key_running":
            return answer
        assert time.monotonic() < deadline, answer


@pytest.mark.parametrize("server", ["made_server", "production_server"], indirect=True)
def test_what_is_cut_off_before_its_answer_is_done_once_and_answered_when_it_is_sent_again(server: Server, till: str) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat()
    for number in range(KEYS):
        request = request_of(server, till, number, until)
        cut(server, request)
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
