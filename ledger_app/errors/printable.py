"""Which characters nobody sees, for all texts alike: what comes in is refused for them, and what goes out has them written as escapes.

Not seen are control characters, what ends a line in any sense, what turns the direction of writing, what has no width, tags, fillers, halves of
characters, characters of private use and those that no character has been given yet. A variation selector counts as seen behind what it varies: names in
Japanese need it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise

# All but ASCII and the blocks in which every character is seen: what is not among these need not be looked at one by one.
DOUBTFUL: Final = (
    "\\x00-\\x1f\\x7f-\\xa0\\xad\\u0180-\\u200f\\u2028-\\u202f\\u205f-\\u2fff\\u302a-\\u3040\\u3097-\\u309f\\u3100-\\u4dff"
    "\\ua000-\\uff00\\uffa0-\\U0010ffff"
)
_DOUBTED: Final = re.compile(f"[{DOUBTFUL}]+")
# Letters, marks and signs to Unicode of which nothing is drawn.
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc\U0001d159")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_IDEOGRAPH: Final = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_SIGN: Final = "[\u2000-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_VARIED: Final = re.compile(f"(?<={_IDEOGRAPH})[\ufe00-\ufe02\U000e0100-\U000e01ef]|(?<={_SIGN})[\ufe0e\ufe0f]")
_OF_LINES: Final = "\t\n\r"
# What stands for bytes that were no text: anyone who sent them meant something else. On a page it shows just that.
REPLACEMENT: Final = "\ufffd"
NAMED: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
LAST_OF_A_BYTE: Final = 0xFF
LAST_OF_TWO_BYTES: Final = 0xFFFF


def unseen(text: str, *, may_have_lines: bool = False) -> str:
    """Return the first character of a text that comes in that nobody would see, or that stands for damage; empty where there is none.

    Tabs and line ends are seen where ``may_have_lines``.
    """
    for found in _DOUBTED.finditer(text):
        for place in range(*found.span()):
            if text[place] == REPLACEMENT or _is_unseen(text, place, keeps=_OF_LINES if may_have_lines else ""):
                return text[place]
    return ""


def code_point(character: str) -> str:
    """Return what a character is called: ``U+200B``."""
    return f"U+{ord(character):04X}"


def escaped(text: str) -> str:
    r"""Return a text on one line in which each character that acts or is not seen is written as an escape: ``\n``, ``\x1b``, ``\u202e``."""
    return _DOUBTED.sub(lambda match: _escapes(match, ""), text)


def escaped_within(text: str) -> str:
    """Return a text of several lines, with tabs and line endings as they are and every other such character as an escape."""
    return _DOUBTED.sub(lambda match: _escapes(match, _OF_LINES), text)


def filled(template: Promise | str, facts: Mapping[str, Any]) -> str:
    """Return a sentence with its facts: those that came from elsewhere are quoted, and neither act nor pass for another sentence."""
    return str(template).format(**{name: escaped(fact) if isinstance(fact, str) else fact for name, fact in facts.items()})


def _is_unseen(text: str, place: int, *, keeps: str) -> bool:
    character = text[place]
    if character in keeps:
        return False
    if _SELECTORS.match(character):
        return _VARIED.match(text, place) is None
    return character in _FILLERS or not (character.isprintable() or unicodedata.category(character) == "Zs")


def _escapes(match: re.Match[str], keeps: str) -> str:
    return "".join(
        [
            _escape(match.string[place]) if _is_unseen(match.string, place, keeps=keeps) else match.string[place]
            for place in range(*match.span())
        ]
    )


def _escape(character: str) -> str:
    number = ord(character)
    if number > LAST_OF_TWO_BYTES:
        return f"\\U{number:08x}"
    return NAMED.get(character) or (f"\\x{number:02x}" if number <= LAST_OF_A_BYTE else f"\\u{number:04x}")
