"""Exports a period to a file for other programs: whole, checked against its seal, and the same bytes each time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ledger_app import errors
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.close.queries import seals
from ledger_app.models import Period, Seal
from ledger_app.posting.queries import journal
from ledger_app.posting.queries.journal import JournalEntry
from ledger_app.reports import hledger, journal_csv
from ledger_app.reports.files import replacing
from ledger_app.reports.scope import Scope

Blocks = Iterator[list[JournalEntry]]

FORMATS: Mapping[str, Callable[[Scope, Blocks, TextIO], None]] = {"journal": journal_csv.write, "hledger": hledger.write}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. ``seal`` is None where the period is not frozen, and the export not final."""

    scope: Scope
    path: Path
    bytes: int
    seal: Seal | None = field(default=None)


def export(*, period: Period, form: str, path: Path) -> Exported:
    """Write the entries of a period to ``path`` in one of ``FORMATS``, in the place of what is there.

    Every entry is compared with its digest and, of a frozen period, all of them with the seal, before the file takes its name.

    :raises errors.Refused: entry_differs, unbalanced, seal_differs
    :raises OSError: where the file cannot be written
    """
    with snapshot(), replacing(path) as file:
        period = Period.objects.select_related("book").get(pk=period.pk)
        seal = Seal.objects.filter(period=period).select_related("sealed_by").first()
        scope = Scope(period, seal)
        FORMATS[form](scope, proved(scope), file)
        size = file.tell()
    return Exported(scope, path, size, seal)


def proved(scope: Scope) -> Blocks:
    """Yield the blocks of a period, counted into ``scope`` and checked; the last check is made when the last block has been taken.

    :raises errors.Refused: entry_differs, unbalanced, seal_differs
    """
    running = seals.begin(scope.period)
    for block in journal.blocks(scope.period):
        for entry in block:
            digest = journal.recomputed(entry, scope.book.code)
            if digest != entry.digest:
                raise errors.Refused([errors.EntryDiffers(reference=entry.reference)])
            if total := sum([line.amount for line in entry.lines]):
                raise errors.Refused([errors.Unbalanced(reference=entry.reference, sum=total)])
            running.update(digest.hex().encode() + b"\n")
            scope.entry_count += 1
            scope.line_count += len(entry.lines)
            scope.debit_total += sum([line.amount for line in entry.lines if line.amount > 0])
        yield block
    seal = scope.seal
    if seal is None:
        return
    found = {
        "entries": (seal.entry_count, scope.entry_count),
        "lines": (seal.line_count, scope.line_count),
        "debits": (seal.debit_total, scope.debit_total),
        "digest": (bytes(seal.digest).hex(), running.hexdigest()),
    }
    differs = [f"{name} {sealed} ≠ {now}" for name, (sealed, now) in found.items() if sealed != now]
    if differs:
        raise errors.Refused([errors.SealDiffers(period=str(scope.period), what="; ".join(differs))])
