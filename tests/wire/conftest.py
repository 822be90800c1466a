"""Servers as `make serve` and as the runbook start them, a world behind them, and somebody who may do everything."""

import secrets
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.conftest import UserMaker, issue_token, with_every_right
from tests.support import serving
from tests.support import world as worlds
from tests.support.serving import Server

SESSIONS = {"django_session", "sqlite_sequence"}
LOG_BYTES_SHOWN = 20_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what its server wrote: the answer of a page says only that something went wrong."""
    report = yield
    if report.failed:
        for argument in getattr(item, "funcargs", {}).values():
            if isinstance(argument, Server):
                written = argument.said.read_bytes()[-LOG_BYTES_SHOWN:].decode(errors="replace")
                report.sections.append((f"{argument.said.parent.name}/{argument.said.name}", written))
    return report


@pytest.fixture(scope="session")
def made_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of `make serve`."""
    folder = tmp_path_factory.mktemp("made")
    with serving.serving(folder, *serving.arguments_in("Makefile"), KAKUTEI_UPLOAD_BYTES="1000000") as server:
        yield server


@pytest.fixture(scope="session")
def production_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of the runbook, behind a proxy that ends TLS."""
    said = {
        "KAKUTEI_ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "kakutei.example",
        "KAKUTEI_FACTOR_KEYS": f"wire:{secrets.token_hex(32)}",
        # What is sent through a server is asked here. Who must show a second factor is asked in tests/admin/test_second_factor.py.
        "KAKUTEI_SECOND_FACTOR": "voluntary",
    }
    arguments = serving.arguments_in("docs/runbooks/production-on-mariadb.md")
    folder = tmp_path_factory.mktemp("production")
    with serving.serving(folder, *arguments, host="kakutei.example", added=("X-Forwarded-Proto: https",), **said) as server:
        yield server


@pytest.fixture
def server(request: pytest.FixtureRequest, transactional_db: None) -> Server:
    """One of the two; that of `make serve` where a test does not ask for the other."""
    found: Server = request.getfixturevalue(getattr(request, "param", "made_server"))
    return found


@pytest.fixture
def world(transactional_db: None, files_dir: Any) -> worlds.World:
    return worlds.build(files_dir)


@pytest.fixture
def token(world: worlds.World, make_user: UserMaker) -> str:
    """The header of who has every right: whatever is refused is refused for the way it came in."""
    return f"Authorization: Token {issue_token(with_every_right(make_user('everything-9', 'auditor')))}"


@pytest.fixture
def session(world: worlds.World, make_user: UserMaker) -> tuple[str, str]:
    """The headers of a superuser who is signed in to the admin."""
    client = Client()
    client.force_login(make_user("superuser-8", "auditor", is_superuser=True))
    forged = secrets.token_hex(16)
    return f"Cookie: sessionid={client.cookies['sessionid'].value}; csrftoken={forged}", f"X-CSRFToken: {forged}"


def everything() -> dict[str, list[Any]]:
    """Return every row of every table but the sessions."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - SESSIONS):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found
