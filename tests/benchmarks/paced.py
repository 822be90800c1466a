"""Sends requests at a pace that does not wait for answers, as callers who know nothing of each other do, and times each from when it was due.

Anyone who sends the next request when the last is answered asks less of a slow server, and never sees what waited meanwhile. Here a request that is late,
since all clients still wait for answers, was late for its caller too. One process with one loop does it, so that the clients take little from the server.
"""

import os
import selectors
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

SECONDS_MOST: Final = 60
END: Final = b"\r\n\r\n"
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Asked:
    """A request under way: when it was due, and what has come back."""

    due: float
    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)


def at_pace(port: int, requests: Sequence[bytes], *, a_second: float, clients: int, expected: int) -> list[float]:
    """Send requests, each over a connection of its own and no more than ``clients`` at once; return the seconds of each from when it was due.

    :raises AssertionError: an answer of another status than ``expected``, or none
    """
    seconds: list[float] = []
    under_way = 0
    started = perf_counter() + 0.05
    waiting = deque((started + place / a_second, request) for place, request in enumerate(requests))
    until = waiting[-1][0] + SECONDS_MOST
    with selectors.DefaultSelector() as poller:
        while waiting or under_way:
            now = perf_counter()
            while waiting and under_way < clients and waiting[0][0] <= now:
                due, request = waiting.popleft()
                connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MOST)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(request)
                poller.register(connection, selectors.EVENT_READ, Asked(due, connection))
                under_way += 1
            is_free = waiting and under_way < clients
            for key, _events in poller.select(max(0.0, waiting[0][0] - perf_counter()) if is_free else 1):
                asked: Asked = key.data
                piece = asked.connection.recv(65_536)
                asked.received += piece
                if not is_whole(asked.received):
                    assert piece, f"the answer ended before its end: {bytes(asked.received[:500])!r}"
                    continue
                seconds.append(perf_counter() - asked.due)
                assert asked.received.startswith(b"HTTP/1.1 %d " % expected), bytes(asked.received[:1000])
                poller.unregister(asked.connection)
                asked.connection.close()
                under_way -= 1
            assert perf_counter() < until, f"{under_way} requests were not answered"
    return seconds


def is_whole(received: bytearray) -> bool:
    """Return whether an answer is there to its end, which its length tells."""
    end = received.find(END)
    if end < 0:
        return False
    head = bytes(received[:end]).lower()
    length = next(int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return len(received) >= end + len(END) + length


def message(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + END + body


def processor_seconds(processes: Sequence[int]) -> float:
    """Return how long these processes, and those they have started, have worked so far, in the kernel too."""
    total = 0.0
    for number in processes:
        try:
            told = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            children = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="utf-8").split()
        except FileNotFoundError:  # it has ended
            continue
        total += (int(told[11]) + int(told[12])) / TICKS + processor_seconds([int(child) for child in children])
    return total
