"""Behind a server that speaks ASGI the same holds: a body whose length nobody said is not dropped, but refused."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from config.asgi import application

BODY = b'{"version": 99999}'


@async_to_sync
async def status_of(*headers: tuple[bytes, bytes]) -> int:
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "2",
        "method": "POST",
        "path": "/api/v1/batches/1/transitions/apply/",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    server = ApplicationCommunicator(application, scope)
    await server.send_input({"type": "http.request", "body": BODY[:5], "more_body": True})
    await server.send_input({"type": "http.request", "body": BODY[5:], "more_body": False})
    begun = await server.receive_output(10)
    await server.receive_output(10)
    await server.wait(10)
    return int(begun["status"])


@pytest.mark.django_db(transaction=True)
def test_a_body_without_a_length_is_refused() -> None:
    assert status_of() == 411
    assert status_of((b"transfer-encoding", b"chunked")) == 411
    assert status_of((b"content-length", b"%d" % len(BODY))) == 401
