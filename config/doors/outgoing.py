"""One request to another host, which is cut off in time however slowly it answers, follows no redirect, and reads no more than it is told to."""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Timer
from typing import NamedTuple, TypeVar
from urllib.parse import SplitResult

HTTPS_PORT, HTTP_PORT = 443, 80

Told = TypeVar("Told")


class Request(NamedTuple):
    """What is sent, and where to: the parts of an address, the method, what stands behind the host, the headers, and a body or None."""

    parts: SplitResult
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


def send(request: Request, *, seconds: float, read: Callable[[http.client.HTTPResponse], Told]) -> Told:
    """Send a request, and return what ``read`` makes of the answer.

    :raises TimeoutError: it took longer than ``seconds``, from the connection to the end of what is read
    :raises OSError: the host was not reached, or not by TLS (``ssl.SSLError``)
    :raises http.client.HTTPException: the answer is none, or ends before its end
    """
    parts = request.parts
    is_plain = parts.scheme == "http"
    host, port = parts.hostname or "", parts.port or (HTTP_PORT if is_plain else HTTPS_PORT)
    reached = socket.create_connection((host, port), timeout=seconds)
    context = ssl.create_default_context()
    wrapped = reached if is_plain else context.wrap_socket(reached, server_hostname=host, do_handshake_on_connect=False)
    is_late: list[bool] = []
    # The timeout of a socket begins anew with each byte: a sender that sends one a second would never be too late.
    guard = Timer(seconds, _cut, [wrapped, is_late])
    guard.start()
    try:
        if isinstance(wrapped, ssl.SSLSocket):
            wrapped.do_handshake()
        asked = http.client.HTTPConnection(host, port) if is_plain else http.client.HTTPSConnection(host, port, context=context)
        asked.sock = wrapped
        asked.request(request.method, request.target, request.body, {**request.headers, "Connection": "close"})
        told = read(asked.getresponse())
    except (OSError, http.client.HTTPException) as error:
        if is_late:
            raise TimeoutError from error
        raise
    finally:
        guard.cancel()
        wrapped.close()
    if is_late:
        raise TimeoutError  # the end that was read was the one that was made here
    return told


def _cut(reached: socket.socket, is_late: list[bool]) -> None:
    """End a connection that somebody else waits on. Of the socket below TLS, which asks nobody."""
    is_late.append(True)
    with suppress(OSError):
        socket.socket.shutdown(reached, socket.SHUT_RDWR)
