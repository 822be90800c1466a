"""Faults that the drill must find. Nothing in the product knows of them: they are planted in the drill's children, or in its database.

Most stand between the product and the database, where statements pass: so they stay what they are when the product is rewritten.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest import mock

from django.db import OperationalError, connection

from ingestion_app.operations import chunks

DEADLOCK, LOST = 1213, frozenset({2006, 2013})
CHUNK_APPLIED = re.compile(r"UPDATE `ingestion_app_chunk` SET .*`applied_token` = ")
BALANCES_SET = re.compile(r"\s*UPDATE ledger_app_balance ")
BALANCES_LOCKED = re.compile(r"SELECT .* FROM ledger_app_balance .* FOR UPDATE$")
POSTING_LOCKED = re.compile(r"SELECT .* FROM (`ingestion_app_chunk`|ledger_app_balance) .* FOR UPDATE$")
LOCK = " FOR UPDATE"

Execute = Callable[..., Any]
Wrapper = Callable[..., Any]


class Fault(NamedTuple):
    """What is planted: in the database before anything runs, between the product and the database, and in the product."""

    statements: tuple[str, ...] = ()
    wrapper: Wrapper | None = None
    patch: Callable[[], Any] | None = None


def committed_before(pattern: re.Pattern[str]) -> Wrapper:
    """Return what commits before a statement, so that it stands in another transaction than those before it."""

    def wrapper(execute: Execute, sql: str, *given: Any) -> Any:
        if pattern.match(sql):
            with connection.wrap_database_errors:
                connection.connection.commit()
        return execute(sql, *given)

    return wrapper


def unlocked(pattern: re.Pattern[str]) -> Wrapper:
    """Return what takes the locks away from statements: a plain read in their place."""

    def wrapper(execute: Execute, sql: str, *given: Any) -> Any:
        return execute(sql.removesuffix(LOCK) if pattern.match(sql) else sql, *given)

    return wrapper


def tried_again_inside(execute: Execute, sql: str, *given: Any) -> Any:
    """Try a statement again that met a deadlock, in the transaction that the server has undone."""
    try:
        return execute(sql, *given)
    except OperationalError as error:
        if error.args[0] != DEADLOCK:
            raise
        return execute(sql, *given)


def without_fence() -> Any:
    """Return a patch under which whoever ever held a chunk applies it: its state is looked at, the token is not."""
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
    "the chunk's row in another transaction": Fault(wrapper=committed_before(CHUNK_APPLIED)),
    "the balances in another transaction": Fault(wrapper=committed_before(BALANCES_SET)),
    "no keys": Fault(KEYS_GONE),
    RIVAL: Fault(wrapper=unlocked(POSTING_LOCKED)),
    "balances from a plain read": Fault(wrapper=unlocked(BALANCES_LOCKED)),
    "balances from a plain read and no keys": Fault(KEYS_GONE, wrapper=unlocked(BALANCES_LOCKED)),
    "tried again inside the transaction": Fault(wrapper=tried_again_inside),
    "no fence": Fault(patch=without_fence),
    "no fence and no check": Fault((LAST_HOLDER_CHECK_GONE,), patch=without_fence),
    "a lost answer taken for a commit": Fault(patch=believed_at_commit),
}


@contextmanager
def plant(name: str) -> Iterator[None]:
    """Plant a fault in this process."""
    fault = FAULTS[name]
    with fault.patch() if fault.patch else nullcontext(), connection.execute_wrapper(fault.wrapper or passed_on):
        yield


def passed_on(execute: Execute, *given: Any) -> Any:
    """Pass a statement on as it is."""
    return execute(*given)
