"""The one home of row locks, and their one order (docs/locking.md).

    1  the caller's own row (chunk, batch, period, entry …)      exclusive
    2  the period rows of the books, by id                       shared (a freeze holds its own period's row exclusively)
    3  accounts with their holders and books, by account id      shared (a merge holds its accounts exclusively)
    4  balances, by account and stripe                           exclusive

Within one transaction the steps are taken in this order and each at most once; anything else is a fault of the program and raises
``LockOrderBroken``. SQLite has no row locks: there a transaction takes the only write lock when it begins.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models

from ledger_app.rules import posting
from ledger_app.rules.posting import HeldAccount, HeldPeriod

# MariaDB turns an IN list of 1,000 and more into a join, whose order of locking is not the list's.
LIST_MOST = 900

Row = TypeVar("Row", bound=models.Model)

STEPS = ("own row", "periods", "accounts", "balances")

# ``LOCK IN SHARE MODE`` is understood by MariaDB and MySQL alike.
SHARED = {"mysql": "LOCK IN SHARE MODE", "sqlite": ""}
EXCLUSIVE = {"mysql": "FOR UPDATE", "sqlite": ""}


class LockOrderBroken(AssertionError):
    """The program asked for a lock out of order, twice, or outside the outermost transaction."""


class Ledger(NamedTuple):
    """What ``ledger`` holds: the accounts' books as id → code, periods by book, accounts, and balances as id → (amount, sequence)."""

    book_codes: dict[int, str]
    periods: dict[int, list[HeldPeriod]]
    accounts: dict[int, HeldAccount]
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


PERIODS = """
    SELECT book_id, name, starts_on, ends_on, state FROM ledger_app_period
     WHERE book_id IN ({ids}) AND starts_on <= %s AND ends_on >= %s
     ORDER BY id {lock}
"""
# The account's row first, then what hangs on it: whoever changes an account or its holder has the account's row before anything else of it.
ACCOUNTS = """
    SELECT account.id, account.code, account.book_id, account.category, account.floor, account.stripes, account.state,
           holder.merged_into_id, book.code
      FROM ledger_app_account AS account
           {then} ledger_app_book AS book ON book.id = account.book_id
           LEFT JOIN ledger_app_holder AS holder ON holder.id = account.holder_id
     WHERE account.id IN ({ids})
     ORDER BY account.id {lock}
"""
ACCOUNTS_ALONE = "SELECT id FROM ledger_app_account WHERE id IN ({ids}) ORDER BY id {lock}"
HOLDERS_ALONE = "SELECT id FROM ledger_app_holder WHERE id IN ({ids}) ORDER BY id {lock}"
BALANCES = "SELECT id, amount, sequence FROM ledger_app_balance WHERE id IN ({ids}) ORDER BY id {lock}"


def ledger(
    *,
    book_ids: Collection[int],
    first_on: date,
    last_on: date,
    account_ids: Collection[int],
    lane: int,
    alone: bool = False,
    holder_ids: Collection[int] = (),
) -> Ledger:
    """Lock, in the order above, what a posting rests on: periods that meet the span, accounts, and the balances that ``lane`` picks.

    ``alone``: nobody else may hold the accounts meanwhile, as their holders are about to be merged; ``holder_ids`` are those holders, who may
    have no account at all.
    """
    vendor = connection.vendor
    _take(1)
    periods: dict[int, list[HeldPeriod]] = {}
    for book_id, *period in _rows(PERIODS, sorted(book_ids), SHARED[vendor], last_on, first_on):
        periods.setdefault(book_id, []).append(HeldPeriod(*period))
    _take(2)
    keys = sorted(account_ids)
    if alone:
        _rows(ACCOUNTS_ALONE, keys, EXCLUSIVE[vendor])
        # Before the shared locks below: who has those cannot wait for more without meeting somebody who does the same.
        _rows(HOLDERS_ALONE, sorted(holder_ids), EXCLUSIVE[vendor])
    book_codes: dict[int, str] = {}
    accounts: dict[int, HeldAccount] = {}
    for key, code, book_id, *held, book_code in _rows(ACCOUNTS, keys, SHARED[vendor]):
        book_codes[book_id] = book_code
        accounts[key] = HeldAccount(code, book_id, *held)
    _take(3)
    balance_ids = [posting.balance_id(key, lane % account.stripes) for key, account in accounts.items()]
    balances = {key: (amount, sequence) for key, amount, sequence in _rows(BALANCES, balance_ids, EXCLUSIVE[vendor])}
    return Ledger(book_codes, periods, accounts, balances)


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
    then = {"mysql": "STRAIGHT_JOIN", "sqlite": "CROSS JOIN"}[connection.vendor]
    with connection.cursor() as cursor:
        for part in _parts(keys):
            cursor.execute(statement.format(ids=",".join(map(str, part)), then=then, lock=lock), parameters or None)
            rows += cursor.fetchall()
    return rows


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), LIST_MOST):
        yield keys[start : start + LIST_MOST]
