"""Has Python look for cycles rarely while rows go through by the hundred thousand."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = (100_000, 50, 100)


@contextmanager
def rare() -> Iterator[None]:
    """Collect rarely inside. Rows are tuples, which make no cycles, and looking for some among them took a third of the time of an apply."""
    before = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
