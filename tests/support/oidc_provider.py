"""A small provider of OpenID Connect on this machine, which answers over HTTP as a test wants it to, and checks what it is sent as a strict one does."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from config.doors import callers as doorways
from tests.support.listening import Listening

CLIENT = "kakutei"
SECRET = "a-password-of-these-tests"
BACK = "http://testserver/admin/login/provider/back/"
Behaviour = Callable[["Provider", BaseHTTPRequestHandler], bool]


def to_json(handler: BaseHTTPRequestHandler, said: Any, status: int = 200) -> None:
    """Answer with an object."""
    content = json.dumps(said).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


class Provider(Listening):
    """Listens until it is closed. ``subject`` is who sits before it, and showed it ``shown_seconds`` ago who they are, unless it is to ask again."""

    def __init__(self) -> None:
        """Listen on a port of its own, with one key."""
        self.subject = "a1b2-of-the-provider"
        self.shown_seconds = 0
        self.asks_again = True
        self.back = BACK
        self.more: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
        # As they are, or as JSON has them.
        self.published: list[Any] = [self.key]
        self.document: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], Any] = self.signed
        # Called first; answers itself where it returns True.
        self.behaviour: Behaviour = lambda _provider, _handler: False
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.requests: list[str] = []
        super().__init__()

    @property
    def issuer(self) -> str:
        """What it calls itself, and where it listens."""
        return f"{self.root}/realm"

    def heard(self, handler: BaseHTTPRequestHandler, body: bytes | None) -> None:
        """Answer a request."""
        parts = urlsplit(handler.path)
        self.requests.append(parts.path)
        if self.behaviour(self, handler):
            return
        {
            "/realm/.well-known/openid-configuration": self._discovery,
            "/realm/authorize": self._authorize,
            "/realm/token": self._token,
            "/realm/keys": self._keys,
        }[parts.path](handler, parts.query if body is None else body.decode())

    def signed(self, claims: dict[str, Any]) -> str:
        """Return an ID token that is right."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key, algorithms=["RS256"])

    def _discovery(self, handler: BaseHTTPRequestHandler, _query: str) -> None:
        here = self.issuer
        said = {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        to_json(handler, {**said, **self.document})

    def _authorize(self, handler: BaseHTTPRequestHandler, query: str) -> None:
        said = {name: values[0] for name, values in parse_qs(query).items()}
        self.asked.append(said)
        assert (said["client_id"], said["redirect_uri"], said["scope"]) == (CLIENT, self.back, "openid"), said
        assert (said["response_type"], said["code_challenge_method"]) == ("code", "S256"), said
        code = secrets.token_urlsafe(16)
        is_asked_again = self.asks_again and (said.get("prompt") == "login" or self.shown_seconds > int(said["max_age"]))
        now = int(doorways.now().timestamp())
        self.codes[code] = {**said, "auth_time": str(now if is_asked_again else now - self.shown_seconds)}
        back = urlencode({"code": code, "state": said["state"], "iss": self.issuer})
        handler.send_response(302)
        handler.send_header("Location", f"{self.back}?{back}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _token(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        said = {name: values[0] for name, values in parse_qs(body).items()}
        client, secret = said.get("client_id", ""), said.get("client_secret", "")
        if handler.headers.get("Authorization"):
            both = base64.b64decode(handler.headers["Authorization"].removeprefix("Basic ")).decode()
            client, secret = map(unquote_plus, both.split(":"))
        asked = self.codes.pop(said["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(said["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        is_right = asked is not None and (client, secret) == (CLIENT, SECRET) and asked["redirect_uri"] == said["redirect_uri"]
        if asked is None or not is_right or asked["code_challenge"] != challenge:
            to_json(handler, {"error": "invalid_grant"}, 400)
            return
        now = int(doorways.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.subject, "nonce": asked["nonce"], "iat": now, "exp": now + 300}
        claims |= {"auth_time": int(asked["auth_time"]), **self.more}
        to_json(handler, {"access_token": "not-used-here", "token_type": "Bearer", "id_token": self.sign(claims)})

    def _keys(self, handler: BaseHTTPRequestHandler, _query: str) -> None:
        listed = [each if isinstance(each, dict) else each.as_dict(private=False) for each in self.published]
        to_json(handler, {"keys": listed})
