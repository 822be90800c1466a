"""Which process this is, by a name that no other has or will have; which others are certainly gone; and who was heard of lately.

The number of a process is given again when it has ended, and hosts may share a name as the hosts of containers do. So a process is known by
its place (this start of the machine, and the space in which its number counts), by when it started there, and by something random.
"""

import hashlib
import os
import secrets
import socket
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from django.db.models import Q
from django.db.models.functions import Now

from ingestion_app.models import Worker

SILENT_AFTER: Final = timedelta(seconds=45)  # with a sign of life every ten seconds, silence is seen within a minute
TOLD_FOR: Final = timedelta(days=1)  # how long a worker that died is told of
TOLD_MOST: Final = 20
PROCESS_MOST: Final = 2**22  # the largest number that Linux gives a process, whatever the host
START_FIELD: Final = 19  # of /proc/<number>/stat, counted behind the name: when it started, in ticks since the machine did

_instances: dict[int, str] = {}


class Named(NamedTuple):
    """The worker that has leased a chunk, as the chunk's row names it: ``host:process/attempt/instance``. A part that is missing is empty, or 0."""

    host: str
    process: int
    instance: str


class Heard(NamedTuple):
    """A worker, and whether it is there: not heard of for too long, or certainly gone, it is dead."""

    worker: Worker
    is_dead: bool


def this_host() -> str:
    """Return the name of this host as leases and attempts keep it."""
    return socket.gethostname()[:50]


def this_instance() -> str:
    """Return the name of this process: ``place.start.random``; a process that comes of a fork has its own."""
    number = os.getpid()
    if number not in _instances:
        _instances.clear()
        _instances[number] = f"{_this_place()}.{_started(number) or 0}.{secrets.token_hex(4)}"
    return _instances[number]


def worker_name(attempt_id: int) -> str:
    """Return the name under which this process takes chunks for an attempt: host, process, attempt, and the process's own name."""
    return f"{this_host()}:{os.getpid()}/{attempt_id}/{this_instance()}"


def read_name(name: str) -> Named:
    """Read what ``worker_name`` has written; names from before a process had a name of its own have no instance."""
    head, _, rest = name.partition("/")
    host, _, number = head.rpartition(":")
    process = int(number) if number.isascii() and number.isdecimal() and len(number) < 12 else 0
    return Named(host, process, rest.partition("/")[2])


def is_dead(name: str) -> bool:
    """Whether the worker that leased a chunk under ``name`` is certainly gone."""
    return is_gone(*read_name(name)[1:])


def is_gone(process: int, instance: str | None) -> bool:
    """Whether a process is certainly gone: its place is here, and there is none of its number that started when it did.

    Of a process that counts elsewhere, or that has no name of its own, nothing is certain: its lease ends, or its silence tells.
    """
    if process > PROCESS_MOST:
        return True  # no host has one
    return _is_of_here(instance) and not is_here(process, instance)


def is_here(process: int, instance: str | None) -> bool:
    """Whether a process is certainly there still: seen from here, with its number and its start."""
    if not process or not _is_of_here(instance):
        return False
    return _started(process) == int((instance or "").split(".")[1])


def is_there(process: int, instance: str | None) -> bool:
    """Whether a process is known to be there: seen from here, or heard of lately."""
    return is_here(process, instance) or heard_of(instance=instance)


def heard_of(*, instance: str | None) -> bool:
    """Whether the process of this name has given a sign of life lately, by the database's clock."""
    if not instance:
        return False
    return Worker.objects.filter(instance=instance, ended_at__isnull=True, seen_at__gt=Now() - SILENT_AFTER).exists()


def known() -> list[Heard]:
    """Return the workers that are there, and those that died within a day and did not end in order, the last seen first."""
    rows = Worker.objects.filter(ended_at__isnull=True, seen_at__gt=Now() - TOLD_FOR)
    lately = set(rows.filter(seen_at__gt=Now() - SILENT_AFTER).values_list("id", flat=True)[: 2 * TOLD_MOST])
    return [
        Heard(row, row.pk not in lately or is_gone(row.process, row.instance))
        for row in rows.order_by("-seen_at", "-id")[:TOLD_MOST]
    ]


def is_any_worker_there() -> bool:
    """Whether a process is there that takes what is queued."""
    return any(each.worker.kind == Worker.Kind.WORKER and not each.is_dead for each in known())


def as_dicts(heard: Sequence[Heard]) -> list[dict[str, object]]:
    """Return workers as commands and the API give them."""
    return [
        {
            "kind": each.worker.kind,
            "host": each.worker.host,
            "process": each.worker.process,
            "instance": each.worker.instance,
            "started_at": each.worker.started_at,
            "seen_at": each.worker.seen_at,
            "dead": each.is_dead,
        }
        for each in heard
    ]


def over() -> Q:
    """Return what chooses the workers that nobody asks about any more."""
    return Q(ended_at__lt=Now() - TOLD_FOR) | Q(seen_at__lt=Now() - 7 * TOLD_FOR)


def _is_of_here(instance: str | None) -> bool:
    place, _, rest = (instance or "").partition(".")
    return bool(place) and place == _this_place() and rest.partition(".")[0].isdecimal()


def _this_place() -> str:
    """Return a name for this start of the machine and the space in which its processes are numbered; empty where neither can be read."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{started} {space}".encode()).hexdigest()[:8]


def _started(process: int) -> int | None:
    """Return when a process started, in ticks since the machine did; None where there is none, or it has ended and is not buried yet."""
    try:
        stat = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return None
    state, *fields = stat.rpartition(b")")[2].split()
    return None if state in {b"Z", b"X"} else int(fields[START_FIELD - 1])
