"""A small server on this machine, which a test talks to as to somebody else's."""

import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Listening(ABC):
    """Listens on a port of its own until it is closed."""

    def __init__(self) -> None:
        """Begin to listen; what ``heard`` needs is set before."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._hear(None)

            def do_POST(self) -> None:
                self._hear(self.rfile.read(int(self.headers["Content-Length"])))

            def _hear(self, body: bytes | None) -> None:
                # The client asked may have gone away meanwhile.
                with suppress(OSError):
                    outer.heard(self, body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @abstractmethod
    def heard(self, handler: BaseHTTPRequestHandler, body: bytes | None) -> None:
        """Answer a request; ``body`` is None where it has none."""

    @property
    def root(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Listen no more; once more changes nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(10)
