"""Where an entry comes from, told by the application that knows: a seam between admins that may not import each other."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.functional import Promise


class Fact(NamedTuple):
    """One line of an origin: what it is, what it says, and where it leads (empty: nowhere)."""

    label: str | Promise
    text: Any
    url: str = ""


# (entry) → facts, by Posting.Origin.
TELLERS: dict[str, Callable[[Any], list[Fact]]] = {}
