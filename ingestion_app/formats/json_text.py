"""Reads JSON strictly: numbers as they are written, no name twice, nothing that is no JSON. What is wrong is told with its place."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import shown
from ledger_app.errors.card_numbers import is_masked_on_arrival, masked_text

DEPTH: Final = 32  # how deep objects and arrays may lie in each other
_SHOWN: Final = 20
_MASKED_MOST: Final = 40
# Strings are passed over whole, one that is never closed up to the end: what stands in them opens nothing.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|(?P<open>[\[{])|(?P<close>[\]}])|(?P<constant>-?Infinity|NaN)')
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
# Blanks without a bound would be tried in as many ways as there are pairs of them.
_NAME_BEFORE: Final = re.compile(r'"([^"\\]{0,60})"\s{0,20}:\s{0,20}\[?\s{0,20}$')
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


class Number(str):
    """A number as it is written: no digit of it is lost, and none is made up."""

    __slots__ = ()


class _Twice(ValueError):
    """An object has a name twice."""


class _Constant(ValueError):
    """A value is NaN or infinite."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _Twice(next(name for place, name in enumerate(names) if name in names[:place]))
    return found


def _refuse_constant(name: str) -> None:
    raise _Constant(name)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_refuse_constant
)
# From a text and a place to the value there and the place behind it. Raises ValueError, or StopIteration where nothing begins.
scan: Final[Callable[[str, int], tuple[Any, int]]] = _DECODER.scan_once  # type: ignore[attr-defined]  # as old as the class, and documented nowhere


def may_be_deep(text: str) -> bool:
    """Whether objects and arrays may lie too deep: quickly, and too often."""
    return text.count("{") + text.count("[") > DEPTH


def may_have_halves(text: str) -> bool:
    """Whether an escape may be the half of a character: quickly, and too often."""
    return "\\ud" in text or "\\uD" in text


def read_object(text: str) -> dict[str, Any] | Fault:
    """Return the object that a text is, or what keeps it from being one; ``place`` of the fault is the character, from 0."""
    if (deep := _too_deep(text)) is not None:
        return Fault("line.json_deep", {"character": deep + 1, "most": DEPTH}, deep)
    begin = _BLANKS.match(text).end()  # type: ignore[union-attr]  # it matches nothing at least
    try:
        value, end = scan(text, begin)
    except StopIteration as error:
        return _no_json(text, int(error.value))
    except json.JSONDecodeError as error:
        return _no_json(text, error.pos)
    except _Twice as error:
        return Fault("line.json_name_twice", {"found": shown(str(error))})
    except _Constant as error:
        place = next((each.start() for each in _TOKEN.finditer(text) if each["constant"]), 0)
        return Fault("line.json_constant", {"found": str(error), "character": place + 1}, place)
    rest = _BLANKS.match(text, end).end()  # type: ignore[union-attr]  # it matches nothing at least
    if rest < len(text):
        return _no_json(text, rest)
    if (half := _half(text)) is not None:
        return Fault("line.json_half_character", {"found": text[half : half + 6], "character": half + 1}, half)
    if not isinstance(value, dict):
        return Fault("line.json_no_object", {"found": kind_of(value)})
    return value


def kind_of(value: object) -> str:
    """Return what JSON calls a value."""
    if isinstance(value, bool):
        return "boolean"
    names: tuple[tuple[type, str], ...] = ((Number, "number"), (str, "string"), (dict, "object"), (list, "array"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def _no_json(text: str, place: int) -> Fault:
    masked = text[place : place + _MASKED_MOST]
    if masked.startswith("#") and is_masked_on_arrival(masked):
        # A card number that stood there as a number was hidden as the file came in.
        name = _NAME_BEFORE.search(text, 0, place)
        return Fault("record.card_number", {"name": shown(name[1]) if name else "–", "found": shown(masked_text(masked))}, place)
    if place >= len(text):
        return Fault("line.json_not_closed", {"character": len(text)}, place)
    return Fault("line.json_invalid", {"found": shown(text[place : place + _SHOWN]), "character": place + 1}, place)


def _too_deep(text: str) -> int | None:
    if not may_be_deep(text):
        return None
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += bool(token["open"]) - bool(token["close"])
        if depth > DEPTH:
            return token.start()
    return None


def _half(text: str) -> int | None:
    """Return the place of an escape that is the half of a character without the other half behind it."""
    if not may_have_halves(text):
        return None
    high: re.Match[str] | None = None
    for escape in _ESCAPE.finditer(text):
        number = int(escape[1], 16) if escape[1] else 0
        is_low = 0xDC00 <= number <= 0xDFFF
        if high is not None and not (is_low and escape.start() == high.end()):
            return high.start()
        if is_low and high is None:
            return escape.start()
        high = escape if 0xD800 <= number <= 0xDBFF else None
    return high.start() if high is not None else None
