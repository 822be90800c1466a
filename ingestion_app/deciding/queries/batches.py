"""What the guards of a batch are asked with, and what its page shows."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from ingestion_app.deciding.queries import alerts, footing, weights
from ingestion_app.models import Acknowledgement, Attempt, Batch, Chunk
from ingestion_app.reversing.queries import reversals
from ingestion_app.sources.queries import definitions
from ingestion_app.states import BatchFacts
from ledger_app import sql
from ledger_app.adjustments.queries import decided
from ledger_app.adjustments.queries.limits import limit_of
from ledger_app.adjustments.rules.limits import Limit, Weight
from ledger_app.base.queries import clock, totals
from ledger_app.base.queries.totals import Total
from ledger_app.errors import LedgerError
from ledger_app.errors.words import Phrase
from ledger_app.models import Book, Posting, User
from ledger_app.models.entries import PLACES
from ledger_app.posting.queries.postings import book_codes
from ledger_app.rights.queries.rights import rights_of, secret_known_to

ChunkPlan = tuple[int, int, int, dict[str, list[int]], str]  # number, records, sum, totals by book, digest of the records
Change = dict[int, tuple[int, int, int]]  # what one posting has changed, by book id: entries, lines, sum of debits
WAITING = frozenset({Batch.State.VALIDATED, Batch.State.APPROVED})  # has a plan of which nothing is posted
NOTHING_COUNTED: Mapping[int, Change] = MappingProxyType({})


def facts(
    batch: Batch,
    *,
    user: User,
    digest_shown: str | None = None,
    deep: bool = True,
    counted: Mapping[int, Change] = NOTHING_COUNTED,
    acknowledged_version: int | None = None,
    alerts_shown: str | None = None,
    at: datetime | None = None,
) -> BatchFacts:
    """Return what the guards of a batch are asked with.

    ``deep`` asks for what reads many rows too (the plan's rows, the recount, the members): for a transition, and where one is about to be
    confirmed; not for pages and lists, whose cost must not grow with the batch. ``counted`` is what the recount need not count, by posting. ``at``
    is when something is decided; now, where nothing is yet.
    """
    chunks = Chunk.objects.filter(batch=batch).aggregate(
        total=Count("id"), pending=Count("id", filter=Q(state="pending")), stopped=Count("id", filter=Q(state="stopped"))
    )
    taken = None
    if batch.holds_slot is None and batch.state == Batch.State.REJECTED:
        same_slot = Batch.objects.filter(
            source=batch.source_id, business_date=batch.business_date, sequence=batch.sequence, holds_slot=True
        )
        taken = same_slot.values_list("id", flat=True).first()
    is_approved = batch.state in {Batch.State.APPROVED, Batch.State.APPLYING, Batch.State.APPLIED}
    counts = deep and chunks["pending"] + chunks["stopped"] == 0 and batch.state in {Batch.State.APPLYING, Batch.State.APPLIED}
    too_much = beyond_limits(batch, user)
    acknowledged = alerts.acknowledgement_of(batch) if batch.state == Batch.State.VALIDATED else None
    beyond, moves = _beyond_in_sum(batch, user, at, deep and not too_much)
    return BatchFacts(
        state=batch.state,
        user_name=user.username,
        rights=rights_of(user),
        user_id=user.pk,
        received_by=batch.received_by_id,
        planned_by=batch.planned_by_id,
        plan_digest=hexadecimal(batch.plan_digest),
        approved_digest=hexadecimal(batch.approved_digest),
        secret_known_to=secret_known_to(user, _hands(batch)),
        rows_digest=rows_digest(batch) if deep and is_approved else "",
        digest_shown=digest_shown,
        slot_taken_by=taken,
        moved=tuple(moved(batch, asks_records=deep)) if batch.state in WAITING else (),
        chunks=chunks["total"],
        chunks_pending=chunks["pending"],
        chunks_stopped=chunks["stopped"],
        recount=tuple((recounted if batch.state == Batch.State.APPLIED else recount)(batch, counted)) if counts else (),
        batch_id=batch.pk,
        is_paused=batch.is_paused,
        reverses=batch.reverses_id,
        reversal=open_reversal(batch),
        beyond_limits=tuple(too_much),
        beyond_in_sum=tuple(beyond),
        weights=moves,
        proposers_away=tuple(_proposers_away(batch)),
        planned_version=batch.source_version.number,
        newer_version=definitions.newer_version(batch) if batch.state in WAITING and batch.reverses_id is None else None,
        acknowledged_version=acknowledged_version,
        alerts=alerts.count_of(batch),
        alerts_digest=alerts.digest_of(batch),
        alerts_shown=alerts_shown,
        alerts_acknowledged_by=acknowledged.acknowledged_by.username if acknowledged is not None else "",
    )


def beyond_limits(batch: Batch, user: User) -> list[tuple[str, int, int]]:
    """Return (book, total, limit) where a batch of adjustments moves more in a book than ``user`` may decide alone.

    The total counts each amount without its sign: anyone who approves a thousand adjustments at once decides all of them.
    """
    found = []
    for code in definitions.definition_of(batch.source_version).adjusted_books:
        total = int(batch.totals.get(code, [0, 0, 0])[2])
        book = Book.objects.filter(code=code).first()
        limit = limit_of(user, book.pk) if book is not None else Limit()
        if total > limit.alone:
            found.append((code, total, limit.alone))
    return found


def _beyond_in_sum(
    batch: Batch,
    user: User,
    at: datetime | None,
    asks_records: bool,  # noqa: FBT001 - passed on
) -> tuple[list[LedgerError], dict[str, list[Weight]]]:
    """Return what is too much with what was decided lately, and what the batch moves; only of a batch of adjustments that waits for its approval."""
    if batch.state != Batch.State.VALIDATED or not definitions.definition_of(batch.source_version).adjusted_books:
        return [], {}
    asked_at = at or clock.now()

    def scope_of(book: Book) -> decided.Scope:
        return decided.Scope(book=book, user=user, at=asked_at)

    found = weights.beyond_of_files(batch, scope_of)
    moves = weights.of_batch(batch) if asks_records else {}
    return [*found, *weights.beyond(moves, scope_of)], moves


def _hands(batch: Batch) -> Iterator[User | None]:
    """Yield who had a hand in the plan: who received the file, or proposed the reversal, and who validated it."""
    yield batch.received_by
    yield batch.planned_by


def _proposers_away(batch: Batch) -> list[str]:
    """Return the users on whose work a plan that waits for its approval rests, and who may not do that work any more."""
    if batch.state != Batch.State.VALIDATED:
        return []
    did = {batch.received_by: "ingestion_app.reverse_batch" if batch.reverses_id else "ingestion_app.receive_batch"}
    wanted = [*did.items()]
    if batch.planned_by is not None:
        wanted.append((batch.planned_by, "ingestion_app.validate_batch"))
    return list(dict.fromkeys(each.username for each, right in wanted if right not in rights_of(each)))


def open_reversal(batch: Batch) -> int | None:
    """Return the batch that is to reverse this one: proposed, neither withdrawn nor applied yet."""
    if batch.state not in {Batch.State.APPLYING, Batch.State.APPLIED}:
        return None
    return Batch.objects.filter(reverses=batch, holds_original=True).values_list("id", flat=True).first()


def elsewhere(batch: Batch) -> list[Batch]:
    """Return the batches of other sources that have the same bytes and were not withdrawn, the first ten by number."""
    others = Batch.objects.filter(file_id=batch.file_id).exclude(source_id=batch.source_id).exclude(state="withdrawn")
    return list(others.select_related("source").order_by("id")[:10])


def hexadecimal(digest: bytes | None) -> str:
    """Return a digest as hexadecimal text, empty where there is none."""
    return bytes(digest).hex() if digest else ""


def plan_digest(batch: Batch, chunks: Iterable[ChunkPlan]) -> bytes:
    """Return the SHA-256 of a plan: the bytes it reads, the rules it ran under, its counts and sums, and each chunk.

    The plan of a reversal covers too which batch it reverses, and which dates its entries get; that of adjustments the accounts that their
    reason codes have; that of a file the rules of lots that it was judged under.
    """
    content = [
        "kakutei-plan-1",
        hexadecimal(batch.file.sha256),
        hexadecimal(batch.source_version.digest),
        str(batch.business_date),
        batch.sequence,
        [batch.record_count, batch.record_sum, batch.trailer_count, batch.trailer_sum],
        [batch.without_effect_count, batch.set_aside_count, batch.set_aside_sum],
        [str(batch.first_on), str(batch.last_on)],
        batch.totals,
        batch.finding_counts,
        list(chunks),
    ]
    if batch.reverses_id is not None:
        content += [batch.reverses_id, batch.reversal_dates]
    content += [each for each in (batch.contra_accounts, batch.lot_rules) if each is not None]
    if alerts_digest := alerts.digest_of(batch):
        content.append(alerts_digest)
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()


def chunk_plans(batch: Batch) -> list[ChunkPlan]:
    """Return the chunks of a plan as its rows are now."""
    columns = ("number", "record_count", "record_sum", "totals", "records_digest")
    rows = Chunk.objects.filter(batch=batch).order_by("number").values_list(*columns)
    return [(number, count, total, totals, hexadecimal(digest)) for number, count, total, totals, digest in rows]


def was_approved_before(batch: Batch) -> bool:
    """Return whether a batch that waits for its approval had one, which a validation has made void since.

    Each validation that came to its end moves the version by one, and so does each acknowledgement; what moved it beside them was an approval.
    """
    acknowledgements = Acknowledgement.objects.filter(batch=batch).count()
    validations = Attempt.objects.filter(batch=batch, step=Attempt.Step.VALIDATE, outcome=Attempt.Outcome.DONE).count()
    return batch.state == Batch.State.VALIDATED and batch.version > 1 + validations + acknowledgements


def rows_digest(batch: Batch) -> str:
    """Return the digest of the plan as its rows are now, in hexadecimal."""
    return plan_digest(batch, chunk_plans(batch)).hex()


def moved(batch: Batch, *, asks_records: bool = True) -> list[Phrase]:
    """Return what a plan rests on and has changed since validation, each as a phrase.

    ``asks_records`` asks for what reads every record too: the members and their accounts. A page does not; a decision does.
    """
    if batch.reverses_id is not None:
        return reversals.moved(batch) if asks_records else []
    return footing.moved(batch, asks_records=asks_records)


FIRST_ENTRY = "SELECT MIN(id) FROM ledger_app_entry WHERE posting_id = %s"
POSTED_ENTRIES = "SELECT entry.book_id, COUNT(*) FROM {entries} GROUP BY entry.book_id"
POSTED_LINES = """
    SELECT account.book_id, EXACT_SUM(written.line_count), EXACT_SUM(written.debits)
      FROM (
           SELECT line.account_id AS account_id, COUNT(*) AS line_count, EXACT_SUM(CASE WHEN line.amount > 0 THEN line.amount ELSE 0 END) AS debits
             FROM {lines} GROUP BY line.account_id
           ) AS written
      {then} ledger_app_account AS account ON account.id = written.account_id
     GROUP BY account.book_id
"""
# What a posting wrote stands together under its own numbers (ledger_app.models.entries), but for what is older than such numbers.
TOGETHER = {
    "entries": "ledger_app_entry AS entry WHERE entry.id BETWEEN %s AND %s",
    "lines": "ledger_app_line AS line WHERE line.id BETWEEN %s AND %s",
}
SCATTERED = {
    "entries": "ledger_app_entry AS entry WHERE entry.posting_id = %s",
    "lines": "ledger_app_entry AS entry {then} ledger_app_line AS line ON line.entry_id = entry.id WHERE entry.posting_id = %s",
}


def change_of(posting_id: int) -> Change:
    """Return what one posting has changed in the ledger, counted from its rows."""
    then = sql.then()
    first = posting_id * PLACES
    with connection.cursor() as cursor:
        cursor.execute(FIRST_ENTRY, [posting_id])
        is_together = (cursor.fetchone()[0] or first) >= first
        where = TOGETHER if is_together else {name: rows.format(then=then) for name, rows in SCATTERED.items()}
        numbers = [first, first + PLACES - 1] if is_together else [posting_id]
        cursor.execute(POSTED_ENTRIES.format(**where), numbers)
        entries = dict(cursor.fetchall())
        cursor.execute(totals.sql(POSTED_LINES.format(**where, then=then)), numbers)
        lines = {book_id: (int(count), int(debits)) for book_id, count, debits in cursor.fetchall()}
    return {book_id: (entries.get(book_id, 0), *lines.get(book_id, (0, 0))) for book_id in entries.keys() | lines.keys()}


def posted(batch: Batch, counted: Mapping[int, Change] = NOTHING_COUNTED) -> dict[str, tuple[int, int, int]]:
    """Return (entries, lines, sum of debits) by book code: what the batch has changed in the ledger.

    Postings that are not in ``counted``, by their ids, are counted from their rows.
    """
    chunks = Chunk.objects.filter(batch=batch).values("id")
    postings = Posting.objects.filter(origin_kind=Posting.Origin.CHUNK, origin_id__in=chunks).order_by("id")
    keys = postings.values_list("id", flat=True)
    return by_code(counted[key] if key in counted else change_of(key) for key in list(keys))


def by_code(changes: Iterable[Change]) -> dict[str, tuple[int, int, int]]:
    """Return what these changes come to, by book code."""
    found: Counter[tuple[int, int]] = Counter()
    for change in changes:
        found.update({(book_id, place): count for book_id, counts in change.items() for place, count in enumerate(counts)})
    book_ids = {book_id for book_id, _place in found}
    codes = book_codes(book_ids)
    return {codes[book_id]: (found[book_id, 0], found[book_id, 1], found[book_id, 2]) for book_id in book_ids}


def recount(batch: Batch, counted: Mapping[int, Change] = NOTHING_COUNTED) -> list[tuple[str, str, int, int]]:
    """Return (book, what, planned, found) for each total of the batch in which the ledger differs from the plan."""
    return differences(batch.totals, posted(batch, counted))


def recounted(batch: Batch, counted: Mapping[int, Change] = NOTHING_COUNTED) -> list[tuple[str, str, int, int]]:
    """Return what ``recount`` does, of chunks that are applied, and read their rows only where something about them is in doubt.

    Each chunk's rows were counted in the transaction that wrote them. Nothing joins a posting later, and no row of it changes: so it is enough that
    each posting says as much as its chunk, and the chunks as much as the batch. ``verify``, and the freeze of the period, read the rows.
    """
    of_chunks = dict(Chunk.objects.filter(batch=batch, state=Chunk.State.APPLIED).values_list("id", "totals"))
    written = {
        origin: (entries, lines)
        for part in sql.parts(sorted(of_chunks))
        for origin, entries, lines in Posting.objects.filter(origin_kind=Posting.Origin.CHUNK, origin_id__in=part).values_list(
            "origin_id", "entry_count", "line_count"
        )
    }
    is_sound = all(written.get(key, (0, 0)) == _size(of_chunk) for key, of_chunk in of_chunks.items())
    return [] if is_sound and total(of_chunks.values()) == batch.totals else recount(batch, counted)


def total(of_chunks: Iterable[Mapping[str, Sequence[int]]]) -> dict[str, list[int]]:
    """Return what the totals of chunks come to, by book, as a batch keeps them."""
    found: Counter[tuple[str, int]] = Counter()
    for of_chunk in of_chunks:
        found.update({(book, place): each for book, three in of_chunk.items() for place, each in enumerate(three)})
    return {book: [found[book, place] for place in range(3)] for book in sorted({book for book, _place in found})}


def _size(of_chunk: Mapping[str, list[int]]) -> tuple[int, int]:
    """Return how many entries and lines a chunk has in all books."""
    return sum(three[0] for three in of_chunk.values()), sum(three[1] for three in of_chunk.values())


def differences(totals: dict[str, Any], there: dict[str, tuple[int, int, int]]) -> list[tuple[str, str, int, int]]:
    """Return (book, what, planned, found) for each total in which ``there``, as ``posted`` counts it, differs from what was planned."""
    found: list[tuple[str, str, int, int]] = []
    for book in sorted(set(totals) | set(there)):
        planned = totals.get(book, [0, 0, 0])
        for what, wanted, has in zip(("entries", "lines", "debits"), planned, there.get(book, (0, 0, 0)), strict=True):
            if wanted != has:
                found.append((book, what, wanted, has))
    return found


def progress(batch: Batch) -> dict[str, Any]:
    """Return how far applying has come, in chunks and records."""
    rows = Chunk.objects.filter(batch=batch).values_list("state").annotate(Count("id"), Total("record_count"))
    by_state: dict[str, tuple[int, int]] = {state: (chunks, records) for state, chunks, records in rows}
    total = sum(records for _, records in by_state.values())
    done = by_state.get("applied", (0, 0))[1]
    return {
        "chunks": {state: by_state.get(state, (0, 0))[0] for state in ("pending", "stopped", "applied")},
        "records": total,
        "records_applied": done,
        "percent": 100 * done // total if total else 0,
    }
