"""Texts that came from elsewhere, as a terminal or a page can print them: nothing in them acts, and nothing passes for another line."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise

# Control characters, what ends a line in any sense, what turns the direction of writing, what has no width, and halves of characters.
CONTROLS: Final = "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
UNPRINTABLE: Final = re.compile(f"[{CONTROLS}]")
# What the lines of a page or a report are made of stays what it is.
UNPRINTABLE_WITHIN: Final = re.compile(f"[{CONTROLS}]".replace("\x00-\x1f", "\x00-\x08\x0b\x0c\x0e-\x1f"))
NAMED: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
LAST_OF_A_BYTE: Final = 0xFF


def escaped(text: str) -> str:
    r"""Return a text on one line in which each character that acts is written as an escape: ``\n``, ``\x1b``, ``\u202e``."""
    return UNPRINTABLE.sub(_escape, text)


def escaped_within(text: str) -> str:
    """Return a text of several lines, with tabs and line endings as they are and every other character that acts as an escape."""
    return UNPRINTABLE_WITHIN.sub(_escape, text)


def filled(template: Promise | str, facts: Mapping[str, Any]) -> str:
    """Return a sentence with its facts: those that came from elsewhere are quoted, and neither act nor pass for another sentence."""
    return str(template).format(**{name: escaped(fact) if isinstance(fact, str) else fact for name, fact in facts.items()})


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    number = ord(character)
    return NAMED.get(character) or (f"\\x{number:02x}" if number <= LAST_OF_A_BYTE else f"\\u{number:04x}")
