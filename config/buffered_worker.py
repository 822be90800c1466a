"""gunicorn's worker of threads, behind a buffer of its own: a thread is given a request only when all of it that fits the buffer has come in.

As gunicorn has it, a client that sends half a request holds a thread for as long as he likes, and as many of these as there are threads stop the server.
Here the one loop that waits for all connections collects what comes in, turns out a client that is too slow, and answers one request a connection: what
follows a request on the same connection is never taken for another.

A worker all of whose threads are at work takes no connection in: a client that comes meanwhile waits where every worker looks, and is taken by the first that has
a thread for him. gunicorn's own takes in as many as it may, and those wait for its threads while another worker's have nothing to do.
"""

import re
import selectors
import socket
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import TConn, ThreadWorker

# How long a client may take for its head and a body that fits the buffer, and for each piece of a larger one.
SECONDS_TO_SEND: Final = 20
SECONDS_A_PIECE: Final = 30
SECONDS_TO_CLOSE: Final = 2
# A body up to this is collected before a thread is given to it: every body but files.
BUFFERED_BYTES: Final = 2_600_000
PIECE_BYTES: Final = 65_536
HEAD_BYTES_MOST: Final = 131_072
END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
WAITS: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
GO_ON: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# What gunicorn refuses before the application sees it: the status and the code of each.
REFUSED: Final[dict[type[Exception], tuple[int, str]]] = {
    errors.LimitRequestLine: (414, "address_too_long"),
    errors.LimitRequestHeaders: (431, "headers_too_large"),
    errors.ExpectationFailed: (417, "expectation_failed"),
    errors.UnsupportedTransferCoding: (501, "transfer_coding_unknown"),
}


class Waiting:
    """A connection whose request has not come in yet, or one that is closing."""

    def __init__(self, connection: Any, until: float) -> None:
        """Begin with nothing received."""
        self.connection = connection
        self.until = until
        self.received = bytearray()
        self.told_to_go_on = False
        self.is_closing = False


class BufferedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn brings no types
    """Threads that are given whole requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with nobody waiting."""
        super().__init__(*args, **kwargs)
        self._waiting: dict[int, Waiting] = {}
        self._answering = 0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what the buffer would not be in front of."""
        if cfg.is_ssl or cfg.keepalive:
            log.error(
                "This worker neither ends TLS, which the proxy in front does, nor keeps connections: unset certfile, keyfile and keep-alive."
            )
            raise SystemExit(1)

    def accept(self, listener: Any) -> None:
        """Take a connection in, and wait for its request."""
        try:
            client, address = listener.accept()
        except OSError:
            return
        if self.nr_conns >= self.worker_connections - self.cfg.threads:
            # A full house: the client that has waited longest has had his time.
            for longest in list(self._waiting.values())[:1]:
                self._turn_out(longest)
        self.nr_conns += 1
        self._await(Waiting(TConn(self.cfg, client, address, listener.getsockname()), monotonic() + SECONDS_TO_SEND))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - as gunicorn calls it
        """Take connections in, or leave them to others; gunicorn's loop asks for it again each time that it goes round."""
        super().set_accept_enabled(enabled and self._answering < self.cfg.threads)

    def murder_pending(self) -> None:
        """Turn out clients that have not sent a request in time. Called by the loop about once a second."""
        now = monotonic()
        for each in list(self._waiting.values()):
            if each.until < now or not (self.alive or each.is_closing):
                self._turn_out(each)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Close a connection that was answered, without waiting for it: bytes that are still coming in would otherwise cut the answer off."""
        del fs
        self._answering -= 1
        closing = Waiting(conn, monotonic() + SECONDS_TO_CLOSE)
        closing.is_closing = True
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self._await(closing)
        except (OSError, ValueError):
            self.nr_conns -= 1
            conn.close()

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer a request; what of its body has not come in yet must do so piece by piece in time, and the answer must be taken."""
        conn.sock.settimeout(SECONDS_A_PIECE)
        if getattr(conn, "told_to_go_on", False):
            req._expected_100_continue = False  # noqa: SLF001 - it has been told already
        return bool(super().handle_request(req, conn))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what gunicorn itself refuses, or fails at, as a problem."""
        del req
        is_refused = isinstance(exc, errors.ParseException)
        if is_refused:
            self.log.warning("Refused a request from %s: %s", (addr or ("", 0))[0], type(exc).__name__)
        else:
            self.log.error("Error handling request", exc_info=exc)
        number, code = next(
            (found for kind, found in REFUSED.items() if isinstance(exc, kind)),
            (400, "shape_invalid") if is_refused else (500, "server_error"),
        )
        try:
            write_nonblock(client, _answer(number, code))
        except OSError:
            self.log.debug("The client asked has gone.")

    def _await(self, each: Waiting) -> None:
        number = each.connection.sock.fileno()
        self.poller.register(number, selectors.EVENT_READ, partial(self._received, each))
        self._waiting[number] = each

    def _received(self, each: Waiting, _descriptor: Any) -> None:
        """Take in what a connection has sent; hand it to a thread when it is whole."""
        try:
            piece = each.connection.sock.recv(PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if each.is_closing and piece:
            return
        each.received += piece
        # What ends in the middle goes on to a thread too, which tells a body that was cut.
        if not each.received or each.is_closing:
            self._turn_out(each)
        elif len(each.received) > HEAD_BYTES_MOST and END not in each.received:
            self._refuse(each, 431, "headers_too_large")
        elif not piece or self._is_whole(each):
            self._hand_over(each)

    def _is_whole(self, each: Waiting) -> bool:
        """Whether the head is there, and of a body as much as is collected."""
        end = each.received.find(END)
        if end < 0:
            return False
        head = bytes(each.received[: end + 2])
        said = LENGTH.search(head)
        length = int(said[1]) if said else 0
        if length > BUFFERED_BYTES or end + len(END) + length <= len(each.received):
            return True
        if not each.told_to_go_on and WAITS.search(head):
            each.told_to_go_on = each.connection.told_to_go_on = True
            try:
                each.connection.sock.send(GO_ON)
            except OSError:
                return True
        return False

    def _hand_over(self, each: Waiting) -> None:
        self._forget(each)
        connection = each.connection
        connection.init()
        connection.parser.unreader.unread(bytes(each.received))
        self._answering += 1
        self.enqueue_req(connection)
        if self._accepting:
            self.set_accept_enabled(True)

    def _refuse(self, each: Waiting, number: int, code: str) -> None:
        """Answer without a thread, and let what is still coming in run out."""
        try:
            write_nonblock(each.connection.sock, _answer(number, code))
            each.connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._turn_out(each)
        else:
            each.received.clear()
            each.is_closing, each.until = True, monotonic() + SECONDS_TO_CLOSE

    def _turn_out(self, each: Waiting) -> None:
        self._forget(each)
        self.nr_conns -= 1
        if each.received and not each.is_closing:
            try:
                write_nonblock(each.connection.sock, _answer(408, "too_slow"))
            except OSError:
                self.log.debug("The client asked has gone.")
        each.connection.close()

    def _forget(self, each: Waiting) -> None:
        number = each.connection.sock.fileno()
        self._waiting.pop(number, None)
        try:
            self.poller.unregister(number)
        except (OSError, KeyError, ValueError):
            self.log.debug("A connection was gone already.")


def _answer(number: int, code: str) -> bytes:
    from config.doors.api import problems

    body = problems.text_of(number, code)
    lines = [
        f"HTTP/1.1 {number} {HTTPStatus(number).phrase}",
        f"Content-Type: {problems.MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        "Cache-Control: private, no-store",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + END + body
