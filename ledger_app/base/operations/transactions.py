"""The outermost transaction: the one place where it is opened and where it is tried again."""

import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import measuring
from ledger_app.base.queries import constraints
from ledger_app.errors import files as file_errors
from ledger_app.errors import rows

TRIES = 5

# MariaDB and MySQL: 1205 lock wait timeout, 1213 deadlock, 1020 record changed since last read. The server has undone the work, or (1205)
# Django undoes it when the block is left.
BUSY = frozenset({1020, 1205, 1213})
# 1040 too many connections, 1053 shutting down, 1927 killed, 2002 and 2003 not there, 2006 gone away, 2013 lost during query, 2055 lost, 4031
# ended by the server: whether a COMMIT landed is unknown.
LOST = frozenset({1040, 1053, 1927, 2002, 2003, 2006, 2013, 2055, 4031})
# Tries in which the same two words of the database may be met before it is told that this will not pass.
MET_MOST = 3
DUPLICATE = 1062
# What a trigger refuses is an error of its own on MariaDB and MySQL, and one of integrity on SQLite.
SIGNALLED = 1644
# 1021 disk full, 1114 a table (or a temporary one) is full; SQLite says it in words.
FULL = frozenset({1021, 1114})
NO_ROOM = "no room"
MEETING = "two writers met on a unique key"

Result = TypeVar("Result")

# What the triggers say on which two writers may meet in the one transaction that is open over several operations; None outside of one.
_met_in_whole: ContextVar[set[str] | None] = ContextVar("met_in_whole", default=None)


def run(work: Callable[[], Result], *, meets_on: str = "") -> Result:
    """Run ``work`` in the outermost transaction and return its result.

    A deadlock, a lock that was not free in time, and two writers that met on a unique key on which two can meet are tried again, a bounded
    number of times, from the beginning: ``work`` reads again all it decides on. ``meets_on`` is the refusal of a trigger on which two writers meet as on a key.

    :raises errors.Refused: what the database refuses for good, by its constraint: not_unique, row_refused, row_linked, row_incomplete
    :raises errors.TryAgain: when the last try failed, or the connection was lost. The outcome of a lost COMMIT is unknown; the callers are
        written so that the same call again finds what landed.
    """
    if (met := _met_in_whole.get()) is not None:
        met.add(meets_on)
        return _part(_holding(work))
    return _outermost(_holding(work), {meets_on})


def whole(work: Callable[[], Result]) -> Result:
    """Run ``work``, which calls operations, in one transaction: what each of them would commit by itself is a part of it.

    A part that is refused is undone by itself, as its own transaction would be; ``work`` says what becomes of the rest. It begins anew as a
    whole where ``run`` would. Each part takes its locks in their order; two wholes may wait for each other, and then one of them begins anew.

    :raises errors.Refused: as ``run``
    :raises errors.TryAgain: as ``run``
    """
    if _met_in_whole.get() is not None:
        return _part(work)
    met: set[str] = set()
    token = _met_in_whole.set(met)
    try:
        return _outermost(work, met)
    finally:
        _met_in_whole.reset(token)


def _holding(work: Callable[[], Result]) -> Callable[[], Result]:
    """Have ``work`` take locks, which nothing may that is part of no operation: what joins there is a part of its own."""

    def hold() -> Result:
        locks.begin()
        return work()

    return hold


def _part(work: Callable[[], Result]) -> Result:
    """Run what is a transaction of its own elsewhere, so that its refusal undoes it and nothing else."""
    if locks.is_counting():
        raise RuntimeError("the outermost transaction is open already")
    try:
        with transaction.atomic():
            return work()
    except (DatabaseError, InterfaceError) as error:
        # What others meet on begins anew as a whole.
        refusal = None if passing_cause(error) or _is_meeting(error, _met_in_whole.get() or set()) else refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
    finally:
        locks.end()


def _outermost(work: Callable[[], Result], met_on: set[str]) -> Result:
    if locks.is_counting():
        raise RuntimeError("the outermost transaction is open already")
    cause = ""
    met: list[str] = []
    for number in range(TRIES):
        try:
            with transaction.atomic(durable=True):
                result = work()
                done = time.perf_counter()
        except (DatabaseError, InterfaceError) as error:
            cause = passing_cause(error) or (MEETING if _is_meeting(error, met_on) else "")
            measuring.count(_counted(cause))
            if cause == "lost":
                connection.close()
                break
            if cause == NO_ROOM:
                break
            met.append(str(error))
            if not cause or _stands(error, met):
                refusal = refusal_of(error)
                if refusal is None:
                    raise
                raise refusal from error
        else:
            measuring.add("commit", time.perf_counter() - done)
            measuring.count("commits")
            return result
        finally:
            locks.end()
        if number + 1 < TRIES:
            # Jitter, so that two that met do not meet again.
            time.sleep(random.uniform(0.01, 0.05) * 2**number)  # noqa: S311 - not a secret
    raise again(cause)


def join(work: Callable[[], Result]) -> Result:
    """Run ``work`` in the transaction that is open, where a decision does it as a part of its own; otherwise in the outermost transaction.

    :raises errors.Refused: as ``run``
    :raises errors.TryAgain: as ``run``
    """
    return work() if locks.is_counting() else run(work)


def is_locked(look: Callable[[], object]) -> bool:
    """Whether somebody else has locked a row that ``look`` locks without waiting, and lets go at once."""
    if locks.is_counting() or _met_in_whole.get() is not None:
        raise RuntimeError("a look for what others have locked is no part of a transaction")
    try:
        look()
    except OperationalError as error:
        if error.args[:1] and error.args[0] in locks.NOT_FREE:
            return True
        raise
    return False


def ask(look: Callable[[], Result]) -> Result:
    """Return what ``look`` reads in one statement, asked once more on a connection of its own where the first was lost between transactions.

    :raises errors.TryAgain: when the database was busy or away
    """
    try:
        return look()
    except (DatabaseError, InterfaceError) as error:
        cause = passing_cause(error)
        if not cause:
            raise
        if cause != "lost" or connection.in_atomic_block:
            raise again(cause) from error
    connection.close()
    try:
        return look()
    except (DatabaseError, InterfaceError) as error:
        raise (again(passing_cause(error)) if passing_cause(error) else error) from error


def again(cause: str) -> errors.TryAgain:
    """Return what is told of a cause that may pass."""
    return file_errors.DiskFull(cause=_("database")) if cause == NO_ROOM else errors.TryAgain(cause=cause)


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
        if code in FULL or "database or disk is full" in str(error):
            return NO_ROOM
    if isinstance(error, IntegrityError) and _collides(error):
        return MEETING
    return ""


def as_refusal(error: DatabaseError | InterfaceError) -> errors.LedgerError | None:
    """Return what a door tells of an error of the database; None of a surprise."""
    cause = passing_cause(error)
    return again(cause) if cause else refusal_of(error)


def refusal_of(error: DatabaseError | InterfaceError) -> errors.Refused | None:
    """Return what is told where the database refuses something for good; None where it is nothing that a constraint or a trigger says."""
    is_said = isinstance(error, IntegrityError | DataError) or error.args[:1] == (SIGNALLED,)
    found = constraints.broken(error) if is_said else None
    return errors.Refused([found.error()]) if found is not None else None


def _is_meeting(error: DatabaseError | InterfaceError, met_on: set[str]) -> bool:
    """Whether an error is what a trigger says on which two writers may meet."""
    return any(each and each in str(error) for each in met_on)


def _collides(error: IntegrityError) -> bool:
    """Whether an error is of a unique key on which two can meet."""
    found = constraints.broken(error)
    if found is None:
        return error.args[:1] == (DUPLICATE,)  # of which key is not told
    return found.kind is rows.NotUnique and found.name in constraints.collide()


def _stands(error: DatabaseError | InterfaceError, met: list[str]) -> bool:
    """Whether try after try has met the very same row: then it is no meeting of two, and passes never. Keys that are counted up move on."""
    found = constraints.broken(error)
    return found is not None and found.name != constraints.PRIMARY and len(met) >= MET_MOST and len(set(met)) == 1


def _counted(cause: str) -> str:
    """Return the name under which a cause is counted."""
    if cause in {"lost", ""}:
        return cause or "surprises"
    if cause.startswith("busy"):
        return "deadlocks" if "1213" in cause or "1020" in cause else "lock_waits"
    return "meetings"
