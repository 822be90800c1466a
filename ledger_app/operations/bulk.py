"""Writes many rows with one statement.

The driver for MySQL and MariaDB makes SQL of every value in Python, which costs more than the server's own work. There the rows travel as one
JSON document, which the server takes apart; SQLite's driver binds values as they are.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

ROWS_A_CALL = 5000
# A server closes the connection on a statement larger than its max_allowed_packet, 16 MiB where nobody set it. Escaped for SQL and encoded, a
# document grows at most fourfold.
DOCUMENT_CHARACTERS = 2_000_000

# What a column holds, and the type by which the server reads it from the document: text for all, as only from text into the column itself is
# the server strict. Read as BIGINT, a number of twenty digits becomes the largest there is and "12x" becomes 12, without a word.
INTEGER = "VARCHAR(30)"
DATE = "VARCHAR(30)"
TEXT = "LONGTEXT"  # never cut on its way: the column refuses what is too long for it
DIGEST = "VARCHAR(64)"  # 32 bytes, on their way as hexadecimal text


def insert(table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert ``rows`` into ``table``, a statement for each 5,000, or for fewer where they are long.

    ``columns`` maps names, in the order of the rows, to kinds.
    Table and columns are names of our own, never anything that came in.
    """
    statement = _statement(table, columns)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_A_CALL):
            part = rows[start : start + ROWS_A_CALL]
            if connection.vendor == "sqlite":
                cursor.executemany(statement, part)
            else:
                for document in documents(part):
                    cursor.execute(statement, [document])


def documents(rows: Sequence[Any]) -> Iterator[str]:
    """Yield ``rows`` as JSON arrays, cut so that each fits into one statement; a row that is longer than that goes alone."""
    document = _ENCODE(rows)
    if len(document) <= DOCUMENT_CHARACTERS or len(rows) < 2:
        yield document
        return
    middle = len(rows) // 2
    yield from documents(rows[:middle])
    yield from documents(rows[middle:])


def _statement(table: str, columns: Mapping[str, str]) -> str:
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in columns)
    if connection.vendor == "sqlite":
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"
    read = ", ".join(f"{quote(name)} {kind} PATH '$[{place}]'" for place, (name, kind) in enumerate(columns.items()))
    taken = ", ".join(f"UNHEX({quote(name)})" if kind is DIGEST else quote(name) for name, kind in columns.items())
    return f"INSERT INTO {table} ({names}) SELECT {taken} FROM JSON_TABLE(%s, '$[*]' COLUMNS ({read})) AS given"


def _as_text(value: object) -> str:
    """Return what JSON has no kind for: a date, or the bytes of a digest."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a row")


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_as_text).encode
