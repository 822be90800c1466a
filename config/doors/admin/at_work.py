"""What the first page shows of the processes that work: the application that has them says how."""

from collections.abc import Callable
from typing import Any

Shown = Callable[[], dict[str, Any]]

_shown: list[Shown] = []


def register(shown: Shown) -> None:
    """Have the first page show what ``shown`` answers, in place of what was registered before."""
    _shown[:] = [shown]


def shown() -> dict[str, Any] | None:
    """Return who works; None where no application has anybody who does."""
    return _shown[0]() if _shown else None
