"""Lines of a file as bytes, before anything is made of them."""

from typing import NamedTuple


class Line(NamedTuple):
    """One record's bytes: ``content`` without its ending, cut where it is too long; ``size`` all its bytes in the file with the ending.

    ``number`` is that of its first line; it takes more than one only where a quoted field holds line endings.
    """

    number: int
    offset: int
    content: bytes
    ending: bytes  # b"\n", b"\r\n", or nothing at the end of a file that was cut off
    size: int
    is_too_long: bool
    lines: int = 1
