"""The one home of row locks, and their one order (docs/locking.md).

    1  the caller's own row (chunk, batch, period, entry …)      exclusive
    2  the period rows that meet the dates, by id                shared (a freeze holds its own period's row exclusively)
    3  accounts with their holders and books, by account id      shared (a merge holds its accounts exclusively)
    4  balances, by account and stripe                           exclusive

Within one transaction the steps are taken in this order and each at most once; anything else is a fault of the program and raises
``LockOrderBroken``. SQLite has no row locks: there a transaction takes the only write lock when it begins.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.models import Book, Period
from ledger_app.values import dates
from ledger_app.values.balances import balance_id
from ledger_app.values.locked import LockedAccount, LockedPeriod

# How often what is found without a lock is looked up again, where it was not the same any more under the lock.
LOOKS_MOST = 3

Row = TypeVar("Row", bound=models.Model)

STEPS = ("own row", "periods", "accounts", "balances")

# ``LOCK IN SHARE MODE`` is understood by MariaDB and MySQL alike.
SHARED = {"mysql": "LOCK IN SHARE MODE", "sqlite": ""}
EXCLUSIVE = {"mysql": "FOR UPDATE", "sqlite": ""}


# What MariaDB (1205) and MySQL (3572) say where a row that was asked for at once is locked.
NOT_FREE = frozenset({1205, 3572})


class LockOrderBroken(AssertionError):
    """The program asked for a lock out of order, twice, or outside the outermost transaction."""


class Wanted(NamedTuple):
    """What a posting is about to rest on: the periods of books that meet a span of dates, and accounts.

    ``days``, where they are known, are those of the span that matter: a period in between that has none of them is nobody's to wait for. ``holder_ids`` are holders who are about to be merged, and may have no account at all.
    """

    book_ids: frozenset[int]
    first_on: date
    last_on: date
    account_ids: frozenset[int]
    holder_ids: frozenset[int] = frozenset()
    days: frozenset[date] = frozenset()


class Ledger(NamedTuple):
    """What ``ledger`` holds: the accounts' books as id → code, periods by book, accounts, and balances as id → (amount, sequence).

    ``last_on`` is the latest date of the lines of each balance that has any.
    """

    book_codes: dict[int, str]
    periods: dict[int, list[LockedPeriod]]
    accounts: dict[int, LockedAccount]
    balances: dict[int, tuple[int, int]]
    last_on: Mapping[int, date] = MappingProxyType({})


def begin() -> None:
    """Start counting for a new outermost transaction. Called by ``base.operations.transactions.run`` alone."""
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


def own_if_there(rows: models.QuerySet[Row]) -> Row | None:
    """Lock and return the first of ``rows`` as the caller's own; None where there is none yet, whom a unique key keeps from becoming two."""
    _take(0)
    return rows.select_for_update().first()


def setting(rows: models.QuerySet[Row]) -> Row | None:
    """Lock and return the row of a setting, or the row whose lock stands for it; None where the setting has no row yet.

    A unique key keeps what is not there from becoming two.
    """
    return next(iter(beside_own(rows)), None)


def beside_own(rows: models.QuerySet[Row]) -> list[Row]:
    """Lock and return rows that a decision on the caller's own row rests on, in the order of their ids: after that row, before everything else."""
    if not is_counting() or connection.kakutei_lock_step > 0:  # type: ignore[attr-defined]
        raise LockOrderBroken(
            "rows beside the caller's own were asked for after another step, or outside the outermost transaction"
        )
    return list(rows.select_for_update().order_by("id"))


def opening(book_id: int, after: date, *, is_apart: bool = False) -> Period | None:
    """Lock what the opening of a period that ends on ``after`` rests on: the next period, which is returned as it is under the lock.

    So nobody freezes that one meanwhile, and who fills the same gap waits. Then the book's row: shared by who opens a period that touches another,
    and by who posts; alone where it ``is_apart`` from all that are there, since two such might overlap and share no day that a unique key has.
    The next period comes first, as a freeze that is under way holds its period and then needs the book.

    :raises errors.TryAgain: where another period was opened before the one that is locked
    """
    _take(0)
    later = Period.objects.filter(book=book_id, starts_on__gt=after).order_by("starts_on").values_list("id", flat=True)
    # Found without a lock, and locked by its key: a locking read of a range would wait for every period in it.
    key = later.first()
    row = None if key is None else Period.objects.select_for_update().get(pk=key)
    _rows(BOOKS, [book_id], (EXCLUSIVE if is_apart else SHARED)[connection.vendor])
    if later.first() != key:
        raise errors.TryAgain(cause=_("a period was opened meanwhile"))
    return row


def alone_in_book(book_id: int) -> None:
    """Lock a book's row, which every posting locks shared, and so wait until what is being posted is committed or undone. The lock lasts a moment."""
    own_row(Book, book_id)


def next_free(rows: models.QuerySet[Row]) -> Row | None:
    """Lock and return, as the caller's own row, the first of ``rows`` that nobody else has locked; None where there is none."""
    _take(0)
    return rows.select_for_update(skip_locked=True).first()


def look(rows: models.QuerySet[Row]) -> None:
    """Lock ``rows`` without waiting, and let them go at once: outside any transaction the statement is one of its own, and costs no begin and no commit.

    :raises OperationalError: of ``NOT_FREE``, where somebody holds one of them, or is writing it
    """
    # Django refuses select_for_update there, where what is locked would be let go: which is what is wanted.
    statement, given = rows.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} FOR UPDATE NOWAIT", given)


def free_rows(rows: models.QuerySet[Row]) -> list[Row]:
    """Lock and return those of ``rows`` that nobody else has locked. At any step, since it waits for nobody."""
    if not is_counting():
        raise LockOrderBroken("rows were asked for outside the outermost transaction")
    return list(rows.select_for_update(skip_locked=True))


# Found without a lock, then locked by their keys. A locking read of the range waits, on MariaDB, for every row that it looks at: for the month
# that is being frozen, anyone who posts to the next.
PERIODS_MEETING = f"""
    SELECT id, starts_on, ends_on FROM ledger_app_period
     WHERE book_id IN ({{ids}}) AND {sql.MEETING}
"""
PERIODS = """
    SELECT id, starts_on, ends_on, book_id, name, state FROM ledger_app_period WHERE id IN ({ids}) ORDER BY id {lock}
"""
# The account's row first, then what hangs on it: anyone who changes an account or its holder has the account's row before anything else of it.
ACCOUNTS = """
    SELECT account.id, account.code, account.book_id, account.category, account.floor, account.stripes, account.state,
           holder.merged_into_id, account.keeps_lots, book.code
      FROM ledger_app_account AS account
           {then} ledger_app_book AS book ON book.id = account.book_id
           LEFT JOIN ledger_app_holder AS holder ON holder.id = account.holder_id
     WHERE account.id IN ({ids})
     ORDER BY account.id {lock}
"""
BOOKS = "SELECT id FROM ledger_app_book WHERE id IN ({ids}) ORDER BY id {lock}"
ACCOUNTS_ALONE = "SELECT id FROM ledger_app_account WHERE id IN ({ids}) ORDER BY id {lock}"
HOLDERS_ALONE = "SELECT id FROM ledger_app_holder WHERE id IN ({ids}) ORDER BY id {lock}"
BALANCES = "SELECT id, amount, sequence, last_on FROM ledger_app_balance WHERE id IN ({ids}) ORDER BY id {lock}"


def ledger(wanted: Wanted, *, lane: int = 0, alone: bool = False) -> Ledger:
    """Lock, in the order above, what a posting rests on: periods that meet the span, accounts, and the balances that ``lane`` picks.

    ``alone``: nobody else may hold the accounts meanwhile, as their holders are about to be merged; ``holder_ids`` are those holders, who may
    have no account at all.
    """
    return _read(wanted, lane, SHARED[connection.vendor], EXCLUSIVE[connection.vendor], take=_take, alone=alone)


def unlocked(wanted: Wanted) -> Ledger:
    """Read what ``ledger`` locks, of the first stripes, and lock nothing: for previews."""
    return _read(wanted, 0, "", "", take=lambda _step: None)


def _read(wanted: Wanted, lane: int, shared: str, exclusive: str, *, take: Callable[[int], None], alone: bool = False) -> Ledger:
    take(1)
    periods = _periods(wanted, shared)
    take(2)
    keys = sorted(wanted.account_ids)
    if alone:
        _rows(ACCOUNTS_ALONE, keys, exclusive)
        # Before the shared locks below: who has those cannot wait for more without meeting somebody who does the same.
        _rows(HOLDERS_ALONE, sorted(wanted.holder_ids), exclusive)
    book_codes: dict[int, str] = {}
    accounts: dict[int, LockedAccount] = {}
    for key, code, book_id, *account, keeps_lots, book_code in _rows(ACCOUNTS, keys, shared):
        book_codes[book_id] = book_code
        accounts[key] = LockedAccount._make((code, book_id, *account, bool(keeps_lots)))
    take(3)
    balance_ids = [balance_id(key, lane % account.stripes) for key, account in accounts.items()]
    rows = _rows(BALANCES, balance_ids, exclusive)
    balances = {key: (amount, sequence) for key, amount, sequence, _last_on in rows}
    last_on = {key: last_on for key, _amount, _sequence, last_on in rows if last_on is not None}
    return Ledger(book_codes, periods, accounts, balances, last_on)


def _periods(wanted: Wanted, lock: str) -> dict[int, list[LockedPeriod]]:
    """Return the periods that meet the span, by book, as they are under the lock.

    One that is opened after the look is not among them: then the posting came before its opening.

    :raises errors.TryAgain: where the spans of periods changed as fast as they were looked up
    """
    for _look in range(LOOKS_MOST):
        met = _rows(PERIODS_MEETING, sorted(wanted.book_ids), "", wanted.last_on, wanted.first_on)
        found = [row for row in met if not wanted.days or _has_day(row, wanted.days)]
        locked = _rows(PERIODS, sorted(row[0] for row in found), lock)
        if sorted(map(tuple, found)) == [tuple(row[:3]) for row in locked]:
            break
    else:
        raise errors.TryAgain(cause=_("periods changed meanwhile"))
    periods: dict[int, list[LockedPeriod]] = {}
    for _id, starts_on, ends_on, book_id, name, state in locked:
        periods.setdefault(book_id, []).append(LockedPeriod(name, starts_on, ends_on, state))
    return periods


def _has_day(row: Sequence[Any], days: Collection[date]) -> bool:
    """Whether a period, as (id, first day, last day), has one of these days; SQLite gives days as text."""
    first, last = (date.fromisoformat(day) if isinstance(day, str) else day for day in row[1:3])
    return any(dates.is_between(first, last, day) for day in days)


def accounts(account_ids: Collection[int]) -> dict[int, LockedAccount]:
    """Lock accounts and their first balances, which are all the balances of one that keeps lots, where nothing is posted."""
    return ledger(Wanted(frozenset(), date.min, date.min, frozenset(account_ids))).accounts


def _take(step: int) -> None:
    if not is_counting():
        raise LockOrderBroken(f"“{STEPS[step]}” was asked for outside the outermost transaction")
    last: int = connection.kakutei_lock_step  # type: ignore[attr-defined]
    if step <= last:
        raise LockOrderBroken(f"“{STEPS[step]}” was asked for after “{STEPS[last]}”")
    connection.kakutei_lock_step = step  # type: ignore[attr-defined]


def _rows(statement: str, keys: Sequence[int], lock: str, *parameters: Any) -> list[Any]:
    """Return the rows of these keys, locked in their order. SQL, as the ORM has no shared lock, and needs longer than the server does."""
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for part in sql.parts(keys):
            cursor.execute(statement.format(ids=",".join(map(str, part)), then=sql.then(), lock=lock), parameters or None)
            rows += cursor.fetchall()
    return rows
