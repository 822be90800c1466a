"""A receiver of webhooks on this machine, which answers as a test wants it to."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from standardwebhooks import Webhook as Verifier

from tests.support.listening import Listening

Behaviour = Callable[["Receiver", BaseHTTPRequestHandler], None]


class Received(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def number(self) -> int:
        """The number of the event."""
        return int(json.loads(self.body)["data"]["number"])

    def verified(self, secret: str) -> Any:
        """Return the body, which the receivers' own package has verified."""
        return Verifier(secret).verify(self.body, self.headers)


def taking(_receiver: "Receiver", handler: BaseHTTPRequestHandler) -> None:
    """Take what comes."""
    answer(handler, 204)


def answer(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    """Answer with a status and nothing else."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


class Receiver(Listening):
    """Listens until it is closed; ``behaviour`` answers, once the request is written down."""

    def __init__(self, behaviour: Behaviour = taking) -> None:
        """Listen on a port of its own."""
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.is_over = threading.Event()
        super().__init__()

    def heard(self, handler: BaseHTTPRequestHandler, body: bytes | None) -> None:
        """Write a request down, and answer it."""
        self.received.append(Received(handler.path, {k.lower(): v for k, v in handler.headers.items()}, body or b""))
        self.behaviour(self, handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.root}/hook?from=kakutei"

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that came, in their order."""
        return [each.number for each in self.received]

    def close(self) -> None:
        """Listen no more."""
        self.is_over.set()
        super().close()
