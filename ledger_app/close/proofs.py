"""The date that a line is kept under, asked of the rows alone: pages and statements read lines by it."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant, rows
from ledger_app.close.queries import seals
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book

MISDATED = """
    SELECT entry.book_id, entry.id, entry.reference, account.code, line.effective_on, entry.effective_on
      FROM ledger_app_line AS line
      JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
      JOIN ledger_app_account AS account ON account.id = line.account_id
     WHERE entry.book_id IN ({books}) AND (line.effective_on IS NULL OR line.effective_on <> entry.effective_on)
"""


def lines_bear_dates(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3. Of an entry that is not what its digest says, that is said already."""
    found_rows = rows(MISDATED, books)
    codes = {book.pk: book.code for book in books}
    changed = {
        (book_id, reference)
        for book_id in {row[0] for row in found_rows}
        for reference in seals.differing(sorted({row[1] for row in found_rows if row[0] == book_id}), codes[book_id])
    }
    for book_id, _entry_id, reference, code, found, date in found_rows:
        if (book_id, reference) in changed:
            continue
        yield _("Entry {reference} is dated {date}, its line on account {code} {found}.").format(
            reference=reference, date=date, code=code, found=found or "–"
        )


INVARIANTS = (Invariant(3, gettext_lazy("A line bears the date of its entry."), lines_bear_dates),)
