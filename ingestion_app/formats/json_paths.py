"""Paths into the object of a line: ``customer.id``, ``items[0].price``, ``"price.net"``; and the tree that a record type's paths make."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ingestion_app.formats.definition import Column

Path = tuple[str | int, ...]
# A place below an object or array: what it leads to, or None where a path ends.
Tree = Mapping[str | int, Any]

PATH_CHARACTERS: Final = 200
_NAME: Final = r'[^\x00-\x20\x7f.\[\]"\\]+|"[^\x00-\x1f\x7f"\\]*"'
_STEP: Final = re.compile(rf"(?P<dot>\.)?(?P<name>{_NAME})|\[(?P<index>0|[1-9][0-9]{{0,2}})\]")


def parse(text: str) -> Path | None:
    """Return the steps that a path has: a name of an object, or a place in an array, from 0; None where it is none."""
    steps: list[str | int] = []
    place = 0
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None or (match["name"] is not None and bool(match["dot"]) != bool(steps)):
            return None
        steps.append(match["name"].strip('"') if match["name"] is not None else int(match["index"]))
        place = match.end()
    # A line is an object, so that a name comes first.
    return tuple(steps) if steps and isinstance(steps[0], str) else None


def spelled(path: Path) -> str:
    """Return a path as it is written."""
    said = ""
    for step in path:
        if isinstance(step, int):
            said += f"[{step}]"
        else:
            name = step if re.fullmatch(_NAME, step) and not step.startswith('"') else json.dumps(step, ensure_ascii=False)
            said += f".{name}" if said else name
    return said


def tree_of(paths: Iterable[Path]) -> Tree | Path:
    """Return the tree in which each path leads to None, or the first path that does not go with the others.

    Two paths do not go together where one leads through the other's end, or where one takes for an array what is an object to the other.
    """
    root: dict[str | int, Any] = {}
    for path in paths:
        node = root
        for step in path[:-1]:
            if _is_other(node, step):
                return path
            below = node.setdefault(step, {})
            if below is None:
                return path
            node = below
        if _is_other(node, path[-1]) or path[-1] in node:
            return path
        node[path[-1]] = None
    return root


def first_unknown(value: object, tree: Tree, path: Path = ()) -> Path | None:
    """Return the first name or place in an object or array that no path leads to or through; None where there is none."""
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, each in steps:
        if step not in tree:
            return (*path, step)
        below = tree[step]
        if below is not None and (found := first_unknown(each, below, (*path, step))) is not None:
            return found
    return None


def path_of(column: Column) -> Path:
    """Return where a column stands: at its path, or under its name."""
    return column.path or (column.name,)


def _is_other(node: Tree, step: str | int) -> bool:
    """Whether a step is one of an array where the others are of an object, or the other way round."""
    return any(isinstance(each, int) is not isinstance(step, int) for each in node)
