"""Steers the clock that dates postings and seals: the database's, which a test cannot set back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ledger_app.base.queries import clock

_runs = clock.now
_lock = threading.Lock()
_standing: list[tuple[int | None, datetime]] = []  # the thread, and the instant at which its clock stands


@contextmanager
def stands_at(instant: datetime | None) -> Iterator[None]:
    """Have the database's clock stand at an instant; let it run where none is given.

    A thread has its own clock, and that of the test where it set none: two that set theirs at once leave none behind. Other processes have it as it is.
    """
    if instant is None:
        yield
        return
    stands = (threading.get_ident(), instant)
    with _lock:
        _standing.append(stands)
        clock.now = _now
    try:
        yield
    finally:
        with _lock:
            _standing.remove(stands)
            if not _standing:
                clock.now = _runs


def _now() -> datetime:
    standing = _standing[::-1]
    for wanted in (threading.get_ident(), threading.main_thread().ident):
        for thread, instant in standing:
            if thread == wanted:
                return instant
    return _runs()
