"""Finds the accounts that would refuse the reversal of a batch: those that are short, not open, or of a merged member."""

from typing import Any

from ingestion_app import errors
from ingestion_app.models import Batch
from ingestion_app.reversing.queries import trial
from ingestion_app.reversing.queries.reversible import reference_of, rows_of
from ledger_app.errors import AccountNotOpen, HolderMerged, LedgerError
from ledger_app.models import Book
from ledger_app.posting.rules.objections import ACCOUNT_STATES

ACCOUNTS_NAMED = 20

# What is told of the accounts by themselves (``accounts_away``).
OF_ACCOUNTS = (AccountNotOpen, HolderMerged)


def floors_broken(batch: Batch) -> list[LedgerError]:
    """Return why the ledger would not take back what a batch gave, were it reversed now: floors and lots, as ``post`` would judge them.

    Of each account the refusal with the lowest balance is told; of the first twenty, and of the others how many there are.
    """
    found: dict[str, LedgerError] = {}
    for refusal in trial.refusals(batch):
        if isinstance(refusal, OF_ACCOUNTS):
            continue
        name = str(refusal.facts.get("account", refusal.facts.get("reference", "")))
        if name not in found or _lowest(refusal) < _lowest(found[name]):
            found[name] = refusal
    told = [refusal for _name, refusal in sorted(found.items())[:ACCOUNTS_NAMED]]
    more = len(found) - len(told)
    return [*told, errors.MoreFloorsBroken(count=more)] if more else told


def _lowest(refusal: LedgerError) -> int:
    balance = refusal.facts.get("balance")
    return balance if isinstance(balance, int) else 0


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
