"""Steers the clock that dates postings and seals: the database's, which a test cannot set back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from ledger_app.queries import clock


@contextmanager
def stands_at(instant: datetime | None) -> Iterator[None]:
    """Have the database's clock stand at an instant; let it run where none is given. Other processes have it as it is."""
    if instant is None:
        yield
        return
    with patch.object(clock, "now", lambda: instant):
        yield
