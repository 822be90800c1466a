"""What the reversal of a batch rests on: the entries that the batch posted and that nothing has reversed yet, their dates, and the floors."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.batches.queries import sums
from ingestion_app.models import Batch, Chunk
from ingestion_app.reversing.queries.objections import (
    ACCOUNTS_NAMED,
    accounts_away,
    floors_broken,
    merged_accounts,
    shut_accounts,
)
from ingestion_app.reversing.queries.reversible import (
    Reversible,
    applied_chunks,
    entries_in,
    entries_of,
    periods_of,
    posting_of,
    rows_of,
)
from ingestion_app.states import BATCH
from ledger_app import sql
from ledger_app.base.queries.totals import Total
from ledger_app.errors import LedgerError, WrongState
from ledger_app.errors.words import Phrase, phrase
from ledger_app.models import Book, Entry, Period, Posting
from ledger_app.posting.rules import reversal_dates
from ledger_app.values import dates

Days = Counter[tuple[int, date]]  # entries by book id and date


class Dated(NamedTuple):
    """When the entries of one period are reversed: on their own dates where ``moved_to`` is None. ``entries`` is None before they are posted."""

    book: str
    period: str
    moved_to: date | None
    entries: int | None


class Preview(NamedTuple):
    """What the reversal of a batch would post, by book: [entries, lines, debits]; when; and why the ledger would not take it.

    ``is_posted`` says whether this is what its applied chunks posted, and so at most: what was reversed by itself since is left out of the
    plan. Before the batch is applied it is its plan, turned round.
    """

    is_posted: bool
    totals: dict[str, list[int]]
    dates: list[Dated]
    refusals: list[LedgerError]


def digest(entries: Iterable[Reversible]) -> bytes:
    """Return the SHA-256 over the digests of entries, in their order."""
    return hashlib.sha256(b"".join([entry.digest for entry in entries])).digest()


def of_chunk(chunk: Chunk) -> list[Reversible]:
    """Return the entries that a chunk of a reversal was planned to reverse, or has reversed, the last first.

    Those that were reversed by themselves before the plan was made are no part of it. Some may have been since: the plan says how many
    entries there were, and what is missing of them was reversed last. ``digest`` tells whether that is so.
    """
    own = posting_of(chunk.pk)
    entries = entries_in(chunk.undoes_id)
    others = [each for each in entries if each.reversal is not None and each.reversal[2] != own]
    missing = max(0, sum(counts[0] for counts in chunk.totals.values()) - (len(entries) - len(others)))
    others.sort(key=lambda each: each.reversal or (0, "", 0), reverse=True)
    before = {each.id for each in others[missing:]}
    return [each for each in entries if each.id not in before]


def days_of(chunk_id: int) -> Days:
    """Count the entries of a chunk that nothing has reversed, by book and date."""
    rows = entries_of(chunk_id).filter(reversed_by__isnull=True).values_list("book_id", "effective_on")
    return Counter({(book_id, on): count for book_id, on, count in rows.annotate(entries=Count("id")).order_by()})


def totals_of(chunk_id: int, days: Days, codes: dict[int, str]) -> dict[str, list[int]]:
    """Return [entries, lines, debits] by book code: what reversing the entries of a chunk that nothing has reversed would post."""
    found = {code: [0, 0, 0] for code in sorted({codes[book_id] for book_id, _on in days})}
    for (book_id, _on), count in days.items():
        found[codes[book_id]][0] += count
    for book_id, count, credited in rows_of(LINES_BY_BOOK, posting_of(chunk_id)):
        # What was credited is debited.
        found[codes[book_id]][1:] = [int(count), -int(credited)]
    return found


def dated(days: Days, codes: dict[int, str]) -> tuple[list[Dated], list[LedgerError]]:
    """Return when the entries of ``days`` would be reversed, and for which of them there is no day."""
    periods = periods_of(codes)
    counts: Counter[tuple[str, str, date | None]] = Counter()
    none: list[LedgerError] = []
    for (book_id, on), count in sorted(days.items()):
        outcome = reversal_dates.outcome(on, periods[book_id])
        if outcome is None:
            none.append(errors.NoPeriodOpen(book=codes[book_id], date=on.isoformat()))
        else:
            counts[codes[book_id], outcome.period, outcome.moved_to] += count
    return [Dated(*key, count) for key, count in counts.items()], none[:ACCOUNTS_NAMED]


def dates_of(batch: Batch) -> list[Dated]:
    """Return the dates that a reversal's plan gives to its entries; nothing for any other batch."""
    return [
        Dated(book, period, date.fromisoformat(moved_to) if moved_to else None, entries)
        for book, of_book in sorted((batch.reversal_dates or {}).items())
        for period, (moved_to, entries) in sorted(of_book.items())
    ]


def preview(batch: Batch) -> Preview:
    """Return what reversing ``batch`` would come to, at any time from its validation on, without reading its entries.

    Which accounts would not take it, entry by entry, is asked when a worker makes the plan of the reversal.
    """
    if batch.reverses_id is not None:
        return Preview(False, {}, [], [errors.ReversalOfReversalBatch(batch=batch.reverses_id)])
    dates, refused = _spanned(batch)
    if batch.state in {Batch.State.VALIDATED, Batch.State.APPROVED}:
        # The exact opposite of the plan: no balance ends lower than it is now.
        return Preview(False, dict(batch.totals), dates, refused)
    transition = BATCH.transition("reverse")
    if batch.state not in transition.sources:
        needed = ", ".join(str(BATCH.states[state]) for state in transition.sources)
        wrong = WrongState(action=transition.label, needed=needed, state=Batch.State(batch.state).label)
        return Preview(False, {}, [], [wrong])
    totals = {book: list(posted) for book, posted in sums.sums_of(batch).posted.items() if any(posted)}
    return Preview(True, totals, dates if totals else [], [*_nothing(totals), *refused])


def refusals(batch: Batch) -> list[LedgerError]:
    """Return why the ledger would not take the reversal of an applied batch: nothing to reverse, no day for it, accounts, floors."""
    days = Days()
    for chunk_id in applied_chunks(batch).values_list("id", flat=True):
        days += days_of(chunk_id)
    _dates, refused = dated(days, dict(Book.objects.values_list("id", "code")))
    return [*_nothing(days), *refused, *accounts_away(batch), *floors_broken(batch)]


def of_entry(entry: Entry) -> Iterator[LedgerError]:
    """Yield why an entry is not to be reversed by itself: its batch is being reversed as a whole."""
    if entry.posting.origin_kind != Posting.Origin.CHUNK:
        return
    under_way = Batch.objects.filter(reverses__chunks=entry.posting.origin_id, holds_original=True)
    ended = (Batch.State.APPLIED, Batch.State.FROZEN)
    for reversal, batch in under_way.exclude(state__in=ended).values_list("id", "reverses_id"):
        yield errors.EntryOfReversedBatch(reference=entry.reference, batch=batch, reversal=reversal)


def moved(batch: Batch) -> list[Phrase]:
    """Return what the plan of a reversal rests on and has changed since it was proposed, each as a phrase."""
    original = Batch.objects.select_related("source").get(pk=batch.reverses_id or 0)
    found = list(dict.fromkeys(_periods_moved(batch)))
    if original.state not in BATCH.transition("undo").sources:
        found.append(phrase(_("batch {batch} is {state}"), batch=original.pk, state=Batch.State(original.state).label))
    reversed_since = _reversed_singly(original) - _left_out(batch, original)
    if reversed_since > 0:
        found.append(phrase(_("{count} entries were reversed by themselves"), count=reversed_since))
    if merged := len({holder_id for _code, holder_id, _into, _entry_id in merged_accounts(original)}):
        found.append(phrase(_("{count} members were merged into others"), count=merged))
    if shut := len(shut_accounts(original)):
        found.append(phrase(_("{count} accounts are not open"), count=shut))
    return found


LINES_BY_BOOK = """
    SELECT entry.book_id, COUNT(*), EXACT_SUM(CASE WHEN line.amount < 0 THEN line.amount ELSE 0 END)
      FROM ledger_app_entry AS entry
      {then} ledger_app_line AS line ON line.entry_id = entry.id
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
     WHERE entry.posting_id = %s AND reversal.id IS NULL
     GROUP BY entry.book_id
"""


def _nothing(found: Mapping[Any, Any]) -> list[LedgerError]:
    return [] if found else [errors.NothingToReverse()]


def _spanned(batch: Batch) -> tuple[list[Dated], list[LedgerError]]:
    """Return when the entries of each period between the first day of a plan and the last would be reversed, and for which there is no day."""
    books = dict(Book.objects.filter(code__in=batch.totals).values_list("id", "code"))
    found: list[Dated] = []
    refused: list[LedgerError] = []
    for book_id, periods in periods_of(books).items():
        for period in periods:
            if batch.first_on is None or batch.last_on is None or not dates.meets(period, batch.first_on, batch.last_on):
                continue
            day = max(period.starts_on, batch.first_on)
            outcome = reversal_dates.outcome(day, periods)
            if outcome is None:
                refused.append(errors.NoPeriodOpen(book=books[book_id], date=day.isoformat()))
            else:
                found.append(Dated(books[book_id], *outcome, None))
    return found, refused


def _periods_moved(batch: Batch) -> Iterator[Phrase]:
    """Yield each period that is not open although entries would be dated in it."""
    for book, name, on, _entries in dates_of(batch):
        met = Q(name=name) if on is None else sql.meeting(on, on)
        for period in Period.objects.filter(met, book__code=book).exclude(state=Period.State.OPEN).select_related("book"):
            yield phrase(_("period {period} is {state}"), period=period, state=Period.State(period.state).label)


# From the few entries that were ever reversed by themselves, each in a posting that has the entry's number, to those of the batch.
REVERSED_SINGLY = """
    SELECT COUNT(*)
      FROM ledger_app_posting AS single
      {then} ledger_app_entry AS entry ON entry.id = single.origin_id
      {then} ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.origin_kind = 'chunk'
      {then} ingestion_app_chunk AS chunk ON chunk.id = posting.origin_id
     WHERE single.origin_kind = 'reversal' AND chunk.batch_id = %s
"""


def _reversed_singly(original: Batch) -> int:
    """Count the entries of a batch that were reversed by themselves."""
    return int(rows_of(REVERSED_SINGLY, original.pk)[0][0])


def _left_out(batch: Batch, original: Batch) -> int:
    """Return how many entries of the original are no part of the plan, since they had been reversed by themselves before it."""
    chunks = applied_chunks(original).values_list("id", flat=True)
    posted = Posting.objects.filter(origin_kind=Posting.Origin.CHUNK, origin_id__in=list(chunks)).aggregate(
        all=Total("entry_count")
    )
    return int(posted["all"] or 0) - sum(int(counts[0]) for counts in batch.totals.values())
