"""The server keeps its connections to the database from one request to the next, and outlives their end."""

import pytest
from django.db import connection

from tests.support.serving import Server

pytestmark = [pytest.mark.serial, pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

REQUESTS = 60
# Two processes of eight threads.
KEPT_MOST = 16


def look(server: Server, token: str) -> int:
    return server.send(server.head("GET", "/api/v1/books/", token)).status


def begun() -> int:
    """Return how many connections the database has been asked for."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Connections'")
        return int(cursor.fetchone()[1])


def test_many_requests_need_no_more_connections_than_there_are_threads(server: Server, token: str) -> None:
    before = begun()
    assert {look(server, token) for _time in range(REQUESTS)} == {200}
    assert begun() - before <= KEPT_MOST


def test_a_connection_that_the_database_has_ended_is_no_fault_of_the_next_request(server: Server, token: str) -> None:
    assert {look(server, token) for _time in range(KEPT_MOST)} == {200}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE()")
        ended = [key for (key,) in cursor.fetchall()]
        for key in ended:
            cursor.execute("KILL %s", [key])
    assert ended
    assert {look(server, token) for _time in range(REQUESTS)} == {200}
