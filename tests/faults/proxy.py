"""A way to the database that can be cut: a TCP proxy that recognises COMMIT, and closes the connection before it, while it runs, or after it."""

import select
import socket
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

# Length, number of the packet, COM_QUERY, the statement: as mysql_commit sends it.
COMMIT = b"\x07\x00\x00\x00\x03COMMIT"
PIECE_BYTES = 1 << 16


class Cut(NamedTuple):
    """Where to cut: ``before`` the COMMIT reaches the server, ``during`` it (it was sent, nobody waits), or ``after`` it (the answer is lost).

    ``commits`` is how many COMMITs pass unharmed since the cut before this one.
    """

    commits: int
    when: str


class Proxy:
    """Listens on a port of its own at 127.0.0.1 and passes everything on to ``port``, cutting as planned."""

    def __init__(self, *, port: int, cuts: Sequence[Cut], told: Callable[[Cut], None]) -> None:
        """Plan the cuts; ``told`` hears of each that was made."""
        self._target = ("127.0.0.1", port)
        self._cuts = list(cuts)
        self._told = told
        self._passed = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Begin to listen."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Take no further connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Pass on both ways until one side ends or the connection is cut. An end of one side is the end of both."""
        with client:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return  # the server is away, which the client is to notice
            with server:
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    while self._pass_on(client, server):
                        pass
                except OSError:
                    return

    def _pass_on(self, client: socket.socket, server: socket.socket) -> bool:
        ready, _, _ = select.select([client, server], [], [])
        for source in ready:
            piece = source.recv(PIECE_BYTES)
            cut = self._due() if source is client and piece == COMMIT else None
            if cut is not None and cut.when == "before":
                self._told(cut)
                return False
            (server if source is client else client).sendall(piece)
            if cut is not None:
                if cut.when == "after":
                    server.recv(PIECE_BYTES)  # the answer, which the client will not see
                self._told(cut)
                return False
            if not piece:
                return False
        return True

    def _due(self) -> Cut | None:
        """Count one COMMIT and return the cut that is planned for it."""
        with self._lock:
            if self._cuts and self._passed == self._cuts[0].commits:
                self._passed = 0
                return self._cuts.pop(0)
            self._passed += 1
            return None
