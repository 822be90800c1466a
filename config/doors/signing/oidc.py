"""The provider of single sign-on, by OpenID Connect: the questions to it, and the checks of its answers. No answer is believed that was not checked here.

Nothing that it says is kept from one sign-in to the next: a key that it has changed, or an address, holds from the next sign-in on.
"""

import hmac
import http.client
import ipaddress
import json
import secrets
import ssl
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from config.doors import outgoing
from ledger_app.people.rules import identities

# Of keys in pairs alone: of a secret that both know, anyone who knows a public key could make one.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
KEYS: Final = (RSAKey, ECKey, OKPKey)
RSA_BITS_LEAST: Final = 2048
SCOPE: Final = "openid"
# How far the clocks of the provider and of this server may be apart.
LEEWAY_SECONDS: Final = 60
# Of one answer, from the first look for the host to its end.
SECONDS_MOST: Final = 5.0
BYTES_MOST: Final = 500_000
# So many threads of a process ask at once; the others go on to answer, however slow the provider is.
AT_ONCE_MOST: Final = 4
CODE_MOST: Final = 4_000
OK: Final = 200
WELL_KNOWN: Final = "/.well-known/openid-configuration"
BASIC, POST = "client_secret_basic", "client_secret_post"

_asking = BoundedSemaphore(AT_ONCE_MOST)
# What the library says of a token or a key that is none, whatever was sent in its place.
_WRONG: Final = (
    *(JoseError, ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, RecursionError),
    *(NotImplementedError, OverflowError, UnsupportedAlgorithm),
)


class Failure(Exception):
    """The provider did not say who somebody is, or not so that it can be believed; ``cause`` is a key of ``single_sign_on.CAUSES``."""

    def __init__(self, cause: str, detail: object = "") -> None:
        """Keep the cause, and for the log what more there is to say."""
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause


class Provider(NamedTuple):
    """What the provider says of itself."""

    authorization: str
    token: str
    keys: str
    method: str  # how this shows there that it is the client


class Question(NamedTuple):
    """What was asked for one sign-in, and lies in the session until it is answered. Times are seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    back: str  # the address that the browser is sent back to
    at: int
    seconds: int  # how long ago the person may have shown the provider who they are


class Known(NamedTuple):
    """Whom the provider knows, when they showed it who they are, in seconds since 1970, and whether by a second factor."""

    issuer: str
    subject: str
    shown_at: int
    has_factor: bool


def is_on() -> bool:
    """Return whether there is a provider."""
    return bool(settings.KAKUTEI_OIDC_ISSUER)


def name() -> str:
    """Return the name of the provider's host, as people are told it."""
    return urlsplit(settings.KAKUTEI_OIDC_ISSUER).hostname or ""


def question(*, back: str, at: int, seconds: int) -> Question:
    """Return what is new to each question: what its answer must bring, and what nobody else knows."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _each in range(3))
    return Question(state, nonce, verifier, back, at, seconds)


def address(asked: Question, *, language: str) -> str:
    """Return where a browser asks a question.

    :raises Failure: busy, away, unclear
    """
    provider = _discovered()
    said = {
        "response_type": "code",
        "scope": SCOPE,
        "client_id": settings.KAKUTEI_OIDC_CLIENT_ID,
        "redirect_uri": asked.back,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": urlsafe_b64encode(sha256(asked.verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "max_age": str(asked.seconds),
        "ui_locales": language,
    }
    if not asked.seconds:
        said["prompt"] = "login"
    if wanted := [value for kind, value in settings.KAKUTEI_OIDC_FACTOR if kind == "acr"]:
        said["acr_values"] = " ".join(wanted)
    separator = "&" if urlsplit(provider.authorization).query else "?"
    return f"{provider.authorization}{separator}{urlencode(said)}"


def known(asked: Question, code: str, *, now: datetime) -> Known:
    """Return whom the provider says that a code stands for.

    :raises Failure: busy, away, unclear, code, token, clock, shown_before
    """
    provider = _discovered()
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked.back, "code_verifier": asked.verifier}
    client, secret = settings.KAKUTEI_OIDC_CLIENT_ID, settings.KAKUTEI_OIDC_CLIENT_SECRET
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if provider.method == BASIC:
        # Encoded before, as RFC 6749 has it (2.3.1).
        both = f"{quote_plus(client)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {b64encode(both.encode()).decode()}"
    else:
        said |= {"client_id": client, "client_secret": secret}
    token = _fetched(provider.token, headers, urlencode(said).encode()).get("id_token")
    if not isinstance(token, str):
        raise Failure("unclear", "no id_token")
    return _believed(asked, token, _fetched(provider.keys).get("keys"), now=int(now.timestamp()))


def _believed(asked: Question, token: str, keys: object, *, now: int) -> Known:
    issuer, client = settings.KAKUTEI_OIDC_ISSUER, settings.KAKUTEI_OIDC_CLIENT_ID
    essential = {"iss": issuer, "aud": client, "nonce": asked.nonce}
    wanted: dict[str, Any] = {claim: {"essential": True, "value": value} for claim, value in essential.items()}
    wanted |= {claim: {"essential": True} for claim in ("sub", "exp", "iat", "auth_time")}
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        claims = jwt.decode(token, lambda signed: _key(keys, signed.headers()), registry=registry).claims
        jwt.JWTClaimsRegistry(now=now, leeway=LEEWAY_SECONDS, **wanted).validate(claims)
    except ExpiredTokenError as error:
        raise Failure("clock", error) from error
    except InvalidClaimError as error:
        raise Failure("clock" if error.claim in {"iat", "nbf"} else "token", error) from error
    except _WRONG as error:
        raise Failure("token", error) from error
    # The library takes a token that is for others as well, and a value in a list for the value.
    if claims["aud"] not in (client, [client]) or claims.get("azp", client) != client:
        raise Failure("token", "aud")
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), asked.nonce.encode()):
        raise Failure("token", "nonce")
    if not identities.is_subject(claims["sub"]):
        raise Failure("token", "sub")
    shown_at = claims["auth_time"]
    if type(shown_at) not in {int, float} or not 0 < shown_at <= now + LEEWAY_SECONDS:
        raise Failure("clock", "auth_time")
    if shown_at < asked.at - asked.seconds - LEEWAY_SECONDS:
        raise Failure("shown_before", "auth_time")
    return Known(issuer, claims["sub"], min(int(shown_at), now), _has_factor(claims))


def _has_factor(claims: Mapping[str, Any]) -> bool:
    """Return whether the provider says that it asked for what the settings take for a second factor."""
    methods = claims.get("amr")
    said = {("amr", each) for each in methods if isinstance(each, str)} if isinstance(methods, list) else set()
    if isinstance(claims.get("acr"), str):
        said.add(("acr", claims["acr"]))
    return any(each in said for each in settings.KAKUTEI_OIDC_FACTOR)


def _key(keys: object, header: Mapping[str, Any]) -> Any:
    """Return the provider's key that a token names; the one that there is, where it names none."""
    listed = [each for each in keys if isinstance(each, dict)] if isinstance(keys, list) else []
    listed = [each for each in listed if each.get("use", "sig") == "sig" and each.get("kty") in {kind.key_type for kind in KEYS}]
    found = [each for each in listed if each.get("kid") == header["kid"]] if "kid" in header else listed
    if len(found) != 1 or found[0].get("alg", header.get("alg")) != header.get("alg"):
        raise Failure("token", "key")
    # Looked at before the library does, which only warns.
    if found[0]["kty"] == RSAKey.key_type and _bits(found[0]["n"]) < RSA_BITS_LEAST:
        raise Failure("token", "key too short")
    return JWKRegistry.import_key(found[0])


def _bits(number: str) -> int:
    return int.from_bytes(urlsafe_b64decode(number + "=="), "big").bit_length()


def _discovered() -> Provider:
    """Return what the provider says of itself, of which its issuer must be the one that was set."""
    issuer = settings.KAKUTEI_OIDC_ISSUER
    said = _fetched(issuer.rstrip("/") + WELL_KNOWN)
    if said.get("issuer") != issuer:
        raise Failure("unclear", "another issuer")
    places = [said.get(each) for each in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    methods = said.get("token_endpoint_auth_methods_supported", [BASIC])
    method = next((each for each in (BASIC, POST) if isinstance(methods, list) and each in methods), None)
    if not all(map(_is_safe, places)) or method is None:
        raise Failure("unclear", "endpoints or ways to show who this is")
    authorization, token, keys = map(str, places)
    return Provider(authorization, token, keys, method)


def _is_safe(place: object) -> bool:
    """Return whether something is an address that is asked: by HTTPS, or in development on this machine."""
    if not isinstance(place, str) or not place.isascii() or not place.isprintable() or " " in place:
        return False
    try:
        parts = urlsplit(place)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and settings.IS_DEVELOPMENT and _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fetched(place: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> dict[str, Any]:
    """Return the object that the provider answers with at an address; what it refuses of a code is told apart."""
    parts = urlsplit(place)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Accept": "application/json", **(headers or {})}
    asked = outgoing.Request(parts, "GET" if body is None else "POST", target, sent, body)
    if not _asking.acquire(blocking=False):
        raise Failure("busy")
    try:
        status, content = outgoing.send(asked, seconds=SECONDS_MOST, read=_read)
    except (OSError, http.client.HTTPException) as error:
        kind = "tls" if isinstance(error, ssl.SSLError) else type(error).__name__
        raise Failure("away", f"{parts.hostname} {kind}: {error}") from error
    finally:
        _asking.release()
    if status != OK:
        raise Failure("code" if body is not None and 400 <= status < 500 else "away", f"{parts.hostname} answered {status}")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Failure("unclear", f"{parts.hostname}: {error}") from error
    if not isinstance(found, dict):
        raise Failure("unclear", parts.hostname)
    return found


def _read(answer: http.client.HTTPResponse) -> tuple[int, bytes]:
    """Return status and body of an answer.

    :raises http.client.HTTPException: it ends before its end, or is longer than any answer to this
    """
    content = answer.read(BYTES_MOST + 1)
    # Read up to a bound, the library does not say that there was less than was announced.
    if len(content) > BYTES_MOST or answer.length:
        raise http.client.IncompleteRead(content[:0])
    return answer.status, content
