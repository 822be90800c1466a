"""The one home of row locks, and their one order (docs/locking.md).

    1  the caller's own row (chunk, batch, period, entry …)      exclusive
    2  the period rows of the books, by id                       shared (a freeze holds its own period's row exclusively)
    3  holders, by id                                            exclusive
    4  balances, by account and stripe                           exclusive

Within one transaction the steps are taken in this order and each at most once; anything else is a fault of the program and raises
``LockOrderBroken``. SQLite has no row locks: there a transaction takes the only write lock when it begins.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from django.db import connection, models

from ledger_app.models import Balance, Holder, Period

# MariaDB turns an IN list of 1,000 and more into a join, whose order of locking is not the list's.
LIST_MOST = 900

Row = TypeVar("Row", bound=models.Model)

STEPS = ("own row", "periods", "holders", "balances")


class LockOrderBroken(AssertionError):
    """The program asked for a lock out of order, twice, or outside the outermost transaction."""


class Ledger(NamedTuple):
    """What ``ledger`` holds: periods as rows, holders as id → merged_into, balances as id → (amount, sequence)."""

    periods: list[Period]
    holders: dict[int, int | None]
    balances: dict[int, tuple[int, int]]


def begin() -> None:
    """Start counting for a new outermost transaction. Called by ``operations.transactions.run`` alone."""
    connection.kakutei_lock_step = -1  # type: ignore[attr-defined]


def end() -> None:
    """Stop counting: the transaction is over, and no lock may be taken outside one."""
    connection.kakutei_lock_step = None  # type: ignore[attr-defined]


def is_counting() -> bool:
    """Whether an outermost transaction is open."""
    return getattr(connection, "kakutei_lock_step", None) is not None


def own_row(model: type[Row], pk: int) -> Row:
    """Lock and return the caller's own row.

    :raises model.DoesNotExist: where there is none
    """
    _take(0)
    return model._default_manager.select_for_update().get(pk=pk)  # noqa: SLF001 - the public name of a model's manager varies


def next_free(rows: models.QuerySet[Row]) -> Row | None:
    """Lock and return, as the caller's own row, the first of ``rows`` that nobody else has locked; None where there is none."""
    _take(0)
    return rows.select_for_update(skip_locked=True).first()


def free_rows(rows: models.QuerySet[Row]) -> list[Row]:
    """Lock and return those of ``rows`` that nobody else has locked. At any step, since it waits for nobody."""
    if not is_counting():
        raise LockOrderBroken("rows were asked for outside the outermost transaction")
    return list(rows.select_for_update(skip_locked=True))


def ledger(
    *, book_ids: Collection[int], first_on: date, last_on: date, holder_ids: Collection[int], balance_ids: Collection[int]
) -> Ledger:
    """Lock what a posting rests on: periods that meet the span (shared), holders and balances (exclusive), in the order above."""
    _take(1)
    periods = _periods(sorted(book_ids), first_on, last_on)
    _take(2)
    holders: dict[int, int | None] = {}
    for part in _parts(sorted(holder_ids)):
        holders.update(Holder.objects.select_for_update().filter(id__in=part).order_by("id").values_list("id", "merged_into_id"))
    _take(3)
    balances: dict[int, tuple[int, int]] = {}
    for part in _parts(sorted(balance_ids)):
        rows = Balance.objects.select_for_update().filter(id__in=part).order_by("id").values_list("id", "amount", "sequence")
        balances.update((key, (amount, sequence)) for key, amount, sequence in rows)
    return Ledger(periods, holders, balances)


def _take(step: int) -> None:
    if not is_counting():
        raise LockOrderBroken(f"“{STEPS[step]}” was asked for outside the outermost transaction")
    last: int = connection.kakutei_lock_step  # type: ignore[attr-defined]
    if step <= last:
        raise LockOrderBroken(f"“{STEPS[step]}” was asked for after “{STEPS[last]}”")
    connection.kakutei_lock_step = step  # type: ignore[attr-defined]


def _periods(book_ids: Sequence[int], first_on: date, last_on: date) -> list[Period]:
    """The ORM has no shared lock, hence SQL; ``LOCK IN SHARE MODE`` is understood by MariaDB and MySQL alike."""
    if not book_ids:
        return []
    spans = Period.objects.filter(book_id__in=book_ids, starts_on__lte=last_on, ends_on__gte=first_on).order_by("id")
    if connection.vendor == "sqlite":
        return list(spans)
    sql, parameters = spans.query.sql_with_params()
    return list(Period.objects.raw(sql + " LOCK IN SHARE MODE", parameters))


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), LIST_MOST):
        yield keys[start : start + LIST_MOST]
