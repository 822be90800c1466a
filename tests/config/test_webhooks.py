"""Messages to a real receiver on this machine: what is sent, and what is made of every kind of answer."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from config.doors import webhooks
from ledger_app.programs.operations.deliveries import Message, Reply
from tests.support.receiver import Receiver, answer

BODY = '{"type":"batch.approve","timestamp":"2026-01-01T00:00:00Z","data":{"number":5,"facts":{"to_state":"承認"}}}'


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def message(url, *generations):
    return Message(7, url, "event-5", BODY, generations or (1,))


def test_the_receivers_package_verifies_what_is_sent(receiver):
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=True)
    (came,) = receiver.received
    assert came.path == "/hook?from=kakutei"
    assert came.body == BODY.encode()
    assert (came.headers["webhook-id"], came.headers["content-type"]) == ("event-5", "application/json")
    assert came.verified(webhooks.secret(7, 1))["data"]["number"] == 5
    for other in (webhooks.secret(7, 2), webhooks.secret(8, 1)):
        with pytest.raises(WebhookVerificationError):
            came.verified(other)


def test_within_the_overlap_either_secret_verifies(receiver):
    webhooks.send(message(receiver.url, 2, 1))
    (came,) = receiver.received
    assert len(came.headers["webhook-signature"].split()) == 2
    for generation in (1, 2):
        assert came.verified(webhooks.secret(7, generation))
    with pytest.raises(WebhookVerificationError):
        came.verified(webhooks.secret(7, 3))


def test_a_body_that_was_changed_on_the_way_is_not_verified(receiver):
    webhooks.send(message(receiver.url))
    (came,) = receiver.received
    with pytest.raises(WebhookVerificationError):
        came._replace(body=came.body.replace(b"approve", b"approved")).verified(webhooks.secret(7, 1))


def test_the_secret_depends_on_the_key_of_the_installation(settings):
    before = webhooks.secret(7, 1)
    assert before.startswith("whsec_")
    settings.SECRET_KEY = "another"
    assert webhooks.secret(7, 1) != before


def test_a_message_is_signed_under_the_key_that_was_there_before_too(receiver, settings):
    before = webhooks.secret(7, 1)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    webhooks.send(message(receiver.url))
    (came,) = receiver.received
    assert webhooks.secret(7, 1) != before
    assert came.verified(before)
    assert came.verified(webhooks.secret(7, 1))


@pytest.mark.parametrize("status", [300, 301, 307, 308, 400, 404, 408, 409, 411, 429, 500, 502, 503, 504])
def test_any_other_status_is_a_failure_and_no_redirect_is_followed(receiver, status):
    there = Receiver()
    try:
        receiver.behaviour = lambda _receiver, handler: answer(handler, status, Location=there.url)
        assert webhooks.send(message(receiver.url)) == Reply(is_taken=False, why=f"status {status}")
        assert there.received == []
    finally:
        there.close()


def test_an_answer_that_says_gone_is_told_apart(receiver):
    receiver.behaviour = lambda _receiver, handler: answer(handler, 410)
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=False, why="status 410", is_gone=True)


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [(429, "7", 7), (503, "3600", 3_600), (503, "86400", 21_600), (429, "soon", 0), (500, "7", 0), (200, "7", 0)],
)
def test_who_is_busy_says_when_to_come_again(receiver, status, said, seconds):
    receiver.behaviour = lambda _receiver, handler: answer(handler, status, **{"Retry-After": said})
    assert webhooks.send(message(receiver.url)).asked_wait == timedelta(seconds=seconds)


def test_who_is_busy_says_a_date_of_http(receiver):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    receiver.behaviour = lambda _receiver, handler: answer(handler, 503, **{"Retry-After": until})
    assert timedelta(seconds=80) < webhooks.send(message(receiver.url)).asked_wait <= timedelta(seconds=100)


def test_who_says_twice_when_to_come_again_says_nothing(receiver):
    def twice(_receiver, handler):
        handler.wfile.write(b"HTTP/1.1 429 Busy\r\nRetry-After: 60\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n")

    receiver.behaviour = twice
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=False, why="status 429")


def hang(receiver, _handler):
    receiver.is_over.wait(20)


def drip_status(receiver, handler):
    while not receiver.is_over.wait(0.05):
        handler.wfile.write(b"H")


def drip_headers(receiver, handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not receiver.is_over.wait(0.05):
        handler.wfile.write(b"a")


def continue_for_ever(receiver, handler):
    while not receiver.is_over.wait(0.001):
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("behaviour", [hang, drip_status, drip_headers, continue_for_ever])
def test_whoever_is_slower_than_allowed_is_cut_off(receiver, monkeypatch, behaviour):
    monkeypatch.setattr(webhooks, "SECONDS_MOST", 0.5)
    receiver.behaviour = behaviour
    began = time.monotonic()
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=False, why="timeout")
    assert time.monotonic() - began < 5


def flood_headers(_receiver, handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        handler.wfile.write(b"x-%d: %s\r\n" % (number, b"a" * 100))


def flood_status(_receiver, handler):
    handler.wfile.write(b"H" * 10_000_000)


def no_http(_receiver, handler):
    handler.wfile.write(b"\x00\xff nothing of the kind\r\n\r\n")


@pytest.mark.parametrize("behaviour", [flood_headers, flood_status, no_http])
def test_an_answer_that_is_none_is_a_failure(receiver, behaviour):
    receiver.behaviour = behaviour
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=False, why="answer_unreadable")


def test_a_body_without_an_end_is_not_read(receiver):
    """The status says all that is asked."""

    def flood(receiver, handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        while not receiver.is_over.is_set():
            handler.wfile.write(b"a" * 65_536)

    receiver.behaviour = flood
    began = time.monotonic()
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=True)
    assert time.monotonic() - began < 5


def test_nobody_there_and_no_tls_are_failures(settings):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings.KAKUTEI_WEBHOOK_HOSTS = [f"127.0.0.1:{port}"]

        def speak_plainly():
            reached, _address = listening.accept()
            with reached:
                reached.recv(1_000)
                reached.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=speak_plainly)
        thread.start()
        assert webhooks.send(message(f"https://127.0.0.1:{port}/")) == Reply(is_taken=False, why="tls")
        thread.join()
    assert webhooks.send(message(f"http://127.0.0.1:{port}/")) == Reply(is_taken=False, why="unreachable")


def test_a_host_that_is_not_allowed_any_more_is_not_sent_to(receiver, settings):
    settings.IS_DEVELOPMENT = False
    assert webhooks.send(message(receiver.url)) == Reply(is_taken=False, why="webhook_address_refused")
    assert receiver.received == []


def test_the_timestamp_is_that_of_the_try(receiver):
    webhooks.send(message(receiver.url))
    sent_at = datetime.fromtimestamp(int(receiver.received[0].headers["webhook-timestamp"]), UTC)
    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 60
