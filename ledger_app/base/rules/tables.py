"""What stands in the cells of a table that a spreadsheet will open: the one writer of CSV, and which texts would be taken for a formula there. Pure.

A text that a spreadsheet would take for a formula gets an apostrophe before it, and one that is such a text with apostrophes before it gets one more: ``meant``
takes it away again, and no two texts become one. An amount is a number (``int`` or ``Figure``) and stays as it is; a date is written as YYYY-MM-DD.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

# A spreadsheet begins a formula at one of these, at their full-width and small forms too, and passes over a tab or a line end before it.
FORMULA: Final = re.compile(
    "'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20\u207a\u207b\u207c\u208a\u208b\u208c\u2212\ufe62\ufe63\ufe66\ufe6b]"
)
MARK: Final = "'"
NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


class Figure(NamedTuple):
    """A number as decimal text, exact. Empty where there is none."""

    text: str


Cell = str | int | Figure | date


def harmless(text: str) -> str:
    """Return a text so that no spreadsheet takes it for a formula."""
    return f"{MARK}{text}" if FORMULA.match(text) else text


def meant(cell: str) -> str:
    """Return the text that ``harmless`` made a cell of."""
    return cell[1:] if cell.startswith(MARK) and FORMULA.match(cell) else cell


def csv_line(cells: Iterable[Cell]) -> str:
    """Return a row as CSV without its line end.

    :raises ValueError: a figure is no number: it would be written as it is
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([written(cell) for cell in cells])
    return text.getvalue()


def written(cell: Cell) -> str:
    """Return a cell as it is written.

    :raises ValueError: a figure is no number
    """
    if isinstance(cell, Figure):
        if cell.text and NUMBER.fullmatch(cell.text) is None:
            raise ValueError("a figure is a number")
        return cell.text
    return harmless(cell) if isinstance(cell, str) else str(cell)
