"""Child processes that cost tens of milliseconds: forks of a process in which Django is set up and no connection is open."""

import json
import os
import pickle
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connections

SURPRISED = 70  # the status of a child that ended with an exception
END_SECONDS = 120

Report = Callable[..., None]


class Child:
    """One forked process, and what it has reported: messages, each a dictionary, the last of them before its end included."""

    def __init__(self, work: Callable[[Report], None]) -> None:
        """Fork, and have the child do ``work`` with the function by which it reports."""
        connections.close_all()
        self._reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _live(work, writer)
        os.close(writer)
        os.set_blocking(self._reader, False)
        self.messages: list[dict[str, Any]] = []
        self.status: int | None = None
        self._rest = b""
        self._is_going_on = False

    def wait_stopped(self, seconds: float = END_SECONDS) -> bool:
        """Wait until the process has stopped itself, and say so; False where it ended without, or has done neither in time."""
        deadline = time.monotonic() + seconds
        while self.status is None and time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WUNTRACED | os.WNOHANG)
            if pid and os.WIFSTOPPED(status):
                return True
            if pid:
                self._ended(status)
            time.sleep(0.002)
        return False

    def go_on(self) -> None:
        """Let the process go on, also where it comes to its stop only later."""
        self._is_going_on = True
        self.send(signal.SIGCONT)

    def wait(self, seconds: int = END_SECONDS) -> int:
        """Wait for the end; return the status, or minus the signal's number."""
        deadline = time.monotonic() + seconds
        handle = os.pidfd_open(self.pid) if self.status is None else -1
        while self.status is None:
            if select.select([handle], [], [], 0.1)[0]:
                self._ended(os.waitpid(self.pid, 0)[1])
            elif time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"process {self.pid} had not ended after {seconds} seconds")
            elif self._is_going_on:
                self.send(signal.SIGCONT)
        if handle >= 0:
            os.close(handle)
        return self.status

    def workers(self) -> list[int]:
        """Return the process ids of the workers that the process has started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def send(self, number: int, pid: int | None = None) -> None:
        """Send a signal to the process, or to a worker of it, unless the process is over."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(pid or self.pid, number)

    def kill(self) -> None:
        """End the process if it is not over, and reap it."""
        if self.status is None:
            self.send(signal.SIGKILL)
            self._ended(os.waitpid(self.pid, 0)[1])

    def told(self, name: str) -> list[Any]:
        """Return what was reported under ``name``."""
        return [message[name] for message in self.messages if name in message]

    def _ended(self, status: int) -> None:
        self.status = os.waitstatus_to_exitcode(status)
        # What it has reported lies in the pipe. The end of the pipe is not waited for: workers of its own may hold it a moment longer.
        try:
            while piece := os.read(self._reader, 1 << 16):
                self._rest += piece
        except BlockingIOError:
            pass
        os.close(self._reader)
        self.messages = [json.loads(line) for line in self._rest.splitlines()]


@contextmanager
def ended(*children: Child) -> Iterator[None]:
    """See to it that no child outlives what is done inside."""
    try:
        yield
    finally:
        for child in children:
            child.kill()


def result_of(work: Callable[[], Any]) -> Any:
    """Do ``work`` in a child and return its result, which goes through a file and may be large.

    :raises RuntimeError: where the child ended otherwise
    """
    with open_memory() as handle:

        def write(_report: Report) -> None:
            os.write(handle, pickle.dumps(work()))

        child = Child(write)
        with ended(child):
            status = child.wait()
        if status:
            raise RuntimeError(f"status {status}: {''.join(child.told('surprise'))}")
        size = os.lseek(handle, 0, os.SEEK_END)
        return pickle.loads(os.pread(handle, size, 0))


@contextmanager
def open_memory() -> Iterator[int]:
    """Open a file without a name that a child shares."""
    handle = os.memfd_create("result")
    try:
        yield handle
    finally:
        os.close(handle)


def _live(work: Callable[[Report], None], writer: int) -> None:
    """Be the child: do the work and end, without any of what the parent would do at its own end."""
    status = SURPRISED
    try:
        random.seed()  # not the parent's: two that met must not wait equally long
        work(lambda **message: _report(writer, message))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - told to the parent, which knows what was to be expected
        _report(writer, {"surprise": traceback.format_exc()[-3000:]})
    finally:
        os._exit(status)


def _report(writer: int, message: dict[str, Any]) -> None:
    os.write(writer, json.dumps(message, default=str).encode() + b"\n")
