"""A receiver of webhooks on this machine, which answers as a test wants it to."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook as Verifier

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


class Receiver:
    """Listens until it is closed; ``behaviour`` answers, once the request is written down."""

    def __init__(self, behaviour: Behaviour = taking) -> None:
        """Listen on a port of its own."""
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.is_over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                with suppress(OSError):
                    outer.behaviour(outer, self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook?from=kakutei"

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that came, in their order."""
        return [each.number for each in self.received]

    def close(self) -> None:
        """Listen no more."""
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
