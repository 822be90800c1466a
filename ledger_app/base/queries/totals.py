"""Sums of amounts that may pass sixty-four bits: turnovers over years do, though no balance does. The one place that knows how each engine sums.

SQLite's own SUM fails there, or gives a number that was rounded, so it sums with ``EXACT_SUM``, which every connection gets: an integer where that fits, else
its digits as a text, which equals no integer, and is compared by ``EXACT_BELOW(sum, other)``. MariaDB and MySQL sum in decimals of 65 digits by themselves. SQL
says ``EXACT_SUM`` and goes through ``sql``; the ORM says ``Total``. Nothing else sums (tests/architecture/test_source.py).
"""

import re
from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, BigIntegerField, QuerySet, Subquery
from django.db.models.sql.compiler import SQLCompiler
from django.utils.functional import cached_property

EXACT: Final = "EXACT_SUM"
MOST: Final = 2**63 - 1
_BELOW: Final = re.compile(r"EXACT_BELOW\((\w+), (\w+)\)")


class _Running:
    """One sum, as SQLite calls it: over a group, or over a window that rows enter and leave."""

    def __init__(self) -> None:
        self._sum = 0
        self._count = 0

    def step(self, value: int | str | None) -> None:
        """Add a row."""
        if value is not None:
            self._sum += int(value)  # an inner sum may be digits
            self._count += 1

    def inverse(self, value: int | str | None) -> None:
        """Take a row out of the window."""
        if value is not None:
            self._sum -= int(value)
            self._count -= 1

    def value(self) -> int | str | None:
        """Return the sum; None of nothing, as SUM does."""
        if self._count == 0:
            return None
        return self._sum if -MOST - 1 <= self._sum <= MOST else str(self._sum)

    finalize = value


def install(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Give a connection to SQLite its exact sum, and the comparison of one. Received with each new connection."""
    if connection.vendor == "sqlite":
        connection.connection.create_window_function(EXACT, 1, _Running)
        connection.connection.create_function("EXACT_BELOW", 2, _is_below, deterministic=True)


def _is_below(one: int | str | None, other: int | str | None) -> bool | None:
    return None if one is None or other is None else int(one) < int(other)


def sql(statement: str) -> str:
    """Return a statement that sums by ``EXACT_SUM``, as the engine at hand has it."""
    if connection.vendor == "sqlite":
        return statement
    return _BELOW.sub(r"(\1 < \2)", statement.replace(f"{EXACT}(", "SUM("))


def of(expression: str) -> str:
    """Return the SQL that sums an expression of integers; ``whole`` reads what it gives. Nothing sums to 0."""
    return sql(f"COALESCE({EXACT}({expression}), 0)")


def is_not_zero(expression: str) -> str:
    """Return the SQL that says whether a sum is not zero."""
    return f"{of(expression)} <> 0"


def whole(value: Any) -> int:
    """Return a sum as an integer, whatever the engine gives: an integer, a decimal, digits, or NULL of nothing."""
    return int(value or 0)


class Total(Aggregate):
    """The exact sum of integers: an integer, 0 of nothing. One that passes sixty-four bits is on SQLite not to be ordered by."""

    name = "Total"
    allow_distinct = False
    empty_result_set_value = 0  # where the database need not be asked

    def __init__(self, expression: Any, **options: Any) -> None:
        """Sum ``expression``, with a ``filter`` where one is given."""
        super().__init__(expression, output_field=BigIntegerField(), **options)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, Any]:  # type: ignore[override]  # the names that it passes on
        """Sum as the engine does."""
        context["function"] = EXACT if connection.vendor == "sqlite" else "SUM"
        summed, parameters = super().as_sql(compiler, connection, **context)
        return f"COALESCE({summed}, 0)", parameters

    @cached_property
    def convert_value(self) -> Callable[[Any, Any, Any], int]:
        """Return what makes an integer of what the database gives."""
        return lambda value, _expression, _connection: whole(value)


class TotalOf(Subquery):
    """The one ``Total`` of a query, as a column of another; 0 where the query has no row."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        """Bring what ``rows`` give."""
        super().__init__(rows, output_field=BigIntegerField())

    @cached_property
    def convert_value(self) -> Callable[[Any, Any, Any], int]:
        """Return what makes an integer of what the database gives."""
        return lambda value, _expression, _connection: whole(value)
