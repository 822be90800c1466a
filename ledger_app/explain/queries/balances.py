"""The balances of a book's accounts: as they are claimed now, or as their lines give them for a day or as known at an instant."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from ledger_app.base.queries import totals
from ledger_app.members.queries import members
from ledger_app.models import Account, Book
from ledger_app.points.queries import standing
from ledger_app.points.queries.standing import Standing
from ledger_app.values.instants import LAST_DAY, LAST_INSTANT

ACCOUNTS_A_READ = 5000


class AccountBalance(NamedTuple):
    """One account and its balance: signed minor units, debit positive. ``member_number`` is empty where no member holds it."""

    code: str
    role: str
    category: str
    member_number: str
    amount: int
    standing: Standing | None = None


CLAIMED = "balance.amount"
CLAIMS = "ledger_app_balance AS balance ON balance.account_id = account.id"

SUMMED = "CASE WHEN posting.id IS NULL THEN 0 ELSE line.amount END"
LINES = """ledger_app_line AS line ON line.account_id = account.id
      LEFT JOIN ledger_app_entry AS entry ON entry.id = line.entry_id AND entry.effective_on <= %s
      LEFT JOIN ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.posted_at <= %s"""

PAGE = """
    SELECT account.code, account.role, account.category, account.holder_id, {amount}
      FROM (SELECT id, code, role, category, holder_id FROM ledger_app_account
             WHERE book_id = %s AND code > %s ORDER BY code LIMIT %s) AS account
      LEFT JOIN {rows}
     GROUP BY account.id, account.code, account.role, account.category, account.holder_id
     ORDER BY account.code
"""

TOTAL = """
    SELECT {amount} FROM ledger_app_account AS account LEFT JOIN {rows} WHERE account.book_id = %s
"""


def of_book(
    book: Book, *, at: date | None = None, known_at: datetime | None = None, now: datetime | None = None
) -> Iterator[AccountBalance]:
    """Yield every account of a book, by code: a bounded number of statements for each ``ACCOUNTS_A_READ`` accounts.

    Without ``at`` and ``known_at`` these are the stored claims. With either they are summed from the lines of the entries dated up to
    ``at`` and posted up to ``known_at``. Given ``now``, the claims come with how they stand.
    """
    amount, rows, parameters = _chosen(at, known_at)
    sql = PAGE.format(amount=amount, rows=rows)
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, [book.pk, last, ACCOUNTS_A_READ, *parameters])
            page = cursor.fetchall()
        numbers = members.numbers_of({holder_id for _, _, _, holder_id, _ in page if holder_id is not None})
        stand: dict[str, Standing] = {}
        if now is not None and at is None and known_at is None:
            rows_of = list(Account.objects.filter(book=book, code__gt=last).order_by("code").select_related("book")[: len(page)])
            found = standing.of(rows_of, at=now)
            stand = {account.code: found[account.pk] for account in rows_of}
        for code, role, category, holder_id, total in page:
            yield AccountBalance(code, role, category, numbers.get(holder_id, ""), totals.whole(total), stand.get(code))
        if len(page) < ACCOUNTS_A_READ:
            return
        last = page[-1][0]


def total(book: Book, *, at: date | None = None, known_at: datetime | None = None) -> int:
    """Return the sum of what ``of_book`` yields, asked of the database in one statement. It must be zero."""
    amount, rows, parameters = _chosen(at, known_at)
    with connection.cursor() as cursor:
        cursor.execute(TOTAL.format(amount=amount, rows=rows), [*parameters, book.pk])
        (found,) = cursor.fetchone()
    return totals.whole(found)


def _chosen(at: date | None, known_at: datetime | None) -> tuple[str, str, list[str | None]]:
    """Return what is summed, the rows it is summed over, and their parameters."""
    if at is None and known_at is None:
        return totals.of(CLAIMED), CLAIMS, []
    instant = connection.ops.adapt_datetimefield_value(known_at or LAST_INSTANT)
    return totals.of(SUMMED), LINES, [connection.ops.adapt_datefield_value(at or LAST_DAY), instant]
