"""What a provider, or the one who stands in its place, says of somebody is believed only where all of it is right."""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from config.doors.signing import oidc
from ledger_app.models import User
from tests.admin.test_single_sign_on import fumiko, provider, refused
from tests.support.oidc_provider import CLIENT, Provider
from tests.support.signing_on import is_in, sign_in, told_at

pytestmark = pytest.mark.django_db
__all__ = ["fumiko", "provider"]
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
    said: Any = {"kid": "new", "alg": alg}
    key: Any = OKPKey.generate_key("Ed25519", said) if alg == "Ed25519" else provider.key
    key = ECKey.generate_key(curves[alg], said) if alg in curves else key
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
