"""Reads the entries of a period in the order of its seal: by date, then by reference and turn."""

from array import array
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from ledger_app import sql
from ledger_app.models import Account, Entry, Period
from ledger_app.posting.queries import postings
from ledger_app.posting.rules import forms

ENTRIES_A_READ = 2000


class JournalLine(NamedTuple):
    """One side of an entry: signed minor units, debit positive."""

    account: str
    role: str
    category: str
    amount: int


class JournalEntry(NamedTuple):
    """An entry with its lines. ``reverses`` is a reference or empty; ``digest`` is as stored; ``posting`` is the number of the one that wrote it."""

    effective_on: date
    reference: str
    description: str
    reverses: str
    posted_at: datetime
    posted_by: str
    digest: bytes
    lines: list[JournalLine]
    turn: int
    posting: int


def entries(period: Period) -> Iterator[JournalEntry]:
    """Yield the entries of a period. What is held at a time: the numbers of one day's entries, and one block of entries."""
    for block in blocks(period):
        yield from block


def blocks(period: Period) -> Iterator[list[JournalEntry]]:
    """Yield the entries of a period in lists of at most ``ENTRIES_A_READ``, each read by two statements."""
    span = Entry.objects.filter(sql.dated_in(period), book=period.book_id)
    for day in list(span.order_by("effective_on").values_list("effective_on", flat=True).distinct()):
        of_day = Entry.objects.filter(book=period.book_id, effective_on=day).order_by("reference", "turn")
        # Numbers only, eight bytes each: a day may have millions of entries, and paging by reference would sort them for each page.
        keys = array("q", of_day.values_list("id", flat=True).iterator(chunk_size=ENTRIES_A_READ))
        for start in range(0, len(keys), ENTRIES_A_READ):
            yield _read(keys[start : start + ENTRIES_A_READ].tolist())


def recomputed(entry: JournalEntry, book: str) -> bytes:
    """Return the digest of what was read, which is the stored one unless a row was changed."""
    return forms.digest(
        book=book,
        effective_on=entry.effective_on,
        reference=entry.reference,
        description=entry.description,
        reverses=entry.reverses,
        lines=[(line.account, line.amount) for line in entry.lines],
    )


def _read(keys: list[int]) -> list[JournalEntry]:
    lines: dict[int, list[JournalLine]] = {key: [] for key in keys}
    found = postings.lines_of(keys)
    accounts: dict[int, tuple[str, str, str]] = {}
    for part in sql.parts(sorted({account_id for _key, account_id, _amount in found})):
        rows_of = Account.objects.filter(id__in=part).values_list("id", "code", "role", "category")
        accounts.update((account_id, (code, role, category)) for account_id, code, role, category in rows_of)
    for key, account_id, amount in found:
        lines[key].append(JournalLine(*accounts[account_id], amount))
    columns = (
        *("id", "effective_on", "reference", "description", "reverses__reference"),
        *("posting__posted_at", "posting__posted_by__username", "digest", "turn", "posting_id"),
    )
    rows = {row[0]: row[1:] for row in Entry.objects.filter(id__in=keys).values_list(*columns)}
    read = []
    for key in keys:
        effective_on, reference, description, reverses, posted_at, posted_by, digest, turn, posting_id = rows[key]
        said = (effective_on, reference, description, reverses or "", posted_at, posted_by)
        read.append(JournalEntry(*said, bytes(digest), lines[key], turn, posting_id))
    return read
