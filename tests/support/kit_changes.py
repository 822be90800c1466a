"""What somebody could do to a kit: each as a function from its rows to other rows, as one would with an editor."""

import csv
from collections.abc import Callable
from pathlib import Path

Cells = list[list[str]]
Change = Callable[[Cells], str]  # changes the rows, and returns what has to be named


def rewrite(path: Path, change: Change) -> str:
    """Change the rows of a file and return what a finding must name."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    named = change(rows)
    path.chmod(0o640)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return named


def set_cell(number: int, column: str, value: str) -> Change:
    """Put another value into a cell; rows are counted from 1, after the names."""

    def change(rows: Cells) -> str:
        place = rows[0].index(column)
        assert rows[number][place] != value
        rows[number][place] = value
        return f":{number + 1} ("

    return change


def without(number: int, count: int = 1) -> Change:
    """Take rows away: the one that follows is named, or the last that is left."""

    def change(rows: Cells) -> str:
        del rows[number : number + count]
        return f":{min(number, len(rows) - 1) + 1} ("

    return change


def doubled(number: int, reference: str) -> Change:
    """Add a row like another, under a reference of its own."""

    def change(rows: Cells) -> str:
        row = list(rows[number])
        row[1] = reference
        rows.insert(number + 1, row)
        return f":{number + 2} ("

    return change


def swapped(number: int, other: int) -> Change:
    """Exchange two rows."""

    def change(rows: Cells) -> str:
        rows[number], rows[other] = rows[other], rows[number]
        return f":{min(number, other) + 1} ("

    return change


def cut(left: int) -> Change:
    """Leave only so many rows."""

    def change(rows: Cells) -> str:
        assert len(rows) > left + 1
        del rows[left + 1 :]
        return f":{left + 1} ("

    return change
