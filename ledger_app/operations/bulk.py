"""Writes many rows with one statement.

The driver for MySQL and MariaDB makes SQL of every value in Python, one by one; here a whole column is made into literals at once, by the
driver's own escaping. SQLite's driver binds values as they are.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection

ROWS_A_CALL = 5000
# A server closes the connection on a statement larger than its max_allowed_packet, 16 MiB where nobody set it. Escaped for SQL and encoded, a
# document grows at most fourfold.
DOCUMENT_CHARACTERS = 2_000_000

Literal = Callable[[Any], str]

def insert(table: str, columns: Mapping[str, Literal], rows: Sequence[Sequence[Any]]) -> None:
    """Insert ``rows`` into ``table``, a statement for each 5,000, or for fewer where they are long.

    ``columns`` maps names, in the order of the rows, to kinds. Table and columns are names of our own, never anything that came in.

    :raises TypeError: at a value that is not of its column's kind
    """
    quote = connection.ops.quote_name
    head = f"INSERT INTO {table} ({', '.join(quote(name) for name in columns)}) VALUES "
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_A_CALL):
            part = rows[start : start + ROWS_A_CALL]
            if connection.vendor == "sqlite":
                cursor.executemany(f"{head}({', '.join(['%s'] * len(columns))})", part)
            else:
                for values in _literals(columns.values(), part):
                    cursor.execute(head + values)


def documents(rows: Sequence[Any]) -> Iterator[str]:
    """Yield ``rows`` as JSON arrays, cut so that each fits into one statement; a row that is longer than that goes alone."""
    yield from _cut(rows, _ENCODE)


def _literals(kinds: Any, rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    template = f"({','.join(['%s'] * len(kinds))})"

    def made(part: Sequence[Sequence[Any]]) -> str:
        # Column by column, so that the loops are the interpreter's own.
        columns = [map(kind, values) for kind, values in zip(kinds, zip(*part, strict=True), strict=True)]
        return ",".join(map(template.__mod__, zip(*columns, strict=True)))

    yield from _cut(rows, made)


def _cut(rows: Sequence[Any], made: Callable[[Sequence[Any]], str]) -> Iterator[str]:
    text = made(rows)
    if len(text) <= DOCUMENT_CHARACTERS or len(rows) < 2:
        yield text
        return
    middle = len(rows) // 2
    yield from _cut(rows[:middle], made)
    yield from _cut(rows[middle:], made)


def _optional_integer(value: int | None) -> str:
    return "NULL" if value is None else int.__repr__(value)


@lru_cache(maxsize=1024)  # few days, and many rows of each
def _date(value: date | None) -> str:
    return "NULL" if value is None else f"'{date.isoformat(value)}'"


def _text(value: str) -> str:
    """Return a text in quotes, escaped by the driver, which knows the session's character set and mode."""
    escaped: bytes = connection.connection.escape_string(value)
    return f"'{escaped.decode()}'"


def _digest(value: bytes) -> str:
    return f"x'{bytes.hex(value)}'"


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# What a column holds, as the function that makes a literal of a value. Each takes its own kind and raises TypeError at any other.
INTEGER: Literal = int.__repr__
OPTIONAL_INTEGER: Literal = _optional_integer
DATE: Literal = _date
TEXT: Literal = _text
DIGEST: Literal = _digest
