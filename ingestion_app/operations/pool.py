"""Processes that apply chunks side by side. Imports no model: it is loaded in a new process before Django is set up there."""

import os
import pickle
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

import django

WAIT = timedelta(milliseconds=500)
PROCESSES = get_context("spawn")


class Pool:
    """Workers in processes of their own, each of which takes chunks until none is free.

    A worker that dies is replaced, as often as there are ``spares``; its lease is ended by whoever is told of it.
    """

    def __init__(self, work: Any, count: int, spares: int = 10) -> None:
        """Start ``count`` processes on ``work`` (``chunks.Work``)."""
        self._work = pickle.dumps(work)  # made into an object again where Django is set up
        self._spares = spares
        self._running: dict[Connection, BaseProcess] = {}
        self.failures: list[BaseException] = []
        self.has_idle = False  # a worker has ended because no chunk was free
        for _ in range(count):
            self._start()

    def events(self) -> Iterator[tuple[str, Any]]:
        """Yield what the workers tell, until none is left: ``("result", …)``, ``("measured", …)``, ``("died", process id)``, ``("quiet", None)``."""
        while self._running:
            ready = wait(list(self._running), timeout=WAIT.total_seconds())
            if not ready:
                yield "quiet", None
            for channel in ready:
                yield from self._read(channel)  # type: ignore[arg-type] # nothing but channels is waited for

    def stop(self) -> None:
        """Kill what still runs: a transaction that is open is undone by the database."""
        for channel, process in self._running.items():
            process.kill()
            process.join()
            channel.close()
        self._running.clear()

    def _start(self) -> None:
        here, there = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=_run, args=(there, self._work), daemon=True)
        process.start()
        there.close()
        self._running[here] = process

    def _read(self, channel: Connection) -> Iterator[tuple[str, Any]]:
        process = self._running[channel]
        try:
            kind, told = channel.recv()
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
                self._start()
            return
        if kind == "failed":
            self.failures.append(told)
        else:
            yield kind, told


def _run(channel: Connection, pickled: bytes) -> None:
    """Be a worker: apply chunks and tell of each, then what was measured. An error is told, and ends the worker in order."""
    django.setup()
    parent = parent_process()
    if parent is not None:
        # Killed, the one that started this process cannot tell it to end.
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    from ingestion_app.operations import chunks, leasing
    from ledger_app.operations import collecting, measuring

    work: chunks.Work = pickle.loads(pickled)  # noqa: S301 - our own process made it
    worker = leasing.worker_name(work.attempt_id)
    with measuring.measured() as measured, collecting.rare():
        try:
            for result in chunks.apply_free(work, worker):
                channel.send(("result", result))
        except Exception as error:  # noqa: BLE001 - told to the one that waits, which raises it
            channel.send(("failed", error))
    channel.send(("measured", measured))
    channel.close()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # at once: the transaction that is open is undone by the database
