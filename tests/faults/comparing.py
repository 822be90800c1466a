"""Holds what the drill left against an undisturbed run: all rows, without ids and times."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import F

from ingestion_app.models import Attempt, Batch, Chunk, File, Receipt
from ledger_app.base import proofs
from ledger_app.base.operations import filing
from ledger_app.models import AuditRow, Book, Entry
from tests.support import world as worlds

Rows = dict[str, list[Any]]

# Chunks that run side by side reach the stripe of a shared account in one order or the other: there a line's place, and the balance after it,
# may differ. Members' accounts have no such choice, and `verify` recomputes all.
SHARED = ("settlement.", "programme.")


class Compared(NamedTuple):
    """Entries and records that are missing or too many, and the first difference of any kind as a sentence, or an empty one."""

    lost: int
    doubled: int
    difference: str


def rows(directory: Path, batch_ids: Sequence[int]) -> Rows:
    """Return all rows that the commands wrote, by kind. ``batch_ids`` are the batches in the order in which they were made."""
    reversals = dict(Entry.objects.filter(reverses__isnull=False).values_list("reference", "reverses__reference"))
    held = worlds.ledger()
    found: Rows = {
        "posting": held["postings"],
        "entry": [_entry(entry, reversals) for entry in held["entries"]],
        "line": [_line(line, reversals) for line in held["lines"]],
        "balance": held["balances"],
        "receipt": [*Receipt.objects.filter(outcome="accepted").values_list("name", "business_date", "sequence")],
        "other receipt": [*Receipt.objects.exclude(outcome__in=["accepted", "duplicate"]).values_list("name", "outcome")],
    }
    found["file"] = [
        (file.sha256.hex(), file.size, filing.digest_of(filing.path_of(directory, file.sha256)).hex())
        for file in File.objects.all()
    ]
    found["stored file"] = [path.name for path in directory.rglob("*") if path.is_file() and path.parent != directory]
    number_of = {batch_id: place for place, batch_id in enumerate(batch_ids)}
    changes = AuditRow.objects.filter(subject_type="batch", outcome="done").exclude(from_state="").exclude(action="resume")
    found["change of state"] = [
        (number_of.get(subject), *change)
        for subject, *change in changes.values_list("subject_id", "action", "from_state", "to_state")
    ]
    # The worker that applied a chunk was the last who took it: the token is the last that was given out, and the only one.
    found["chunk applied under another token"] = [
        *Chunk.objects.filter(state="applied").exclude(applied_token=F("lease_token")).values_list("batch_id", "number")
    ]
    found["other batch"] = [*Batch.objects.exclude(pk__in=batch_ids).values_list("business_date", "sequence", "state")]
    reversing = set(Batch.objects.filter(reverses__isnull=False).values_list("id", flat=True))
    for place, batch_id in enumerate(batch_ids):
        work = worlds.work(batch_id)
        state, plan, *counts = work["batch"]
        # The plan of a reversal is of entries by their numbers, which differ between databases.
        found.setdefault("batch", []).append((place, state, "" if batch_id in reversing else plan, *counts))
        for kind, name in (("chunks", "chunk"), ("records", "record"), ("findings", "finding")):
            found.setdefault(name, []).extend((place, *row) for row in work[kind])
    return found


def breaches() -> list[str]:
    """Return what ``verify`` finds."""
    scope = proofs.Scope(Book.objects.order_by("code"))
    return [str(breach) for invariant in proofs.invariants() for breach in invariant.breaches(scope)]


def counted(name: str, without: Sequence[int] = ()) -> int:
    """Return how often the attempts at applying say that they met with something; ``without`` leaves processes out."""
    attempts = Attempt.objects.filter(step="apply").exclude(process__in=without)
    return sum(counts.get(name, 0) for counts in attempts.values_list("counts", flat=True))


def compared(wanted: Rows, found: Rows) -> Compared:
    """Compare two sets of rows as bags: the order in which they are stored says nothing."""
    lost = doubled = 0
    told = ""
    for kind in wanted.keys() | found.keys():
        here, there = (Counter(map(repr, each.get(kind, []))) for each in (found, wanted))
        missing, surplus = there - here, here - there
        if kind in {"entry", "record"}:
            lost += missing.total()
            doubled += surplus.total()
        for word, differing in (("missing", missing), ("too many", surplus)):
            if differing and not told:
                told = f"{differing.total()} {kind} rows {word}, the first: {min(differing)}"
    return Compared(lost, doubled, told)


def _entry(entry: Sequence[Any], reversals: dict[str, str]) -> tuple[Any, ...]:
    """An entry that reverses another is named by a number in its reference: what it reverses says the same in every database."""
    book, on, reference, description, digest = entry
    if reference in reversals:
        return book, on, f"reversal of {reversals[reference]}", description, ""
    return book, on, reference, description, digest.hex()


def _line(line: Sequence[Any], reversals: dict[str, str]) -> tuple[Any, ...]:
    book, reference, account, stripe, sequence, amount, after = line
    name = f"reversal of {reversals[reference]}" if reference in reversals else reference
    where = () if account.startswith(SHARED) else (sequence, after)
    return book, name, account, stripe, amount, *where
