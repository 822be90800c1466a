"""Invariant 5: under each reference one entry stands, and those before it were reversed, one after the other."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book

REPEATED = """
    SELECT reference, COUNT(*) FROM ledger_app_entry WHERE book_id IN ({books}) GROUP BY book_id, reference, turn HAVING COUNT(*) > 1
"""
# An entry that bears a reference after another: the one before it has to be there, and to be reversed.
STILL_STANDING = """
    SELECT entry.reference, entry.turn
      FROM ledger_app_entry AS entry
      LEFT JOIN ledger_app_entry AS earlier
        ON earlier.book_id = entry.book_id AND earlier.reference = entry.reference AND earlier.turn + 1 = entry.turn
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = earlier.id
     WHERE entry.book_id IN ({books}) AND entry.turn > 0 AND reversal.id IS NULL
"""


def references_exist_once(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 5."""
    for reference, count in rows(REPEATED, books):
        yield _("The reference {reference} exists {count} times.").format(reference=reference, count=count)
    for reference, turn in rows(STILL_STANDING, books):
        yield _("The entry of turn {turn} has the reference {reference}, and the one before it was not reversed.").format(
            turn=turn, reference=reference
        )


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(5, gettext_lazy("A reference names one entry that stands."), references_exist_once),
)
