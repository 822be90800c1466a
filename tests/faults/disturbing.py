"""What disturbs a process from inside: it counts its own steps, each statement and each COMMIT, and at one of them something happens."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import OperationalError, connection

COMMIT = "COMMIT"
DEADLOCK = 1213
NAP_SECONDS = 0.03  # long enough for others to do a chunk meanwhile

Take = Callable[[str, Callable[[], Any]], Any]


class Disturbance(NamedTuple):
    """``kind`` happens ``before`` or ``after`` the ``occurrence``-th step (from 1) of a name.

    Kinds: ``kill``, ``stop`` and ``nap`` mean the process itself, ``server`` the database server, ``deadlock`` the transaction.
    """

    kind: str
    name: str
    occurrence: int
    when: str


@contextmanager
def steps(take: Take) -> Iterator[None]:
    """Have every step that is taken inside go through ``take``, which is given the step's name and what does it.

    A COMMIT has the name of the statement before it with its own.
    """
    commit = connection.commit
    last = ""

    def execute(execute: Any, sql: Any, *given: Any) -> Any:
        nonlocal last
        last = name_of(str(sql))
        return take(last, lambda: execute(sql, *given))

    connection.commit = lambda: take(f"{COMMIT} after {last}", commit)  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        connection.commit = commit  # type: ignore[method-assign]


def name_of(sql: str) -> str:
    """Return the name of a statement: what is the same in it whatever its values are."""
    head = " ".join(sql.split()).partition(" VALUES ")[0]
    return re.sub(r"%s(, ?%s)*|\b\d+(, ?\d+)*\b", "#", head)


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield a list that fills with the names of the steps that are taken inside."""
    names: list[str] = []

    def take(name: str, work: Callable[[], Any]) -> Any:
        names.append(name)
        return work()

    with steps(take):
        yield names


@contextmanager
def disturbed(disturbances: Sequence[Disturbance], *, server_pid: int, told: Callable[[Disturbance], None]) -> Iterator[None]:
    """Have what is done inside disturbed, once by each; ``told`` hears of it at the last moment before."""
    taken: Counter[str] = Counter()

    def strike(name: str, when: str) -> None:
        for each in disturbances:
            if (each.name, each.occurrence, each.when) == (name, taken[name], when):
                _strike(each, server_pid, told)

    def take(name: str, work: Callable[[], Any]) -> Any:
        taken[name] += 1
        strike(name, "before")
        result = work()
        strike(name, "after")
        return result

    with steps(take):
        yield


def _strike(disturbance: Disturbance, server_pid: int, told: Callable[[Disturbance], None]) -> None:
    if disturbance.kind == "deadlock":
        if connection.in_atomic_block:
            told(disturbance)
            # As the server does to the victim: the whole transaction is undone.
            connection.connection.rollback()
            raise OperationalError(DEADLOCK, "Deadlock found when trying to get lock; try restarting transaction")
        return
    told(disturbance)
    if disturbance.kind == "nap":
        time.sleep(NAP_SECONDS)
        return
    victim, number = {
        "kill": (os.getpid(), signal.SIGKILL),
        "stop": (os.getpid(), signal.SIGSTOP),
        "server": (server_pid, signal.SIGKILL),
    }[disturbance.kind]
    os.kill(victim, number)
