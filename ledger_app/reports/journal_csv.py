"""The format “journal”: every line of a period as CSV."""

from collections.abc import Iterator
from typing import TextIO

from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Figure
from ledger_app.posting.queries.journal import JournalEntry
from ledger_app.reports.scope import Scope
from ledger_app.values import instants
from ledger_app.values.amounts import decimal_text

COLUMNS = (
    *("date", "reference", "line", "description", "account", "role", "category", "amount", "debit", "credit", "unit"),
    *("reverses", "posted_at", "posted_by", "seal"),
)


def write(scope: Scope, blocks: Iterator[list[JournalEntry]], file: TextIO) -> None:
    """Write the names of the columns, then one row a line. Nothing else: what a comment would say is in the column ``seal``."""
    file.write(f"{tables.csv_line(COLUMNS)}\n")
    unit, exponent, seal = scope.book.unit, scope.book.exponent, scope.seal_digest
    for block in blocks:
        for entry in block:
            first = (entry.effective_on.isoformat(), entry.reference)
            posted_at = instants.stamp(entry.posted_at)
            last = (unit, entry.reverses, posted_at, entry.posted_by, seal)
            for number, line in enumerate(entry.lines, start=1):
                figure = Figure(decimal_text(abs(line.amount), exponent))
                sides = (figure, "") if line.amount > 0 else ("", figure)
                account = (entry.description, line.account, line.role, line.category, line.amount)
                file.write(f"{tables.csv_line((*first, number, *account, *sides, *last))}\n")
