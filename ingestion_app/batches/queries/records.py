"""The records of a chunk as they are stored, and the digest that an approval covers."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from ingestion_app.formats.definition import Definition, Kind
from ingestion_app.formats.values import Value


class Stored(NamedTuple):
    """One record as it is stored: ``values`` are texts and integers, as JSON has them."""

    line: int
    key: str
    holder_id: int
    amount: int
    values: list[Any]


_stored = partial(tuple.__new__, Stored)
_SEPARATOR, _ABSENT = chr(31), chr(0)
# Sorted here: to sort rows with documents the server sorts their places, and then reads each of them again.
READ = "SELECT line, {key}, holder_id, amount, {values} FROM ingestion_app_record WHERE chunk_id = %s"


def of_chunk(chunk_id: int) -> list[Stored]:
    """Return the records of a chunk in the order of their lines."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(READ.format(key=quote("key"), values=quote("values")), [chunk_id])
        rows = sorted(cursor.fetchall(), key=itemgetter(0))
    # One document of them all: the parser is called once, and not for each of five thousand.
    values = json.loads(f"[{','.join([row[4] for row in rows])}]")
    return [_stored((line, key, holder, amount, each)) for (line, key, holder, amount, _), each in zip(rows, values, strict=True)]


@lru_cache(maxsize=64)
def _form(count: int) -> str:
    return f"%s\n%s\n%s\n%s\n{_SEPARATOR.join(['%s'] * count)}\n"


def content(line: int, key: str, holder_id: int | None, amount: int, values: Sequence[object]) -> bytes:
    """Return the canonical form of one record.

    Made of values and not of the JSON that carries them, which a database may write anew. No value has a control character in it, so that
    one may stand for a value that is absent: it is not the text "None".
    """
    made = (_form(len(values)) % (line, key, holder_id, amount, *values)).encode()
    if b"None" in made and None in values:
        told = [_ABSENT if value is None else value for value in values]
        return (_form(len(values)) % (line, key, holder_id, amount, *told)).encode()
    return made


def digest(stored: Iterable[Stored]) -> bytes:
    """Return the SHA-256 over records in the order of their lines."""
    return hashlib.sha256(b"".join([content(*record) for record in stored])).digest()


def ordering(definition: Definition) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what gives, of a record's stored values, what comes before its line in the order that the source states: nothing where it states none.

    Dates and instants are stored so that their texts are in the order of time.
    """
    if definition.roles.order is None:
        return lambda _values: ()
    place = definition.layout.data.position(definition.roles.order)
    return lambda values: (values[place],)


def decoder(definition: Definition) -> Callable[[list[Any]], list[Value | None]]:
    """Return what reads a record's stored values back into the types that its columns have."""
    readers: list[tuple[int, Callable[[Any], Value]]] = []
    for place, column in enumerate(definition.layout.data.columns):
        if column.kind is Kind.INSTANT:
            readers.append((place, datetime.fromisoformat))
        elif column.kind is Kind.DATE:
            readers.append((place, date.fromisoformat))

    def decode(stored: list[Any]) -> list[Value | None]:
        values: list[Value | None] = stored.copy()
        for place, read in readers:
            written = stored[place]
            values[place] = None if written is None else read(written)
        return values

    return decode
