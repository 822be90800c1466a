"""Which accounts would refuse the reversal of a batch: those that would fall below their floors, are not open, or are a merged member's."""

from typing import Any

from django.db import connection

from ingestion_app import errors
from ingestion_app.models import Batch
from ledger_app.errors import AccountNotOpen, FloorBroken, HolderMerged, LedgerError
from ledger_app.models import Book
from ledger_app.queries import totals
from ledger_app.queries.postings import JOIN_IN_ORDER
from ledger_app.rules.objections import ACCOUNT_STATES

ACCOUNTS_NAMED = 20

# What a reversal takes from an account is taken from the last chunk back to the first, and in each from the last entry back to its first. The
# lowest point on that way is told. Accounts that have a floor have one balance, which is stripe 0.
FLOORS_BROKEN = """
    SELECT lowest.code, lowest.floor, lowest.remaining, lowest.entry_id, COUNT(*) OVER ()
      FROM (
           SELECT broken.*, ROW_NUMBER() OVER (
                    PARTITION BY broken.account_id ORDER BY broken.remaining, broken.number DESC, broken.entry_id DESC
                  ) AS place
             FROM (
                  SELECT account.id AS account_id, account.code AS code, account.floor AS floor, line.entry_id AS entry_id,
                         chunk.number AS number, {sign} * line.amount AS taken,
                         {sign} * balance.amount - EXACT_SUM({sign} * line.amount) OVER (
                           PARTITION BY line.account_id ORDER BY chunk.number DESC, line.entry_id DESC, line.id
                         ) AS remaining
                    FROM ingestion_app_chunk AS chunk
                    {then} ledger_app_posting AS posting ON posting.origin_kind = 'chunk' AND posting.origin_id = chunk.id
                    {then} ledger_app_entry AS entry ON entry.posting_id = posting.id
                    {then} ledger_app_line AS line ON line.entry_id = entry.id
                    {then} ledger_app_account AS account ON account.id = line.account_id AND account.floor IS NOT NULL
                    {then} ledger_app_balance AS balance ON balance.id = account.id * 64
                    LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = line.entry_id
                   WHERE chunk.batch_id = %s AND chunk.state = 'applied' AND reversal.id IS NULL
                  ) AS broken
            WHERE broken.taken > 0 AND broken.remaining < broken.floor
           ) AS lowest
     WHERE lowest.place = 1
     ORDER BY lowest.code
     LIMIT %s
"""
SIGN = "(CASE WHEN account.category IN ('asset', 'expense') THEN 1 ELSE -1 END)"


def floors_broken(batch: Batch) -> list[LedgerError]:
    """Return the accounts that would fall below their floors if a batch were reversed now: the first twenty, and how many more."""
    rows = rows_of(FLOORS_BROKEN, batch.pk, ACCOUNTS_NAMED)
    found: list[LedgerError] = [
        FloorBroken(account=code, balance=int(remaining), floor=floor, reference=reference_of(entry_id))
        for code, floor, remaining, entry_id, _accounts in rows
    ]
    more = rows[0][-1] - len(rows) if rows else 0
    return [*found, errors.MoreFloorsBroken(count=more)] if more else found


def accounts_away(batch: Batch) -> list[LedgerError]:
    """Return the accounts that would not take the reversal of a batch: the first twenty that are suspended or closed, and of merged members."""
    shut: list[LedgerError] = [
        AccountNotOpen(account=code, state=ACCOUNT_STATES[state], reference=reference_of(entry_id))
        for code, state, entry_id in shut_accounts(batch)[:ACCOUNTS_NAMED]
    ]
    merged = merged_accounts(batch)[:ACCOUNTS_NAMED]
    return shut + [
        HolderMerged(account=code, into=into, reference=reference_of(entry_id)) for code, _id, into, entry_id in merged
    ]


def reference_of(entry_id: int) -> str:
    """Return the reference of the entry that reverses another: the one under which it would be reversed by itself."""
    return f"reversal:{entry_id}"


def rows_of(sql: str, *parameters: int | None, **parts: str) -> list[tuple[Any, ...]]:
    """Run a statement that says the order of its joins (docs/decisions/0017)."""
    with connection.cursor() as cursor:
        statement = sql.format(then=JOIN_IN_ORDER[connection.vendor], sign=SIGN, **parts)
        cursor.execute(totals.sql(statement), parameters)
        return list(cursor.fetchall())


# From the few accounts that are not open, and from those of the few members that were merged, each found by an index, to the last of the
# batch's entries that has a line on them.
SHUT_ACCOUNTS = """
    SELECT away.code, away.state, away.entry_id
      FROM (
           SELECT account.code AS code, account.state AS state, ({last_entry}) AS entry_id
             FROM ledger_app_account AS account
            WHERE account.book_id IN ({books}) AND account.state IN ('suspended', 'closed')
           ) AS away
     WHERE away.entry_id IS NOT NULL
     ORDER BY away.code
"""
MERGED_ACCOUNTS = """
    SELECT away.code, away.holder_id, away.merged_into_id, away.entry_id
      FROM (
           SELECT account.code AS code, account.holder_id AS holder_id, holder.merged_into_id AS merged_into_id, ({last_entry}) AS entry_id
             FROM ledger_app_holder AS holder
             {then} ledger_app_account AS account ON account.holder_id = holder.id AND account.book_id IN ({books})
            WHERE holder.merged_into_id IS NOT NULL
           ) AS away
     WHERE away.entry_id IS NOT NULL
     ORDER BY away.code
"""
LAST_ENTRY = """
    SELECT MAX(entry.id)
      FROM ledger_app_line AS line
      JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
      JOIN ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.origin_kind = 'chunk'
      JOIN ingestion_app_chunk AS chunk ON chunk.id = posting.origin_id
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
     WHERE line.account_id = account.id AND chunk.batch_id = %s AND reversal.id IS NULL
"""


def shut_accounts(original: Batch) -> list[tuple[Any, ...]]:
    """Return (code, state, an entry) of each account that the reversal of a batch has lines on and that takes none."""
    return rows_of(SHUT_ACCOUNTS, original.pk, last_entry=LAST_ENTRY, books=_books_of(original))


def merged_accounts(original: Batch) -> list[tuple[Any, ...]]:
    """Return (code, member, into whom, an entry) of each account of a merged member that the reversal of a batch has lines on."""
    return rows_of(MERGED_ACCOUNTS, original.pk, last_entry=LAST_ENTRY, books=_books_of(original))


def _books_of(original: Batch) -> str:
    """Return the ids of the books of a batch as they stand in a list."""
    return ", ".join(map(str, Book.objects.filter(code__in=original.totals).values_list("id", flat=True))) or "0"
