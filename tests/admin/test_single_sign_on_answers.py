"""A way back is gone once, in time and by the person who was sent; and what a provider answers that is cut, slow, too much or something else lets nobody in."""

import socket
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from config.doors import outgoing
from config.doors.signing import oidc
from ledger_app.models import AuditRow, Identity, User
from tests.admin.test_single_sign_on import GOOD, fumiko, provider, refused
from tests.support.oidc_provider import Provider, to_json
from tests.support.page_clocks import Clock
from tests.support.signing_on import BEGIN, LOGIN, back_from, is_in, led_to, sign_in, told_at, way_back

pytestmark = pytest.mark.django_db
__all__ = ["fumiko", "provider"]
BACK = BEGIN + "back/"
BELIEVED = "cannot be believed"


def test_a_way_back_is_gone_once_and_by_whoever_was_sent(fumiko: User, provider: Provider) -> None:
    unasked = "not asked for by this browser"
    client, thief = Client(), Client()
    way = way_back(client)
    assert unasked in told_at(thief, thief.get(way))
    led_to(thief.post(BEGIN, {"next": "/admin/"}))
    assert unasked in told_at(thief, thief.get(way))
    code = way.partition("code=")[2].partition("&")[0]
    for query in ({"code": code}, {"code": code, "state": ""}, {"code": code, "state": "wrong"}, {"code": code, "state": "é"}):
        other = Client()
        way_back(other)
        assert unasked in told_at(other, other.get(f"{BACK}?{urlencode(query)}"))
        # What was asked was asked for this one answer.
        assert unasked in told_at(other, other.get(way))
    assert not is_in(thief)
    assert client.get(way)["Location"] == "/admin/"
    assert is_in(client)
    assert unasked in told_at(client, client.get(way))
    assert is_in(client)


def test_a_code_is_taken_once(fumiko: User, provider: Provider) -> None:
    """The same code with what another browser was given: the provider that asks for the verifier does not take it either."""
    first, second = Client(), Client()
    way, other = way_back(first), way_back(second)
    state = other.partition("state=")[2]
    mixed = f"{way.partition('state=')[0]}state={state}"
    assert "does not take back" in told_at(second, second.get(mixed))
    assert not is_in(second)
    # It was spent by that.
    assert "does not take back" in told_at(first, first.get(way))
    assert not is_in(first)


def test_a_way_back_ends(fumiko: User, provider: Provider, clock: Clock) -> None:
    client = Client()
    way = way_back(client)
    clock.pass_by(minutes=10, seconds=1)
    assert "took too long" in told_at(client, client.get(way))
    assert not is_in(client)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"error": "access_denied", "error_description": "<b>of theirs</b>"}, "did not let you in"),
        ({}, "did not let you in"),
        ({"code": ""}, "did not let you in"),
        ({"code": "x" * 4_001}, "did not let you in"),
        ({"code": "unknown"}, "does not take back"),
        ({"code": "good", "iss": "https://evil.example/realm"}, BELIEVED),
    ],
)
def test_an_answer_that_is_no_code_of_this_provider_is_told(
    query: dict[str, str], sentence: str, fumiko: User, provider: Provider
) -> None:
    client = Client()
    way_back(client)
    answer = client.get(f"{BACK}?{urlencode({**query, 'state': provider.asked[-1]['state']})}")
    page = told_at(client, answer)
    assert sentence in page
    assert "of theirs" not in page
    assert not is_in(client)


def cut(_provider: Provider, handler: Any) -> bool:
    """Say that more comes than does."""
    handler.send_response(200)
    handler.send_header("Content-Length", "10000")
    handler.end_headers()
    handler.wfile.write(b'{"issuer": "x"')
    return True


def flood(_provider: Provider, handler: Any) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b" " * (oidc.BYTES_MOST + 2))
    return True


def drip(_provider: Provider, handler: Any) -> bool:
    """Send a byte now and then, without end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return True


def to_elsewhere(provider: Provider, handler: Any) -> bool:
    """Lead to another address, which is not followed."""
    handler.send_response(302)
    handler.send_header("Location", f"{provider.issuer}/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return True


def with_status(status: int) -> Any:
    def answer(_provider: Provider, handler: Any) -> bool:
        to_json(handler, {"error": "server_error"}, status)
        return True

    return answer


def with_text(text: bytes) -> Any:
    def answer(_provider: Provider, handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
        return True

    return answer


AWAY, UNCLEAR = "did not answer, or not to the end", "not that of a provider"
ANSWERS: dict[str, tuple[Any, str]] = {
    "cut": (cut, AWAY),
    "too much": (flood, AWAY),
    "too slow": (drip, AWAY),
    "led elsewhere": (to_elsewhere, AWAY),
    "failing": (with_status(500), AWAY),
    "no JSON": (with_text(b"<html>"), UNCLEAR),
    "a list": (with_text(b"[]"), UNCLEAR),
    "deep": (with_text(b"[" * 400_000), UNCLEAR),
    "empty": (with_text(b"{}"), UNCLEAR),
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("where", ["discovery, there", "discovery, back", "token", "keys"])
def test_an_answer_that_fails_is_told_and_lets_nobody_in(
    where: str, kind: str, fumiko: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "SECONDS_MOST", 0.5)
    answer, sentence = ANSWERS[kind]
    path = {"token": "/realm/token", "keys": "/realm/keys"}.get(where, "/realm/.well-known/openid-configuration")
    client = Client()
    way = "" if where == "discovery, there" else way_back(client)
    provider.behaviour = lambda made, handler: handler.path == path and answer(made, handler)
    page = told_at(client, client.get(way) if way else client.post(BEGIN, {"next": "/admin/"}))
    # A key that is not there is no key of the token.
    assert (BELIEVED if (where, kind) == ("keys", "empty") else sentence) in page
    assert not is_in(client)
    assert "/realm/elsewhere" not in provider.requests
    assert refused() == [("?", "system", "sign_on_refused")]


def test_a_provider_that_is_away_is_told_and_the_password_is_still_there(fumiko: User, provider: Provider) -> None:
    client = Client()
    provider.close()
    page = told_at(client, client.post(BEGIN, {"next": "/admin/ledger_app/book/"}))
    assert AWAY in page
    assert 'name="next" value="/admin/ledger_app/book/"' in page
    client.post(LOGIN, {"username": "fumiko", "password": GOOD, "next": "/admin/"})
    assert is_in(client)


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example/realm"},
        {"issuer": None},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"token_endpoint": "https://user@evil.example/token"},
        {"jwks_uri": "http://evil.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://evil.example:x/keys"},
        {"jwks_uri": "https://evil.example/keys\r\nX: y"},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
        {"token_endpoint_auth_methods_supported": "client_secret_basic"},
    ],
)
def test_what_the_provider_says_of_itself_is_looked_at(said: dict[str, Any], fumiko: User, provider: Provider) -> None:
    provider.document = said
    client = Client()
    assert UNCLEAR in told_at(client, client.post(BEGIN, {"next": "/admin/"}))
    assert provider.requests == ["/realm/.well-known/openid-configuration"]


def test_outside_development_nothing_is_asked_unencrypted(fumiko: User, provider: Provider, settings: Any) -> None:
    settings.IS_DEVELOPMENT = False
    client = Client()
    assert UNCLEAR in told_at(client, client.post(BEGIN, {"next": "/admin/"}))


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_post", "client_secret_basic"]])
def test_the_secret_is_shown_as_the_provider_takes_it(
    methods: list[str], fumiko: User, provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[outgoing.Request] = []
    send = outgoing.send

    def sending(request: outgoing.Request, **said: Any) -> Any:
        sent.append(request)
        return send(request, **said)

    monkeypatch.setattr(outgoing, "send", sending)
    provider.document = {"token_endpoint_auth_methods_supported": methods}
    client = Client()
    sign_in(client)
    assert is_in(client)
    (asked,) = [each for each in sent if each.body]
    is_basic = "client_secret_basic" in methods
    assert ("Authorization" in asked.headers) is is_basic
    assert (settings.KAKUTEI_OIDC_CLIENT_SECRET.encode() in (asked.body or b"")) is not is_basic


def test_a_slow_provider_does_not_hold_every_thread(fumiko: User, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for _each in range(oidc.AT_ONCE_MOST):
        assert oidc._asking.acquire(blocking=False)
    client = Client()
    try:
        assert "asked by many others" in told_at(client, client.post(BEGIN, {"next": "/admin/"}))
    finally:
        oidc._asking.release(oidc.AT_ONCE_MOST)
    assert provider.requests == []
    # One that is over, however it ended, makes room.
    provider.behaviour = with_status(500)
    for _each in range(oidc.AT_ONCE_MOST + 1):
        assert AWAY in told_at(client, client.post(BEGIN, {"next": "/admin/"}))


def test_a_host_that_is_not_there_is_away(fumiko: User, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings.KAKUTEI_OIDC_ISSUER = f"http://127.0.0.1:{port}"
    client = Client()
    assert AWAY in told_at(client, client.post(BEGIN, {"next": "/admin/"}))


def test_a_session_that_somebody_else_began_is_not_shared(fumiko: User, provider: Provider) -> None:
    client = Client()
    way = back_from(led_to(client.post(BEGIN, {"next": "/admin/"})))
    planted = client.cookies["sessionid"].value
    client.get(way)
    assert is_in(client)
    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_in(thief)
    assert Identity.objects.count() == AuditRow.objects.filter(subject_type="login", outcome="done").count() == 1
