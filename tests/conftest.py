"""What every test has: a database of its own, a flush that append-only tables survive, users by role, markers and profiles."""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management.color import Style
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from pytest_django.plugin import DjangoDbBlocker

from tests import schema
from tests.support import kept

if TYPE_CHECKING:
    # Models can be imported only when Django is set up, which is after this file is read.
    from ledger_app.base.operations.audit import Caller
    from ledger_app.models import User

hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True, derandomize=True)
# A password is hashed slowly so that it is guessed slowly, and nobody guesses here.
PBKDF2PasswordHasher.iterations = 1_000
# Nor is a test that asks thousands of times a flood.
django_settings.KAKUTEI_REQUESTS_A_MINUTE = 1_000_000
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kakutei")
    group.addoption("--serial", choices=["only", "none"], help="run only the tests marked serial, or none of them")
    group.addoption(
        "--tally",
        type=Path,
        metavar="FILE",
        help="write the counts, the seconds of each test and the database's version to FILE as JSON",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--serial")
    if wanted is not None:
        kept = [item for item in items if (item.get_closest_marker("serial") is not None) == (wanted == "only")]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept
    if connection.vendor == "mysql":
        # What asks no database is the same beside either; it is run in the other half.
        config.hook.pytest_deselected(items=[item for item in items if not asks_database(item)])
        items[:] = [item for item in items if asks_database(item)]
    else:
        for item in items:
            if item.get_closest_marker("mariadb") is not None:
                item.add_marker(pytest.mark.skip(reason="needs MariaDB or MySQL: make test runs it there"))


def asks_database(item: pytest.Item) -> bool:
    """Whether a test is given a database, by its mark or by one of its fixtures, and may find another answer before another database."""
    if item.get_closest_marker("anywhere") is not None:
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    marks = (item.get_closest_marker(name) for name in ("django_db", "mariadb"))
    return any(mark is not None for mark in marks) or bool(fixtures & {"db", "transactional_db", "live_server"})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    engine = database_version()
    terminalreporter.write_line(f"database: {engine}")
    tally: Path | None = config.getoption("--tally")
    if tally is not None:
        counts = {name: len(terminalreporter.getreports(name)) for name in ("passed", "failed", "error", "skipped", "xfailed")}
        seconds: Counter[str] = Counter()
        for report in (each for reports in terminalreporter.stats.values() for each in reports if hasattr(each, "duration")):
            seconds[report.nodeid] += report.duration
        tally.write_text(json.dumps({"engine": engine, "counts": counts, "seconds": seconds}))


def database_version() -> str:
    """Return the name and version of the database that the tests run on."""
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    # Past the guard of pytest-django, which lets only tests connect, and to no database: the tests' own is gone by now.
    raw = connection.get_new_connection({**connection.get_connection_params(), "database": ""})
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT VERSION()")
        number, _, rest = str(cursor.fetchone()[0]).partition("-")
        return f"{'MariaDB' if 'MariaDB' in rest else 'MySQL'} {number}"
    finally:
        raw.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give each run of the tests its own SQLite file, so that two at once in one folder do not meet."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> bool:
    """Lay the tables out from the copy that an earlier run kept. Django then finds them there, and migrates nothing."""
    with django_db_blocker.unblock():
        try:
            return schema.lay_out(connection, connection.creation._get_test_db_name())  # type: ignore[attr-defined]
        finally:
            connection.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make the flush after a transactional test work on append-only tables, and keep the rows that migrations made."""
    with django_db_blocker.unblock():
        schema.keep(connection)
        schema.turn.give()
        made_by_migrations = highest_ids(connection)
        keep_copies(connection, made_by_migrations)
    # On the class: while a browser is driven, an event loop runs and the connection in use is another object.
    operations = type(connection.ops)
    flush_of_django = operations.sql_flush

    def sql_flush(self: BaseDatabaseOperations, style: Style, tables: list[str], **_options: object) -> list[str]:
        return flush_statements(self.connection, tables, made_by_migrations)

    operations.sql_flush = sql_flush  # type: ignore[method-assign, assignment]
    yield
    with django_db_blocker.unblock():
        kept.standing.end()
    operations.sql_flush = flush_of_django  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Generator[None, Any, Any]:
    """Before a test is given its database, have stand what it stands on."""
    if fixturedef.argname == "_django_db_helper":
        with request.getfixturevalue("django_db_blocker").unblock():
            kept.standing.before(request.node, request.getfixturevalue("tmp_path_factory"))
    return (yield)


def highest_ids(database: BaseDatabaseWrapper) -> dict[str, tuple[str, int]]:
    """Return key and highest number of each table that has rows and a key that is a number."""
    found = {}
    with database.cursor() as cursor:
        for table in database.introspection.django_table_names(only_existing=True, include_views=False):
            key = database.introspection.get_primary_key_column(cursor, table)
            if key is None:
                continue
            cursor.execute(f"SELECT MAX({database.ops.quote_name(key)}) FROM {database.ops.quote_name(table)}")
            (highest,) = cursor.fetchone()
            if isinstance(highest, int):
                found[table] = (key, highest)
    return found


def keep_copies(database: BaseDatabaseWrapper, kept: dict[str, tuple[str, int]]) -> None:
    """On MariaDB, copy what migrations left: tables that refuse DELETE are emptied whole, and filled again."""
    if database.vendor != "mysql":
        return
    with database.cursor() as cursor:
        for table in kept:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS `kept_{table}` AS SELECT * FROM `{table}`")


def flush_statements(database: BaseDatabaseWrapper, tables: list[str], kept: dict[str, tuple[str, int]]) -> list[str]:
    """Return the statements that empty ``tables`` down to the numbers in ``kept``, around the triggers that forbid it."""
    with database.cursor() as cursor:
        dirty = [table for table in tables if has_rows(cursor, database.ops.quote_name(table), kept.get(table))]
        # Last: what is removed, and what is filled in again, leaves traces.
        dirty.sort(key=lambda table: table == "ledger_app_trace")
        if database.vendor == "mysql" and dirty and "ledger_app_trace" in tables and dirty[-1] != "ledger_app_trace":
            dirty.append("ledger_app_trace")
        triggers = triggers_of(database, cursor, dirty)
    guarded = {table for table, _, _ in triggers}
    deletes = []
    for table in dirty:
        name = database.ops.quote_name(table)
        if database.vendor == "mysql" and table in guarded:
            # TRUNCATE fires no trigger.
            deletes.append(f"TRUNCATE {name}")
            if table in kept:
                deletes.append(f"INSERT INTO {name} SELECT * FROM `kept_{table}`")
        else:
            deletes.append(
                f"DELETE FROM {name}"
                + (f" WHERE {database.ops.quote_name(kept[table][0])} > {kept[table][1]}" if table in kept else "")
            )
    if not deletes:
        return []
    if "ledger_app_event" in dirty:
        # What migrations left is kept, and this counts events that are gone.
        deletes.append("UPDATE ledger_app_feed SET last_number = 0")
    if database.vendor == "mysql":
        return ["SET FOREIGN_KEY_CHECKS = 0", *deletes, "SET FOREIGN_KEY_CHECKS = 1"]
    drops = [f"DROP TRIGGER {database.ops.quote_name(name)}" for _, name, _ in triggers]
    return [*drops, *deletes, *(statement for _, _, statement in triggers)]


def has_rows(cursor: Any, quoted_table: str, above: tuple[str, int] | None) -> bool:
    """Tell whether the table has rows, above the number of its key when one is given."""
    cursor.execute(f"SELECT 1 FROM {quoted_table}" + ("" if above is None else f" WHERE {above[0]} > {above[1]}") + " LIMIT 1")
    return cursor.fetchone() is not None


def triggers_of(database: BaseDatabaseWrapper, cursor: Any, tables: list[str]) -> list[tuple[str, str, str]]:
    """Return (table, trigger, the statement that makes it) of the triggers on ``tables``; on MariaDB, of those that refuse DELETE, no statement."""
    if database.vendor == "sqlite":
        cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid")
    else:
        cursor.execute(
            "SELECT event_object_table, trigger_name, '' FROM information_schema.triggers"
            " WHERE trigger_schema = DATABASE() AND event_manipulation = 'DELETE' AND action_timing = 'BEFORE'"
        )
    return [row for row in cursor.fetchall() if row[0] in tables]


@pytest.fixture(autouse=True)
def files_dir(settings: Any, tmp_path: Path) -> Path:
    """Keep the bytes of received files in the test's own folder, and return it."""
    directory = tmp_path / "files"
    settings.KAKUTEI_FILES_DIR = directory
    return directory


class UserMaker(Protocol):
    """Makes a user of a group, or of none."""

    def __call__(self, username: str, group: str | None, *, is_superuser: bool = False) -> "User": ...


class CallerMaker(Protocol):
    """Makes the caller of an operation: who acts, by default now and through a command."""

    def __call__(self, user: "User", *, at: datetime | None = None, door: str = "command") -> "Caller": ...


@pytest.fixture
def make_user(db: None) -> UserMaker:
    """Return a function that makes a user in a group, or in none."""
    from django.contrib.auth.models import Group

    from ledger_app.models import User

    def make(username: str, group: str | None, *, is_superuser: bool = False) -> User:
        user = User.objects.create_user(username=username, is_staff=group is not None, is_superuser=is_superuser)
        if group is not None:
            user.groups.add(Group.objects.get(name=group))
        return user

    return make


@pytest.fixture
def engineer(make_user: UserMaker) -> "User":
    """Receives, validates and applies; the maker."""
    return make_user("engineer-1", "engineer")


@pytest.fixture
def second_engineer(make_user: UserMaker) -> "User":
    """An engineer who did not make what is looked at."""
    return make_user("engineer-2", "engineer")


@pytest.fixture
def finance(make_user: UserMaker) -> "User":
    """Approves and freezes; the checker."""
    return make_user("finance-1", "finance")


@pytest.fixture
def second_finance(make_user: UserMaker) -> "User":
    """A second checker."""
    return make_user("finance-2", "finance")


@pytest.fixture
def support(make_user: UserMaker) -> "User":
    """Looks up and explains."""
    return make_user("support-1", "support")


@pytest.fixture
def auditor(make_user: UserMaker) -> "User":
    """Reads and verifies."""
    return make_user("auditor-1", "auditor")


@pytest.fixture
def outsider(make_user: UserMaker) -> "User":
    """Has an account and no rights."""
    return make_user("outsider-1", None)


@pytest.fixture
def caller_of() -> CallerMaker:
    """Return a function that makes the caller of an operation from a user."""
    from ledger_app.base.operations.audit import Caller

    def caller(user: "User", *, at: datetime | None = None, door: str = "command") -> Caller:
        return Caller(user=user, at=at or datetime.now(UTC), door=door)

    return caller


def with_every_right(user: "User") -> "User":
    """Give a user every right there is, which no superuser's token would have: for what is refused for another reason."""
    from django.contrib.auth.models import Permission

    user.user_permissions.set(Permission.objects.all())
    return user


def issue_token(user: "User", *, operations: list[str] | None = None, books: list[str] | None = None) -> str:
    """Make a token of a user and return its key. It was used just now, so that requests that are counted write nothing of it."""
    from ledger_app.base.operations.audit import Caller
    from ledger_app.models import Token
    from ledger_app.rights.operations import tokens

    at = datetime.now(UTC)
    row = Token(user=user, name="test", operations=operations, books=books, ends_at=at + timedelta(days=90), last_used_at=at)
    # As the operation does once it has asked who may: with its audit row, without which the verification names it.
    return tokens._create(row, "issue", Caller(user, at, "command"), {}).key
