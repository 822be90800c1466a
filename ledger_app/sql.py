"""What several statements spell alike, each once, and how the databases differ in it: lists, ordered joins, the natural direction, keys, dates.

SQLite is one; MariaDB and MySQL, which Django calls ``mysql``, are the other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import Q

from ledger_app.models import Period
from ledger_app.values.balances import STRIPES_MOST
from ledger_app.values.sides import DEBIT_CATEGORIES

Key = TypeVar("Key", int, str)

# MariaDB turns an IN list of 1,000 and more into a join, whose order of locking is not the list's.
LIST_MOST: Final = 900
GIVEN_MOST: Final = 20_000  # a hundred characters each at most: a server takes no statement larger than its max_allowed_packet

# The kinds of the columns of what is given.
INTEGER: Final = "BIGINT"
DAY: Final = "DATE"
REFERENCE: Final = "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

IDS: Final[Mapping[str, str]] = MappingProxyType({"id": INTEGER})

# Of a period: it has one of the days up to the first parameter and from the second on.
MEETING: Final = "starts_on <= %s AND ends_on >= %s"
# Of an entry and a period: the one takes the date of the other.
IN_PERIOD: Final = "entry.book_id = period.book_id AND entry.effective_on BETWEEN period.starts_on AND period.ends_on"


def parts(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Cut a list of keys so that no statement's IN list grows past what the databases handle as a list."""
    for start in range(0, len(keys), LIST_MOST):
        yield keys[start : start + LIST_MOST]


def documents(given: Sequence[Any]) -> Iterator[str]:
    """Yield what is given as the parameter that ``given_keys`` and ``given_rows`` read, cut so that no statement grows too large."""
    for start in range(0, len(given), GIVEN_MOST):
        yield json.dumps(given[start : start + GIVEN_MOST])


def then() -> str:
    """Return what joins two tables in the order in which they are written."""
    return {"mysql": "STRAIGHT_JOIN", "sqlite": "CROSS JOIN"}[connection.vendor]


def given_keys(column: str = "id", kind: str = INTEGER) -> str:
    """Return a table ``given`` of one column, which reads its parameter: a JSON array of values."""
    if connection.vendor == "sqlite":
        return f"(SELECT value AS {column} FROM json_each(%s)) AS given"
    return f"JSON_TABLE(%s, '$[*]' COLUMNS ({column} {kind} PATH '$')) AS given"


def given_rows(columns: Mapping[str, str], name: str = "given") -> str:
    """Return a table of these columns, each with its kind, which reads its parameter: a JSON array of arrays in the same order."""
    if connection.vendor == "sqlite":
        values = ", ".join(f"value ->> {place} AS {column}" for place, column in enumerate(columns))
        return f"(SELECT {values} FROM json_each(%s)) AS {name}"
    typed = ", ".join(f"{column} {kind} PATH '$[{place}]'" for place, (column, kind) in enumerate(columns.items()))
    return f"JSON_TABLE(%s, '$[*]' COLUMNS ({typed})) AS {name}"


def joined(first: str, second: str) -> str:
    """Return two texts one after the other, as an expression."""
    return f"({first} || {second})" if connection.vendor == "sqlite" else f"CONCAT({first}, {second})"


def natural(amount: str) -> str:
    """Return an amount, as an expression, in the natural direction of the ``account`` of the statement."""
    debit = ", ".join(f"'{category}'" for category in sorted(DEBIT_CATEGORIES))
    return f"(CASE WHEN account.category IN ({debit}) THEN {amount} ELSE -{amount} END)"


def balance_key(account_id: str, stripe: str) -> str:
    """Return the key of a balance as an expression, as ``values.balances.balance_id`` makes it."""
    return f"({account_id} * {STRIPES_MOST} + {stripe})"


def dated_in(period: Period, path: str = "effective_on") -> Q:
    """Return the condition that a date, at ``path``, is one of the period's."""
    return Q(**{f"{path}__gte": period.starts_on, f"{path}__lte": period.ends_on})


def meeting(first: date | str | None, last: date | str | None, path: str = "") -> Q:
    """Return the condition that a period, to which ``path`` leads, has one of the days from ``first`` to ``last``."""
    return Q(**{f"{path}starts_on__lte": last, f"{path}ends_on__gte": first})
