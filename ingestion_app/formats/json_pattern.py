"""A pattern of the lines that most programs write: names in one order, at most a blank behind a colon or a comma, no escapes.

Whatever it matches is JSON, and says the same as its object would; what it does not match may be JSON all the same.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ingestion_app.formats.definition import Column, JsonType, Kind
from ingestion_app.formats.json_paths import Path, Tree
from ingestion_app.formats.values import field_reader

# What stands in no string as it is: its end, an escape, what JSON has to have escaped.
_NEVER: Final = '"\\\\\\x00-\\x1f'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_UNREAD: Final = f'(?:"[^{_NEVER}]*"|{_NUMBER}|true|false|null)'
_NEVER_IN_NUMBER: Final = _NEVER + " ,}\\]"  # what stands behind one, which an amount may have between its thousands
_BEHIND_NUMBER: Final = r"(?=[ ,}\]])"


class LinePattern(NamedTuple):
    """A pattern, whose groups are the texts of the columns at the places ``order``."""

    pattern: str
    order: list[int]


class _NoPattern(Exception):
    """Lines of this layout have no one order."""


def line_pattern(
    tree: Tree, columns: Sequence[Column], places: Mapping[Path, int], marked: Mapping[Path, str]
) -> LinePattern | None:
    """Return the pattern of a record type's lines; ``marked`` has the marker at its path. None: there can be none."""
    order: list[int] = []

    def leaf(path: Path) -> str:
        if path in marked:
            return re.escape(json.dumps(marked[path]))
        column = columns[places[path]]
        if column.kind is Kind.UNUSED:
            return _UNREAD
        order.append(places[path])
        never = _NEVER_IN_NUMBER if column.json_type is JsonType.NUMBER else _NEVER
        text = f"({field_reader(column, never=never).pattern})"
        if column.json_type is JsonType.STRING:
            written = f'"{text}"'
        elif column.json_type is JsonType.NUMBER:
            written = f"(?={_NUMBER}{_BEHIND_NUMBER}){text}{_BEHIND_NUMBER}"
        else:
            written = "(true|false)"
        return f"(?:{written}|null)" if column.optional else written

    def below(tree: Tree, path: Path) -> str:
        is_array = any(isinstance(step, int) for step in tree)
        if is_array and list(tree) != list(range(len(tree))):
            raise _NoPattern
        parts = []
        for step, further in tree.items():
            value = leaf((*path, step)) if further is None else below(further, (*path, step))
            parts.append(value if is_array else f"{re.escape(json.dumps(step, ensure_ascii=False))}: ?{value}")
        inner = ", ?".join(parts)
        return rf"\[{inner}\]" if is_array else rf"\{{{inner}\}}"

    try:
        return LinePattern(below(tree, ()), order)
    except _NoPattern:
        return None
