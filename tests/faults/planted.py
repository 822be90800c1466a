"""Faults that the drill must find. Nothing in the product knows of them: they are planted in a child, or in the drill's own database."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def plant(fault: str) -> Iterator[None]:
    """Plant a fault in this process; an empty name plants none."""
    yield
