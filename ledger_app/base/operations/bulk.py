"""Writes many rows with one statement.

The driver for MySQL and MariaDB makes SQL of every value in Python, one by one; here a whole column is made into literals at once, by the
driver's own escaping. SQLite's driver binds values as they are.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from enum import Enum
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from django.db import connection, connections, models

from ledger_app import errors
from ledger_app.base.queries import lookout
from ledger_app.errors import card_numbers

ROWS_A_CALL = 5000
OBJECTS_A_CALL = 1000  # of models, which are heavier
# A server closes the connection on a statement larger than its max_allowed_packet, 16 MiB where nobody set it. Escaped for SQL and encoded, a
# document grows at most fourfold.
DOCUMENT_CHARACTERS = 2_000_000


Row = TypeVar("Row", bound=models.Model)


class Kind(Enum):
    """What a column holds."""

    INTEGER = 1
    OPTIONAL_INTEGER = 2
    DATE = 3
    TEXT = 4
    DIGEST = 5


INTEGER, OPTIONAL_INTEGER, DATE, TEXT, DIGEST = Kind


def insert(table: str, columns: Mapping[str, Kind], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert ``rows`` into ``table``, a statement for each 5,000, or for fewer where they are long; return how many the database says it wrote.

    ``columns`` maps names, in the order of the rows, to kinds. Table and columns are names of our own, never anything that came in.
    Where the caller has not looked for card numbers (``lookout.done``), the texts are looked at here.

    :raises TypeError: at a value that is not of its column's kind
    :raises errors.Refused: card_number_in_text
    """
    written = 0
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_A_CALL):
            part = rows[start : start + ROWS_A_CALL]
            _check_kinds(columns, part)
            if not lookout.is_done():
                _look(columns, part)
            if connection.vendor == "sqlite":
                with lookout.done():
                    cursor.executemany(f"{_head(table, columns)}({', '.join(['%s'] * len(columns))})", part)
                written += cursor.rowcount
            else:
                for statement in _statements(table, columns, part):
                    cursor.execute(statement)
                    written += cursor.rowcount
    return written


def insert_all(what: str, table: str, columns: Mapping[str, Kind], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows`` as ``insert`` does, all of them.

    :raises errors.WrittenDiffers: naming ``what``, where the database says that it wrote another number of rows
    """
    _assert_count(what, len(rows), insert(table, columns, rows))


def numbered(rows: Sequence[Row]) -> Sequence[Row]:
    """Insert ``rows`` of one model, none of which has a number yet, and return them with the numbers that the database gave.

    :raises errors.WrittenDiffers: where fewer have one than were to be written
    """
    if not rows:
        return rows
    manager = type(rows[0])._default_manager  # noqa: SLF001 - the public name of a model's manager varies
    if connection.features.can_return_rows_from_bulk_insert:
        manager.bulk_create(rows, batch_size=ROWS_A_CALL)
    else:
        for start in range(0, len(rows), OBJECTS_A_CALL):
            _number(rows[start : start + OBJECTS_A_CALL])
    _assert_count(str(manager.model._meta.verbose_name_plural), len(rows), len({row.pk for row in rows if row.pk is not None}))  # noqa: SLF001
    return rows


def _number(rows: Sequence[Row]) -> None:
    """Insert rows by one statement, and give each its number where the database tells that of the first alone, as MySQL does.

    A statement whose rows are known beforehand gets numbers that follow each other. That is not believed: under each number must be, in every column,
    the row that was written.

    :raises errors.WrittenDiffers: where another is
    """
    manager = type(rows[0])._default_manager  # noqa: SLF001 - the public name of a model's manager varies
    meta = manager.model._meta  # noqa: SLF001 - the documented interface of models
    names = [field.attname for field in meta.concrete_fields if not field.primary_key]
    manager.bulk_create(rows, batch_size=len(rows))
    with connection.cursor() as cursor:
        cursor.execute("SELECT LAST_INSERT_ID(), @@SESSION.auto_increment_increment")
        first, step = map(int, cursor.fetchone())
    keys = range(first, first + step * len(rows), step)
    there = {key: values for key, *values in manager.filter(pk__in=keys).values_list("pk", *names)}
    for key, row in zip(keys, rows, strict=True):
        if there.get(key) != [getattr(row, name) for name in names]:
            raise errors.WrittenDiffers(what=str(meta.verbose_name_plural), planned=f"{len(rows)} from {first}", found=key)
        row.pk = key


def create(rows: Sequence[Row], *, within: models.QuerySet[Row]) -> None:
    """Create ``rows`` of a model, and read back that ``within``, where they and no others stand, has as many.

    :raises errors.WrittenDiffers: where it has not
    """
    within.model._default_manager.bulk_create(rows, batch_size=OBJECTS_A_CALL)  # noqa: SLF001 - the public name of a model's manager varies
    _assert_count(str(within.model._meta.verbose_name_plural), len(rows), within.count())  # noqa: SLF001 - Django's public API


def _assert_count(what: str, planned: int, found: int) -> None:
    if found != planned:
        raise errors.WrittenDiffers(what=what, planned=planned, found=found)


def insert_each(table: str, columns: Mapping[str, Kind], blocks: Iterable[Sequence[tuple[Any, ...]]]) -> Iterator[int]:
    """Insert blocks of rows as ``insert`` does, and yield how many rows each had; the next is made while the server takes in the one before.

    Between the blocks nothing else may be asked of this thread's connection. The caller has looked for card numbers.
    """
    if connection.vendor == "sqlite":
        for rows in blocks:
            with lookout.done():
                insert_all(table, table, columns, rows)
            yield len(rows)
        return
    session = connections[connection.alias]  # the connection itself, which another thread would have one of its own in place of
    session.inc_thread_sharing()
    try:
        with ThreadPoolExecutor(1) as sender, session.cursor() as cursor:
            under_way: list[Future[int]] = []
            sent = 0
            for rows in blocks:
                _check_kinds(columns, rows)
                statements = list(_statements(table, columns, rows))
                # Nothing is under way while the one who asked has its turn: it may give up, and have the transaction undone.
                if _ended(table, under_way, sent):
                    yield sent
                under_way = [sender.submit(cursor.execute, statement) for statement in statements]
                sent = len(rows)
            if _ended(table, under_way, sent):
                yield sent
    finally:
        session.dec_thread_sharing()


def _ended(what: str, under_way: Sequence[Future[int]], planned: int) -> bool:
    """Wait for statements that are under way, raising what they raise; return whether there were any. They wrote as many rows as planned."""
    if under_way:
        _assert_count(what, planned, sum([each.result() for each in under_way]))
    return bool(under_way)


def _check_kinds(columns: Mapping[str, Kind], rows: Sequence[tuple[Any, ...]]) -> None:
    """Hold every value against the kind of its column: what is of another type is a fault of the program, on either database."""
    if set(columns.values()) == {INTEGER} and set(map(type, chain.from_iterable(rows))) <= {int}:
        return
    for (name, kind), values in zip(columns.items(), zip(*rows, strict=True), strict=True):
        if not set(map(type, values)) <= _TYPES[kind]:
            wrong = sorted({each.__name__ for each in set(map(type, values)) - _TYPES[kind]})
            raise TypeError(f"{name} is {kind.name} and takes no {', '.join(wrong)}")


def _look(columns: Mapping[str, Kind], rows: Sequence[tuple[Any, ...]]) -> None:
    """Refuse texts with card numbers in them, a column at a time.

    :raises errors.Refused: card_number_in_text
    """
    for kind, values in zip(columns.values(), zip(*rows, strict=True), strict=True):
        if kind is Kind.TEXT and card_numbers.may_hold(_SEPARATOR.join(values)):
            lookout.refuse(values)


def _head(table: str, columns: Mapping[str, Kind]) -> str:
    return f"INSERT INTO {table} ({', '.join(map(connection.ops.quote_name, columns))}) VALUES "


def setting(*, given: str, table: str, row: str, on: str, values: Mapping[str, str]) -> str:
    """Return the statement that sets columns of a table's rows, called ``row``, each to an expression, where a row of ``given`` matches.

    From what is given to the rows, by the primary key: else a server may read the table, and wait for whatever others write to it.
    """
    if connection.vendor == "sqlite":
        said = ", ".join(f"{column} = {value}" for column, value in values.items())
        return f"UPDATE {table} AS {row} SET {said} FROM {given} WHERE {on}"
    said = ", ".join(f"{row}.{column} = {value}" for column, value in values.items())
    return f"UPDATE {given} STRAIGHT_JOIN {table} AS {row} FORCE INDEX (PRIMARY) ON {on} SET {said}"


def removing(*, given: str, table: str, row: str, on: str, key: str) -> str:
    """Return the statement that removes a table's rows, called ``row``, whose primary key is ``key``, where a row of ``given`` matches."""
    if connection.vendor == "sqlite":
        return f"DELETE FROM {table} WHERE {key} IN (SELECT {row}.{key} FROM {given} CROSS JOIN {table} AS {row} ON {on})"
    return f"DELETE {row} FROM {given} STRAIGHT_JOIN {table} AS {row} FORCE INDEX (PRIMARY) ON {on}"


def documents(rows: Sequence[Any]) -> Iterator[str]:
    """Yield ``rows`` as JSON arrays, cut so that each fits into one statement; a row that is longer than that goes alone."""
    yield from _cut(rows, _ENCODE)


def _statements(table: str, columns: Mapping[str, Kind], rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    kinds = list(columns.values())
    template = f"({','.join(_PLACES[kind] for kind in kinds)})".__mod__
    makers = {place: _MAKERS[kind] for place, kind in enumerate(kinds) if kind in _MAKERS}
    head = _head(table, columns)

    def made(part: Sequence[tuple[Any, ...]]) -> str:
        if not makers:
            return head + ",".join(map(template, part))
        # Column by column, so that the loops are the interpreter's own.
        literals: list[Iterable[Any]] = list(zip(*part, strict=True))
        for place, make in makers.items():
            literals[place] = make(literals[place])
        return head + ",".join(map(template, zip(*literals, strict=True)))

    yield from _cut(rows, made)


def _cut(rows: Sequence[Any], made: Callable[[Sequence[Any]], str]) -> Iterator[str]:
    text = made(rows)
    if len(text) <= DOCUMENT_CHARACTERS or len(rows) < 2:
        yield text
        return
    middle = len(rows) // 2
    yield from _cut(rows[:middle], made)
    yield from _cut(rows[middle:], made)


def _optional_integers(values: Iterable[int | None]) -> Iterable[str]:
    return ["NULL" if value is None else int.__repr__(value) for value in values]


@lru_cache(maxsize=1024)  # few days, and many rows of each
def _date(value: date | None) -> str:
    return "NULL" if value is None else f"'{date.isoformat(value)}'"


def _dates(values: Iterable[date | None]) -> Iterable[str]:
    return map(_date, values)


def _texts(values: Iterable[str]) -> Iterable[str]:
    """Escape texts, all at once: by the driver, for a session like ours: in UTF-8, with backslashes that escape (config/settings.py).

    The driver's own function, not the session's, which may be at work with the statement before. It leaves the separator as it is. Texts without
    any character that ends a literal or means another stand for themselves, which the server reads faster: the quotes of JSON are not escaped.
    """
    escape: Callable[[str], bytes] = connection.Database._mysql.escape_string  # type: ignore[attr-defined] # noqa: SLF001 - where the driver keeps it
    given = list(values)
    joined = _SEPARATOR.join(given)
    if _TO_ESCAPE.search(joined) is None:
        return given
    if joined.count(_SEPARATOR) == len(given) - 1:
        return escape(joined).decode().split(_SEPARATOR)
    return [escape(value).decode() for value in given]


def _digests(values: Iterable[bytes]) -> Iterable[str]:
    return map(bytes.hex, values)


_SEPARATOR = chr(31)
_TO_ESCAPE = re.compile(r"[\0\n\r\x1a'\\]")
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TYPES: Mapping[Kind, frozenset[type]] = {
    Kind.INTEGER: frozenset({int}),
    Kind.OPTIONAL_INTEGER: frozenset({int, type(None)}),
    Kind.DATE: frozenset({date, type(None)}),
    Kind.TEXT: frozenset({str}),
    Kind.DIGEST: frozenset({bytes}),
}
# How a value stands in a statement, and what makes literals of a column's values, which have been compared with its kind.
_PLACES: Mapping[Kind, str] = {
    Kind.INTEGER: "%d",
    Kind.OPTIONAL_INTEGER: "%s",
    Kind.DATE: "%s",
    Kind.TEXT: "'%s'",
    Kind.DIGEST: "x'%s'",
}
_MAKERS: Mapping[Kind, Callable[[Iterable[Any]], Iterable[str]]] = {
    Kind.OPTIONAL_INTEGER: _optional_integers,
    Kind.DATE: _dates,
    Kind.TEXT: _texts,
    Kind.DIGEST: _digests,
}
