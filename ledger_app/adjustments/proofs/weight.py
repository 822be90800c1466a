"""The invariants of what counts against the limits, asked of the rows alone."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book

# What the approval of a reversal moved is what its entry had on the account, and counts for ever.
OF_REVERSALS = """
    SELECT counted.id, account.code, counted.amount
      FROM ledger_app_decidedamount AS counted
      JOIN ledger_app_account AS account ON account.id = counted.account_id
      LEFT JOIN ledger_app_reversal AS reversal
        ON reversal.id = counted.subject_id AND reversal.state = 'posted'
       AND reversal.decided_by_id = counted.decided_by_id AND reversal.decided_at = counted.decided_at
      LEFT JOIN ledger_app_entry AS entry ON entry.id = reversal.entry_id AND entry.book_id = counted.book_id
     WHERE counted.kind = 'reversal' AND account.book_id IN ({books})
       AND (entry.id IS NULL OR counted.voided_at IS NOT NULL
            OR counted.amount <> (SELECT ABS(COALESCE(EXACT_SUM(line.amount), 0)) FROM ledger_app_line AS line
                                   WHERE line.entry_id = entry.id AND line.account_id = counted.account_id))
"""
# One approval counts each account and reason code once, and all of it or nothing.
TWICE = """
    SELECT counted.kind, counted.subject_id, MIN(account.code)
      FROM ledger_app_decidedamount AS counted JOIN ledger_app_account AS account ON account.id = counted.account_id
     WHERE account.book_id IN ({books})
     GROUP BY counted.kind, counted.subject_id, counted.account_id, counted.reason_code_id, counted.decided_at
    HAVING COUNT(*) > 1
"""
IN_PART = """
    SELECT counted.kind, counted.subject_id, MIN(account.code)
      FROM ledger_app_decidedamount AS counted JOIN ledger_app_account AS account ON account.id = counted.account_id
     WHERE account.book_id IN ({books})
     GROUP BY counted.kind, counted.subject_id, counted.decided_at
    HAVING COUNT(counted.voided_at) NOT IN (0, COUNT(*)) OR COUNT(DISTINCT counted.decided_by_id) > 1
"""


def what_counts_is_what_was_decided(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for limits: what counts against them is what approvals moved."""
    for key, code, amount in rows(OF_REVERSALS, books):
        yield _("Decided amount {key}: {amount} on account {code} is not what a reversal that was decided moved.").format(
            key=key, code=code, amount=amount
        )
    for sql in (TWICE, IN_PART):
        for kind, subject, code in rows(sql, books):
            yield _("What counts of {kind} {subject}, on account {code} among others, is not one whole approval.").format(
                kind=kind, subject=subject, code=code
            )


INVARIANTS = (Invariant(8, gettext_lazy("What counts against the limits is what was decided."), what_counts_is_what_was_decided),)
