"""Sums of amounts that may pass sixty-four bits, which SQLite's own SUM refuses: turnovers over years do, though no balance does.

On SQLite billions and what is left of them are summed apart, and given as one text. MariaDB and MySQL sum in decimals of 65 digits.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet, Subquery, Sum, TextField
from django.db.models.sql.compiler import SQLCompiler
from django.utils.functional import cached_property

BILLION: Final = 1_000_000_000
# Nothing may be lost between the two: both round towards zero.
PARTED: Final = "COALESCE(SUM(({0}) / 1000000000), 0) || ':' || COALESCE(SUM(({0}) %% 1000000000), 0)"


def of(expression: str) -> str:
    """Return the SQL that sums an expression of integers; ``whole`` reads what it gives. Nothing sums to 0."""
    return PARTED.format(expression) if connection.vendor == "sqlite" else f"COALESCE(SUM({expression}), 0)"


def is_not_zero(expression: str) -> str:
    """Return the SQL that says whether a sum is not zero. Billions that do not cancel out against what is left need not be exact for that."""
    if connection.vendor != "sqlite":
        return f"COALESCE(SUM({expression}), 0) <> 0"
    return f"COALESCE(SUM(({expression}) / 1000000000), 0) * 1000000000 + COALESCE(SUM(({expression}) %% 1000000000), 0) <> 0"


def whole(value: Any) -> int:
    """Return a sum that ``of`` or ``Total`` gave."""
    if isinstance(value, str) and ":" in value:
        billions, left = value.split(":")
        return int(billions) * BILLION + int(left)
    return int(value or 0)


class Total(Sum):
    """``Sum`` of any size: an integer, 0 of nothing. The database is not to compare it or order by it."""

    empty_result_set_value = 0  # where the database need not be asked

    def __init__(self, expression: Any, **options: Any) -> None:
        """Sum ``expression``, with a ``filter`` where one is given."""
        super().__init__(expression, output_field=TextField(), **options)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, tuple[Any, ...]]:
        """Sum in two parts."""
        parts = []
        for part in ("/ 1000000000", "%%%% 1000000000"):
            half = self.copy()
            half.template = f"SUM((%(expressions)s) {part})"
            parts.append(half.as_sql(compiler, connection, **context))
        (billions, first), (left, second) = parts
        return f"(COALESCE({billions}, 0) || ':' || COALESCE({left}, 0))", (*first, *second)

    @cached_property
    def convert_value(self) -> Callable[[Any, Any, Any], int]:
        """Return what makes an integer of what the database gives."""
        return lambda value, _expression, _connection: whole(value)


class TotalOf(Subquery):
    """The one ``Total`` of a query, as a column of another."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        """Bring what ``rows`` give."""
        super().__init__(rows, output_field=TextField())

    @cached_property
    def convert_value(self) -> Callable[[Any, Any, Any], int]:
        """Return what makes an integer of what the database gives."""
        return lambda value, _expression, _connection: whole(value)
