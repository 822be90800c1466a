"""The balances of a book, as CSV or as one JSON object; a row at a time, so that a book of any size passes."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from ledger_app import errors
from ledger_app.base.operations import knowing
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Figure
from ledger_app.explain.queries import balances
from ledger_app.explain.queries.balances import AccountBalance
from ledger_app.models import Book
from ledger_app.points.queries import standing
from ledger_app.values import instants
from ledger_app.values.amounts import decimal_text
from ledger_app.values.sides import natural

COLUMNS = ("account", "role", "category", "member_number", "amount", "natural_amount", "balance", "unit")


def csv_lines(
    book: Book, *, at: date | None = None, known_at: datetime | None = None, now: datetime | None = None
) -> Iterator[str]:
    """Yield the report as CSV: the names of the columns, then an account a line, by code, without line endings.

    ``now`` says which day it is: what of each balance can be spent is told in columns of its own, where the balances are those of now.

    :raises errors.Refused: balances_not_zero, before the first line
    """
    for row in _proved(book, at, known_at, now):
        columns = COLUMNS if now is None or at or known_at else (*COLUMNS, *standing.NAMES)
        yield tables.csv_line(columns if row is None else _cells(_values(row, book)))


def json_lines(
    book: Book, *, at: date | None = None, known_at: datetime | None = None, now: datetime | None = None
) -> Iterator[str]:
    """Yield the report as one JSON object over several lines: what was asked, ``accounts`` with one a line, ``count`` and ``total``.

    ``now`` says which day it is: what of each balance can be spent is told with it, where the balances are those of now.

    :raises errors.Refused: balances_not_zero, before the first line
    """
    count = total = 0
    for row in _proved(book, at, known_at, now):
        if row is None:
            asked = {"book": book.code, "unit": book.unit, "exponent": book.exponent, "at": at, "known_at": known_at}
            yield json.dumps(asked, default=instants.plain, ensure_ascii=False)[:-1] + ', "accounts": ['
            continue
        yield ("," if count else "") + json.dumps(_values(row, book), ensure_ascii=False)
        count, total = count + 1, total + row.amount
    yield f'], "count": {count}, "total": {total}}}'


def _proved(book: Book, at: date | None, known_at: datetime | None, now: datetime | None) -> Iterator[AccountBalance | None]:
    """Yield None once the sum is known to be zero, then each account; all of it read at one moment.

    :raises errors.Refused: known_at_ahead, balances_not_zero
    :raises errors.WrittenDiffers: when the accounts do not come to the sum that the database gave
    """
    knowing.settle(book=book, known_at=known_at)
    with snapshot():
        expected = balances.total(book, at=at, known_at=known_at)
        if expected != 0:
            raise errors.Refused([errors.BalancesNotZero(book=book.code, sum=expected)])
        yield None
        total = 0
        for row in balances.of_book(book, at=at, known_at=known_at, now=now):
            total += row.amount
            yield row
        if total != expected:
            raise errors.WrittenDiffers(what="sum of balances", planned=expected, found=total)


def _values(row: AccountBalance, book: Book) -> dict[str, Any]:
    return {
        "account": row.code,
        "role": row.role,
        "category": row.category,
        "member_number": row.member_number,
        "amount": row.amount,
        "natural_amount": natural(row.category, row.amount),
        "balance": decimal_text(row.amount, book.exponent),
        "unit": book.unit,
        **(row.standing.parts() if row.standing else {}),
    }


def _cells(values: dict[str, Any]) -> list[tables.Cell]:
    told = {name: "" if value is None else value for name, value in values.items()}
    return list((told | {"balance": Figure(told["balance"])}).values())
