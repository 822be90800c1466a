"""Where the time of a step goes, by phase, and what it met on its way: counted while somebody asks, at next to no cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Measured:
    """Seconds by phase, and counts by name (``commits``, ``deadlocks``, ``lock_waits``, ``lost``, ``meetings`` on a unique key)."""

    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    started: float = field(default_factory=perf_counter)

    def add(self, other: "Measured") -> None:
        """Take in what another process measured."""
        for phase_name, taken in other.seconds.items():
            self.seconds[phase_name] = self.seconds.get(phase_name, 0) + taken
        for name, number in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def rounded(self) -> dict[str, float]:
        """Return the seconds to the millisecond, by phase and in all."""
        return {name: round(taken, 3) for name, taken in [*self.seconds.items(), ("total", perf_counter() - self.started)]}


_asked: ContextVar[Measured | None] = ContextVar("measured", default=None)


@contextmanager
def measured() -> Iterator[Measured]:
    """Measure what is done inside. One that stands within another takes over from it."""
    here = Measured()
    token = _asked.set(here)
    try:
        yield here
    finally:
        _asked.reset(token)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Add what is done inside to the phase ``name``. Phases do not stand within each other."""
    started = perf_counter()
    try:
        yield
    finally:
        add(name, perf_counter() - started)


def add(name: str, seconds: float) -> None:
    """Add seconds to the phase ``name``."""
    here = _asked.get()
    if here is not None:
        here.seconds[name] = here.seconds.get(name, 0) + seconds


def merge(other: Measured) -> None:
    """Add what another process measured."""
    here = _asked.get()
    if here is not None:
        here.add(other)


def count(name: str) -> None:
    """Count one more of ``name``."""
    here = _asked.get()
    if here is not None:
        here.counts[name] = here.counts.get(name, 0) + 1
