"""The format “hledger”: a period as a plain-text journal that ``hledger check --strict`` accepts."""

import re
from collections.abc import Iterator
from typing import TextIO

from ledger_app.posting.queries.journal import JournalEntry, JournalLine
from ledger_app.reports.scope import Scope
from ledger_app.values import instants
from ledger_app.values.amounts import decimal_text

TOP = {"asset": "assets", "liability": "liabilities", "equity": "equity", "income": "income", "expense": "expenses"}
# hledger ends a description at the first and begins a note at the second, and has no way to quote them: the full-width forms read the same.
DESCRIPTION = str.maketrans({";": "\uff1b", "|": "\uff5c"})
# A transaction's code ends at the first closing parenthesis. The percent sign goes too, so that two references never become one.
CODE = str.maketrans({")": "%29", "%": "%25"})
UNQUOTABLE = re.compile(r'["\x00-\x1f\x7f;]')


def write(scope: Scope, blocks: Iterator[list[JournalEntry]], file: TextIO) -> None:
    """Write head, declarations and transactions; the last line says how many there are, so that a file that was cut off is known."""
    exponent = scope.book.exponent
    unit = f'"{UNQUOTABLE.sub("_", scope.book.unit)}"'
    mark = "*" if scope.seal else "!"
    file.write(_head(scope))
    file.write(f"decimal-mark .\ncommodity 1000.{'0' * exponent} {unit}\n")
    declared: set[str] = set()
    for block in blocks:
        names = sorted({account_name(line) for entry in block for line in entry.lines} - declared)
        declared.update(names)
        file.writelines(["\n"] if names else [])
        file.writelines(f"account {name}\n" for name in names)
        file.writelines(_transaction(entry, mark, unit, exponent) for entry in block)
    debits = decimal_text(scope.debit_total, exponent)
    file.write(f"\n; End: {scope.entry_count} entries, {scope.line_count} lines, debits {debits}\n")


def account_name(line: JournalLine) -> str:
    """Return an account's name in hledger: its category, then its code, whose full stops make the levels.

    A code with an empty level (``a..b``) keeps its full stops: hledger has no empty levels, and no two codes may become one name.
    """
    parts = line.account.split(".")
    return f"{TOP[line.category]}:{':'.join(parts) if all(parts) else line.account}"


def _head(scope: Scope) -> str:
    # English no matter who asks: the bytes of an export do not depend on a person's language.
    period, seal = scope.period, scope.seal
    lines = [
        f"; Kakutei: book {scope.book.code}, period {period.name}, {period.starts_on} to {period.ends_on}",
        "; The entries of this period alone: opening balances are not among them.",
    ]
    if seal is None:
        lines.append(f"; not final: the period is {period.state}, entries may follow")
    else:
        at = instants.stamp(seal.sealed_at)
        lines.append(f"; Final: seal {seal.number}, {scope.seal_digest}, by {seal.sealed_by.username} at {at}")
    return "\n".join(lines) + "\n\n"


def _transaction(entry: JournalEntry, mark: str, unit: str, exponent: int) -> str:
    code, description = entry.reference.translate(CODE), entry.description.translate(DESCRIPTION)
    head = f"{entry.effective_on} {mark} ({code}) {description}".rstrip()
    reverses = f"    ; reverses: {entry.reverses}\n" if entry.reverses else ""
    lines = [f"    {account_name(line)}  {decimal_text(line.amount, exponent)} {unit}\n" for line in entry.lines]
    return f"\n{head}\n{reverses}{''.join(lines)}"
