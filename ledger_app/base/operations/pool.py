"""Processes that work side by side. Imports no model: it is loaded in a new process before Django is set up there."""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from multiprocessing import get_context, parent_process, reduction
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

import django

WAIT = timedelta(milliseconds=500)
PROCESSES = get_context("spawn")


# A module's own function, which yields what it has to tell as (kind, anything that can be pickled), and what it is given.
Task = tuple[Callable[..., Iterator[tuple[str, Any]]], tuple[Any, ...]]


class Pool:
    """Processes that each do a task and tell of it. One that dies is replaced, as often as there are ``spares``."""

    def __init__(self, tasks: Sequence[Task], spares: int) -> None:
        """Start a process for each task."""
        self._spares = spares
        self._running: dict[Connection, tuple[BaseProcess, bytes]] = {}
        self.failures: list[BaseException] = []
        self.has_idle = False  # a process has ended because nothing was left for it to do
        for task in tasks:
            self._start(pickle.dumps(task))  # made into objects again where Django is set up

    def events(self) -> Iterator[tuple[str, Any]]:
        """Yield what the processes tell, until none is left, and ``("died", process id)``, and ``("quiet", None)`` where none has told anything.

        A file that a process tells of as ``("handle", (name, its number there))`` comes with the number that it has here.
        """
        while self._running:
            ready = wait(list(self._running), timeout=WAIT.total_seconds())
            if not ready:
                yield "quiet", None
            for channel in ready:
                yield from self._read(channel)  # type: ignore[arg-type] # nothing but channels is waited for

    def stop(self) -> None:
        """Kill what still runs: a transaction that is open is undone by the database."""
        for channel, (process, _task) in self._running.items():
            process.kill()
            process.join()
            channel.close()
        self._running.clear()

    def _start(self, task: bytes) -> None:
        # Both ways, as a socket: a pipe takes no files along.
        here, there = PROCESSES.Pipe(duplex=True)
        process = PROCESSES.Process(target=_run, args=(there, task), daemon=True)
        process.start()
        there.close()
        self._running[here] = (process, task)

    def _read(self, channel: Connection) -> Iterator[tuple[str, Any]]:
        process, task = self._running[channel]
        try:
            kind, told = channel.recv()
            if kind == "handle":
                told = (told, reduction.recv_handle(channel))
        except (EOFError, OSError):
            # It ended; having said so, or not.
            del self._running[channel]
            channel.close()
            process.join()
            if process.exitcode == 0:
                self.has_idle = True
                return
            yield "died", process.pid
            if self._spares:
                self._spares -= 1
                self._start(task)
            return
        if kind == "failed":
            self.failures.append(told)
        else:
            yield kind, told


def _run(channel: Connection, task: bytes) -> None:
    """Do a task and tell of it. An error is told, and ends the process in order."""
    django.setup()
    parent = parent_process()
    if parent is not None:
        # Killed, the one that started this process cannot tell it to end.
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    function, given = pickle.loads(task)  # noqa: S301 - our own process made it  # nosec B301
    try:
        for kind, told in function(*given):
            if kind == "handle":
                name, number = told
                channel.send((kind, name))
                reduction.send_handle(channel, number, None)
            else:
                channel.send((kind, told))
    except Exception as error:  # noqa: BLE001 - told to the one that waits, which raises it
        channel.send(("failed", error))
    channel.close()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # at once: the transaction that is open is undone by the database
