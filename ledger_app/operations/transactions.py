"""The outermost transaction: the one place where it is opened and where it is tried again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from ledger_app import errors, locks
from ledger_app.operations import measuring

TRIES = 5

# MariaDB and MySQL: 1205 lock wait timeout, 1213 deadlock, 1020 record changed since last read. The server has undone the work, or (1205)
# Django undoes it when the block is left.
BUSY = frozenset({1020, 1205, 1213})
# 1040 too many connections, 1053 shutting down, 1927 killed, 2002 and 2003 not there, 2006 gone away, 2013 lost during query, 2055 lost, 4031
# ended by the server: whether a COMMIT landed is unknown.
LOST = frozenset({1040, 1053, 1927, 2002, 2003, 2006, 2013, 2055, 4031})
DUPLICATE = 1062
MEETING = "two writers met on a unique key"

Result = TypeVar("Result")


def run(work: Callable[[], Result], *, meets_on: str = "") -> Result:
    """Run ``work`` in the outermost transaction and return its result.

    A deadlock, a lock that was not free in time, and two writers that met on a unique key are tried again, a bounded number of times, from
    the beginning: ``work`` reads again all it decides on. ``meets_on`` is the refusal of a trigger on which two writers meet as on a key.

    :raises errors.TryAgain: when the last try failed, or the connection was lost. The outcome of a lost COMMIT is unknown; the callers are
        written so that the same call again finds what landed.
    """
    if locks.is_counting():
        raise RuntimeError("the outermost transaction is open already")
    cause = ""
    for number in range(TRIES):
        try:
            with transaction.atomic(durable=True):
                locks.begin()
                result = work()
                done = time.perf_counter()
        except (DatabaseError, InterfaceError) as error:
            cause = passing_cause(error) or (MEETING if meets_on and meets_on in str(error) else "")
            measuring.count(_counted(cause))
            if cause == "lost":
                connection.close()
                break
            if not cause:
                raise
        else:
            measuring.add("commit", time.perf_counter() - done)
            measuring.count("commits")
            return result
        finally:
            locks.end()
        if number + 1 < TRIES:
            # Jitter, so that two that met do not meet again.
            time.sleep(random.uniform(0.01, 0.05) * 2**number)  # noqa: S311 - not a secret
    raise errors.TryAgain(cause=cause)


def passing_cause(error: DatabaseError | InterfaceError) -> str:
    """Return why the same may succeed later, or an empty string where it never will: a trigger's refusal, a right that is missing."""
    code = error.args[0] if error.args else None
    if isinstance(error, InterfaceError):
        return "lost"  # the driver's word for a connection that it has closed
    if isinstance(error, OperationalError):
        if code in LOST:
            return "lost"
        if code in BUSY:
            return f"busy ({code})"
        if "database is locked" in str(error):
            return "busy (locked)"
    if isinstance(error, IntegrityError) and (code == DUPLICATE or "UNIQUE constraint failed" in str(error)):
        return MEETING
    return ""


def _counted(cause: str) -> str:
    """Return the name under which a cause is counted."""
    if cause in {"lost", ""}:
        return cause or "surprises"
    if cause.startswith("busy"):
        return "deadlocks" if "1213" in cause or "1020" in cause else "lock_waits"
    return "meetings"
