"""Whether a batch that is reversed is undone: each of its entries, by the opposite of its lines, and nothing beside them."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from ingestion_app.models import Batch
from ledger_app import sql
from ledger_app.base.proofs import BREACHES_MOST
from ledger_app.base.queries import totals


def breaches(batch: Batch) -> Iterator[str]:
    """Yield, as sentences, what differs of a batch that is reversed, or of one that has reversed another."""
    if batch.reverses is not None:
        yield from _of_reversal(batch, batch.reverses)
    elif batch.state == Batch.State.REVERSED:
        yield from _of_reversed(batch)


def _of_reversal(batch: Batch, original: Batch) -> Iterator[str]:
    # One that left a part out has not undone the whole.
    if original.state != Batch.State.REVERSED and not batch.set_aside_count:
        yield _("{batch} is applied, and batch {original}, which it reverses, is {state}.").format(
            batch=batch, original=original.pk, state=original.get_state_display()
        )
    for (reference,) in _rows(UNDOING_OTHERS, batch.pk, BREACHES_MOST):
        yield _("{batch} reverses {reference}, which batch {original} did not post.").format(
            batch=batch, reference=reference, original=original.pk
        )


def _of_reversed(batch: Batch) -> Iterator[str]:
    if not Batch.objects.filter(reverses=batch, state__in=[Batch.State.APPLIED, Batch.State.FROZEN]).exists():
        yield _("{batch} is reversed, and no batch has reversed it.").format(batch=batch)
    for (reference,) in _rows(NOT_UNDONE, batch.pk, BREACHES_MOST):
        yield _("{batch} is reversed, and its entry {reference} is not.").format(batch=batch, reference=reference)
    for book, account, left in _rows(LEFT_OVER, batch.pk, batch.pk, BREACHES_MOST):
        yield _("{batch} is reversed, and {left} of it is left on account {account} of book {book}.").format(
            batch=batch, left=left, account=account, book=book
        )


def _rows(statement: str, *parameters: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(totals.sql(statement.format(then=sql.then())), parameters)
        return list(cursor.fetchall())


# Each begins at the few chunks of a batch and goes on by indexes.
NOT_UNDONE = """
    SELECT entry.reference
      FROM ingestion_app_chunk AS chunk
      {then} ledger_app_posting AS posting ON posting.origin_kind = 'chunk' AND posting.origin_id = chunk.id
      {then} ledger_app_entry AS entry ON entry.posting_id = posting.id
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
     WHERE chunk.batch_id = %s AND reversal.id IS NULL
     LIMIT %s
"""
UNDOING_OTHERS = """
    SELECT COALESCE(original.reference, entry.reference)
      FROM ingestion_app_chunk AS chunk
      {then} ledger_app_posting AS posting ON posting.origin_kind = 'chunk' AND posting.origin_id = chunk.id
      {then} ledger_app_entry AS entry ON entry.posting_id = posting.id
      LEFT JOIN ledger_app_entry AS original ON original.id = entry.reverses_id
      LEFT JOIN ledger_app_posting AS earlier
        ON earlier.id = original.posting_id AND earlier.origin_kind = 'chunk' AND earlier.origin_id = chunk.undoes_id
     WHERE chunk.batch_id = %s AND earlier.id IS NULL
     LIMIT %s
"""
LEFT_OVER = """
    SELECT book.code, account.code, EXACT_SUM(moved.amount)
      FROM (
           SELECT line.account_id AS account_id, line.amount AS amount
             FROM ingestion_app_chunk AS chunk
             {then} ledger_app_posting AS posting ON posting.origin_kind = 'chunk' AND posting.origin_id = chunk.id
             {then} ledger_app_entry AS entry ON entry.posting_id = posting.id
             {then} ledger_app_line AS line ON line.entry_id = entry.id
            WHERE chunk.batch_id = %s
            UNION ALL
           SELECT line.account_id, line.amount
             FROM ingestion_app_chunk AS chunk
             {then} ledger_app_posting AS posting ON posting.origin_kind = 'chunk' AND posting.origin_id = chunk.id
             {then} ledger_app_entry AS entry ON entry.posting_id = posting.id
             {then} ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
             {then} ledger_app_line AS line ON line.entry_id = reversal.id
            WHERE chunk.batch_id = %s
           ) AS moved
      JOIN ledger_app_account AS account ON account.id = moved.account_id
      JOIN ledger_app_book AS book ON book.id = account.book_id
     GROUP BY book.code, account.code
    HAVING EXACT_SUM(moved.amount) <> 0
     ORDER BY book.code, account.code
     LIMIT %s
"""
