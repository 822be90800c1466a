"""What a reader of lines or fields answers when the text is not what the layout asks for."""

from collections.abc import Mapping
from typing import NamedTuple


class Fault(NamedTuple):
    """Names the rule that was broken, with its facts; ``place`` is the byte of the line at which it was seen, 0 for the line itself."""

    rule: str
    facts: Mapping[str, str | int]
    place: int = 0
