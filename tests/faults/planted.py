"""Faults that the drill must find. Nothing in the product knows of them: they are planted in the drill's children, or in its database.

Most stand between the product and the database, where statements pass: so they stay what they are when the product is rewritten.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest import mock

from django.db import OperationalError, connection

from ingestion_app.applying.operations import chunks

DEADLOCK, LOST = 1213, frozenset({2006, 2013})
CHUNK_APPLIED = re.compile(r"UPDATE `ingestion_app_chunk` SET .*`applied_token` = ")
BALANCES_SET = re.compile(r"\s*UPDATE [^;]*?ledger_app_balance ")
BALANCES_LOCKED = re.compile(r"SELECT .* FROM ledger_app_balance .* FOR UPDATE$")
POSTING_LOCKED = re.compile(r"SELECT .* FROM (`ingestion_app_chunk`|ledger_app_balance) .* FOR UPDATE$")
ANY = re.compile("")
LOCK = " FOR UPDATE"

Execute = Callable[..., Any]
Wrapper = Callable[..., Any]


class Fault(NamedTuple):
    """What is planted: in the database before anything runs, in the way of the statements that ``pattern`` knows, and in the product."""

    statements: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    wrapper: Wrapper | None = None
    patch: Callable[[], Any] | None = None


def committed_before(execute: Execute, sql: str, *given: Any) -> Any:
    """Commit before a statement, so that it stands in another transaction than those before it."""
    with connection.wrap_database_errors:
        connection.connection.commit()
    return execute(sql, *given)


def unlocked(execute: Execute, sql: str, *given: Any) -> Any:
    """Take the lock away from a statement: a plain read in its place."""
    return execute(sql.removesuffix(LOCK), *given)


def tried_again_inside(execute: Execute, sql: str, *given: Any) -> Any:
    """Try a statement again that met a deadlock, in the transaction that the server has undone."""
    try:
        return execute(sql, *given)
    except OperationalError as error:
        if error.args[0] != DEADLOCK:
            raise
        return execute(sql, *given)


def without_fence() -> Any:
    """Return a patch under which anyone who ever held a chunk applies it: its state is looked at, the token is not."""
    gone = chunks._gone
    return mock.patch.object(chunks, "_gone", lambda chunk, leased: gone(chunk, leased._replace(token=chunk.lease_token)))


def believed_at_commit() -> Any:
    """Return a patch under which a COMMIT without an answer is taken for done, and a new connection goes on."""
    commit = connection.commit

    def believing() -> None:
        try:
            commit()
        except OperationalError as error:
            if error.args[0] not in LOST:
                raise
            connection.connection = None

    return mock.patch.object(connection, "commit", believing)


SEQUENCE_KEY_GONE = "ALTER TABLE ledger_app_line DROP INDEX line_sequence_unique, ADD INDEX (account_id, stripe, sequence)"
REFERENCE_KEY_GONE = "ALTER TABLE ledger_app_entry DROP INDEX entry_reference_unique, ADD INDEX (book_id, reference)"
REVERSES_KEY_GONE = "ALTER TABLE ledger_app_entry DROP INDEX reverses_id, ADD INDEX (reverses_id)"
ORIGIN_KEY_GONE = "ALTER TABLE ledger_app_posting DROP INDEX posting_origin_unique"
KEYS_GONE = (SEQUENCE_KEY_GONE, REFERENCE_KEY_GONE, REVERSES_KEY_GONE, ORIGIN_KEY_GONE)
LAST_HOLDER_CHECK_GONE = "ALTER TABLE ingestion_app_chunk DROP CONSTRAINT chunk_applied_by_last"

NONE, RIVAL = "", "no locks where it posts"
FAULTS = {
    NONE: Fault(),
    "the chunk's row in another transaction": Fault(pattern=CHUNK_APPLIED, wrapper=committed_before),
    "the balances in another transaction": Fault(pattern=BALANCES_SET, wrapper=committed_before),
    "no keys": Fault(KEYS_GONE),
    RIVAL: Fault(pattern=POSTING_LOCKED, wrapper=unlocked),
    "balances from a plain read": Fault(pattern=BALANCES_LOCKED, wrapper=unlocked),
    "balances from a plain read and no keys": Fault(KEYS_GONE, pattern=BALANCES_LOCKED, wrapper=unlocked),
    "tried again inside the transaction": Fault(pattern=ANY, wrapper=tried_again_inside),
    "no fence": Fault(patch=without_fence),
    "no fence and no check": Fault((LAST_HOLDER_CHECK_GONE,), patch=without_fence),
    "a lost answer taken for a commit": Fault(patch=believed_at_commit),
}


@contextmanager
def plant(name: str, met: Callable[[], None]) -> Iterator[None]:
    """Plant a fault in this process. ``met`` is called when the first statement passes that the fault changes."""
    fault = FAULTS[name]
    once = iter([met])

    def wrapper(execute: Execute, sql: str, *given: Any) -> Any:
        if fault.wrapper is None or fault.pattern is None or not fault.pattern.match(sql):
            return execute(sql, *given)
        next(once, lambda: None)()
        return fault.wrapper(execute, sql, *given)

    with fault.patch() if fault.patch else nullcontext(), connection.execute_wrapper(wrapper):
        yield
