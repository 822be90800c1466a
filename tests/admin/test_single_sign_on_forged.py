"""What a provider, or whoever stands in its place, answers is believed only where it is all right; and a way back is gone once, by whoever was sent."""

import base64
import hashlib
import hmac
import json
import socket
import time
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from config import oidc, outgoing
from ledger_app.models import AuditRow, Identity, User
from tests.admin.signing_on import BEGIN, LOGIN, back_from, is_in, led_to, sign_in, told_at, way_back
from tests.admin.test_single_sign_on import Clock, bind, clock, fumiko, provider, refused
from tests.oidc_provider import CLIENT, Provider, to_json

pytestmark = pytest.mark.django_db
__all__ = ["clock", "fumiko", "provider"]
BACK = BEGIN + "back/"
BELIEVED, TIME = "cannot be believed", "not of this minute"
Forge = Callable[[Provider, dict[str, Any]], Any]


def with_claims(**changed: Any) -> Forge:
    """Sign, as the provider, claims of which some are others; one of None is left out."""

    def forge(provider: Provider, claims: dict[str, Any]) -> str:
        return provider.signed({name: value for name, value in {**claims, **changed}.items() if value is not None})

    return forge


def after(**seconds: int) -> Forge:
    """Sign claims whose times are so many seconds from those that are right."""
    return lambda provider, claims: provider.signed(claims | {name: claims[name] + more for name, more in seconds.items()})


def part(said: Any) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def unsigned(alg: str) -> Forge:
    return lambda provider, claims: f"{part({'alg': alg, 'kid': provider.key.kid})}.{part(claims)}."


def by_public_key(kind: str) -> Forge:
    """Sign with what everybody knows of the provider's key, taken for a secret."""

    def forge(provider: Provider, claims: dict[str, Any]) -> str:
        known = provider.key.as_pem(private=False) if kind == "pem" else json.dumps(provider.key.as_dict(private=False)).encode()
        said = f"{part({'alg': 'HS256', 'kid': provider.key.kid})}.{part(claims)}"
        made = hmac.new(known, said.encode(), hashlib.sha256).digest()
        return f"{said}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"

    return forge


def by_secret(provider: Provider, claims: dict[str, Any]) -> str:
    """Sign with a secret that the provider publishes among its keys."""
    secret = OctKey.generate_key(256, {"kid": "secret", "use": "sig", "alg": "HS256"})
    provider.published = [provider.key, secret]
    return jwt.encode({"alg": "HS256", "kid": "secret"}, claims, secret, algorithms=["HS256"])


def by_another_key(kid: str | None) -> Forge:
    def forge(_provider: Provider, claims: dict[str, Any]) -> str:
        key = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", **({"kid": kid} if kid else {})}, claims, key, algorithms=["RS256"])

    return forge


def with_key_of_its_own(provider: Provider, claims: dict[str, Any]) -> str:
    """Sign with a key that the token brings along, or says where to find."""
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": provider.key.kid, "jwk": key.as_dict(private=False), "jku": f"{provider.issuer}/theirs"}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=["RS256"])


def by_short_key(provider: Provider, claims: dict[str, Any]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key = RSAKey.generate_key(1024, {"kid": "short"})
    return published(provider, key, claims)


def by_key_for_encryption(provider: Provider, claims: dict[str, Any]) -> str:
    return published(provider, RSAKey.generate_key(2048, {"kid": "enc"}), claims, use="enc")


def by_key_of_another_algorithm(provider: Provider, claims: dict[str, Any]) -> str:
    return published(provider, RSAKey.generate_key(2048, {"kid": "pss"}), claims, alg="PS256")


def published(provider: Provider, key: RSAKey, claims: dict[str, Any], **said: str) -> str:
    """Sign with a key that the provider publishes with something said of it."""
    provider.published = [key.as_dict(private=False) | said]
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])


def without_kid_of_two(provider: Provider, claims: dict[str, Any]) -> str:
    provider.published = [provider.key, RSAKey.generate_key(2048, {"kid": "second"})]
    return jwt.encode({"alg": "RS256"}, claims, provider.key, algorithms=["RS256"])


def altered(provider: Provider, claims: dict[str, Any]) -> str:
    head, _body, signature = provider.signed(claims | {"sub": "somebody-else"}).split(".")
    return f"{head}.{part(claims)}.{signature}"


FORGED: dict[str, tuple[Forge, str]] = {
    "another issuer": (with_claims(iss="https://evil.example/realm"), BELIEVED),
    "no issuer": (with_claims(iss=None), BELIEVED),
    "issuer in a list": (lambda made, claims: made.signed(claims | {"iss": [claims["iss"]]}), BELIEVED),
    "another audience": (with_claims(aud="another"), BELIEVED),
    "no audience": (with_claims(aud=None), BELIEVED),
    "for another besides": (with_claims(aud=[CLIENT, "another"]), BELIEVED),
    "given to another": (with_claims(azp="another"), BELIEVED),
    "another nonce": (with_claims(nonce="x" * 43), BELIEVED),
    "no nonce": (with_claims(nonce=None), BELIEVED),
    "nonce in a list": (lambda made, claims: made.signed(claims | {"nonce": [claims["nonce"]]}), BELIEVED),
    "no subject": (with_claims(sub=None), BELIEVED),
    "an empty subject": (with_claims(sub=""), BELIEVED),
    "a subject with a blank": (lambda made, claims: made.signed(claims | {"sub": claims["sub"] + " "}), BELIEVED),
    "a subject that is no text": (with_claims(sub=7), BELIEVED),
    "expired": (after(exp=-361), TIME),
    "no expiry": (with_claims(exp=None), BELIEVED),
    "expiry that never comes": (with_claims(exp=float("nan")), BELIEVED),
    "expiry that is no number": (with_claims(exp="9999999999"), BELIEVED),
    "of later": (after(iat=61), TIME),
    "no time": (with_claims(iat=None), BELIEVED),
    "not yet": (lambda made, claims: made.signed(claims | {"nbf": claims["iat"] + 61}), TIME),
    "no time of signing in": (with_claims(auth_time=None), BELIEVED),
    "signed in later": (after(auth_time=61), TIME),
    "signed in when it says nothing": (with_claims(auth_time=True), TIME),
    "signed in long ago": (after(auth_time=-961), "did not ask you anew"),
    "no signature": (unsigned("none"), BELIEVED),
    "no signature, in capitals": (unsigned("None"), BELIEVED),
    "no signature, said to be there": (unsigned("RS256"), BELIEVED),
    "HS256 with the public key": (by_public_key("pem"), BELIEVED),
    "HS256 with the public key as JSON": (by_public_key("json"), BELIEVED),
    "HS256 with a published secret": (by_secret, BELIEVED),
    "another key under its name": (by_another_key("first"), BELIEVED),
    "a key that is unknown": (by_another_key("unknown"), BELIEVED),
    "another key without a name": (by_another_key(None), BELIEVED),
    "a key that it brings along": (with_key_of_its_own, BELIEVED),
    "a key that is too short": (by_short_key, BELIEVED),
    "a key for something else": (by_key_for_encryption, BELIEVED),
    "another algorithm than the key's": (by_key_of_another_algorithm, BELIEVED),
    "no name of two keys": (without_kid_of_two, BELIEVED),
    "other claims": (altered, BELIEVED),
    "no token": (lambda _made, _claims: "x.y.z", BELIEVED),
    "an encrypted one": (lambda _made, _claims: "a.b.c.d.e", BELIEVED),
    "a list": (lambda _made, _claims: ["x"], "not that of a provider"),
    "none": (lambda _made, _claims: None, "not that of a provider"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_lets_nobody_in(kind: str, fumiko: User, provider: Provider) -> None:
    forge, sentence = FORGED[kind]
    provider.sign = lambda claims: forge(provider, claims)
    client = Client()
    assert sentence in told_at(client, sign_in(client))
    assert not is_in(client)
    assert refused() == [("?", "system", "sign_on_refused")]


@pytest.mark.parametrize("alg", oidc.ALGORITHMS)
def test_each_algorithm_of_the_list_is_taken(alg: str, fumiko: User, provider: Provider) -> None:
    curves = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
    said = {"kid": "new", "alg": alg}
    key: Any = OKPKey.generate_key("Ed25519", said) if alg == "Ed25519" else provider.key
    key = ECKey.generate_key(curves[alg], said) if alg in curves else key  # type: ignore[arg-type]
    if key is provider.key:
        key = RSAKey.import_key(provider.key.as_dict(private=True) | said)
    provider.published = [key]
    provider.sign = lambda claims: jwt.encode({"alg": alg, "kid": "new"}, claims, key, algorithms=[alg])
    client = Client()
    sign_in(client)
    assert is_in(client)


def test_clocks_may_be_a_minute_apart_and_a_key_that_was_changed_holds_at_once(fumiko: User, provider: Provider) -> None:
    provider.sign = lambda claims: after(iat=59, auth_time=59, exp=-359)(provider, claims)
    first = Client()
    sign_in(first)
    assert is_in(first)
    old = provider.key
    provider.key = RSAKey.generate_key(2048, {"kid": "second", "use": "sig", "alg": "RS256"})
    provider.published, provider.sign = [provider.key], provider.signed
    second = Client()
    sign_in(second)
    assert is_in(second)
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "first"}, claims, old, algorithms=["RS256"])
    third = Client()
    assert BELIEVED in told_at(third, sign_in(third))
    assert not is_in(third)


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
    return lambda _provider, handler: bool(to_json(handler, {"error": "server_error"}, status)) or True


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
    client.post(LOGIN, {"username": "fumiko", "password": "seven-green-otters", "next": "/admin/"})
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
    monkeypatch.setattr(outgoing, "send", lambda request, **said: (sent.append(request), send(request, **said))[1])
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
    assert bind(fumiko, provider) is None
