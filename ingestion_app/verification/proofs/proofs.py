"""The invariants of batches, asked of the rows alone; they join the ledger's invariants in ``verify``."""

from collections.abc import Iterator, Sequence

from django.db.models import Count
from django.utils.translation import gettext_lazy

from ingestion_app.batches.queries import record_proofs, records
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, Record
from ingestion_app.reversing.queries import reversals, undone
from ingestion_app.sources.queries import definitions
from ingestion_app.verification.proofs import redirect as redirect_proofs
from ledger_app.base.proofs import BREACHES_MOST, Invariant, changes_without_rows, rows
from ledger_app.base.queries.totals import Total
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book


def _of_books(books: Sequence[Book], states: Sequence[str]) -> Iterator[Batch]:
    codes = {book.code for book in books}
    for batch in Batch.objects.filter(state__in=states).select_related("source", "source_version", "file").order_by("id"):
        if codes & {rule.book for rule in definitions.definition_of(batch.source_version).postings}:
            yield batch


def records_reconcile(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 7: received = applied + without effect + set aside = the trailer's = the ledger's change, in count and sum."""
    for batch in _of_books(books, [Batch.State.APPLIED, Batch.State.FROZEN]):
        yield from _recount_differs(batch)
        if batch.reverses_id is not None:
            continue  # nothing arrived; what it undoes is asked of the batch that is reversed
        by_status = Record.objects.filter(batch=batch).values("status").annotate(count=Count("id"), total=Total("amount"))
        count, total = sum(row["count"] for row in by_status), sum(int(row["total"] or 0) for row in by_status)
        applied = Chunk.objects.filter(batch=batch, state=Chunk.State.APPLIED).aggregate(
            count=Total("record_count"), total=Total("record_sum")
        )
        planned = {row["status"]: (row["count"], int(row["total"] or 0)) for row in by_status}.get("planned", (0, 0))
        controls = definitions.definition_of(batch.source_version).roles.controls
        claims = [
            (_("received"), batch.record_count, batch.record_sum),
            # What the sender does not say is compared with nothing.
            (
                _("trailer"),
                batch.trailer_count if "count" in controls else count,
                batch.trailer_sum if "sum" in controls else total,
            ),
        ]
        for name, claimed_count, claimed_sum in claims:
            if (claimed_count, claimed_sum) != (count, total):
                yield _(
                    "{batch}: {name} says {claimed_count} records, sum {claimed_sum}; there are {count}, sum {total}."
                ).format(batch=batch, name=name, claimed_count=claimed_count, claimed_sum=claimed_sum, count=count, total=total)
        if (applied["count"] or 0, applied["total"] or 0) != planned:
            yield _("{batch}: its chunks applied {applied} records, {planned} were to be applied.").format(
                batch=batch, applied=applied["count"], planned=planned[0]
            )


def _recount_differs(batch: Batch) -> Iterator[str]:
    for book, what, wanted, found in batches.recount(batch):
        yield _("{batch}, book {book}: {what} planned {wanted}, in the ledger {found}.").format(
            batch=batch, book=book, what=what, wanted=wanted, found=found
        )


def deciders_are_others(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for batches."""
    for batch in _of_books(books, Batch.State.values):
        if batch.approved_by_id is not None and batch.approved_by_id in {batch.received_by_id, batch.planned_by_id}:
            yield _("{batch} was approved by the one who received or validated it.").format(batch=batch)


# What counts against the limits of a batch is of an approval that holds, and an approval that holds counts.
COUNTED = """
    SELECT counted.subject_id
      FROM ledger_app_decidedamount AS counted LEFT JOIN ingestion_app_batch AS batch ON batch.id = counted.subject_id
     WHERE counted.kind = 'batch'
     GROUP BY counted.subject_id
    HAVING EXACT_SUM(CASE WHEN counted.voided_at IS NOT NULL THEN 0
                          WHEN batch.state IN ({states}) THEN 0 ELSE 1 END) > 0
        OR (MAX(batch.state) IN ({states}) AND COUNT(*) = COUNT(counted.voided_at))
"""
APPROVED = (Batch.State.APPROVED, Batch.State.APPLYING, Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED)


def what_counts_is_what_was_approved(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for limits."""
    for (key,) in rows(COUNTED.format(states=", ".join(f"'{state}'" for state in APPROVED)), ()):
        yield _("What counts against the limits of batch {batch} is not what its approval says.").format(batch=f"#{key}")


def approvals_cover_plans(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 9: the plan's rows are now what was approved, or what the approver will be shown."""
    for batch in _of_books(books, (Batch.State.VALIDATED, *APPROVED)):
        is_approved = batch.state != Batch.State.VALIDATED
        if batches.rows_digest(batch) != batches.hexadecimal(batch.approved_digest if is_approved else batch.plan_digest):
            yield (
                _("{batch}: the plan's rows are not what was approved.").format(batch=batch)
                if is_approved
                else _("{batch}: the plan's rows are not those that validation made.").format(batch=batch)
            )
        for chunk in Chunk.objects.filter(batch=batch).order_by("number"):
            covered = (
                reversals.digest(reversals.of_chunk(chunk)) if chunk.undoes_id else records.digest(records.of_chunk(chunk.pk))
            )
            if covered != bytes(chunk.records_digest or b""):
                yield (
                    _("{batch}, chunk {number}: its records are not those that were approved.")
                    if is_approved
                    else _("{batch}, chunk {number}: its records are not those that validation planned.")
                ).format(batch=batch, number=chunk.number)


def _chunks_that_wait_say_nothing(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 7, for chunks that are not applied: they have no token and no instant of applying, and a waiting chunk has no reasons for stopping."""
    waiting = Chunk.objects.exclude(state=Chunk.State.APPLIED)
    odd = waiting.exclude(applied_token=0, applied_at__isnull=True) | waiting.filter(state=Chunk.State.PENDING).exclude(
        reasons=[]
    )
    for chunk in odd.order_by("id")[:BREACHES_MOST]:
        yield _("Chunk {number} of batch {batch} is not applied, and says what only another could.").format(
            number=chunk.number, batch=chunk.batch_id
        )


def _reversals_undo(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 7, for batches that are reversed, and for those that reversed them."""
    for batch in _of_books(books, [Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED]):
        yield from undone.breaches(batch)


# A chunk that is there wrote what the posting says; where no file was ever taken in, those who posted had no chunks.
CHUNKLESS = """
    SELECT posting.id, posting.origin_id
      FROM ledger_app_posting AS posting LEFT JOIN ingestion_app_chunk AS chunk ON chunk.id = posting.origin_id
     WHERE posting.origin_kind = 'chunk' AND (chunk.id IS NULL OR chunk.state <> 'applied')
       AND EXISTS (SELECT 1 FROM ingestion_app_chunk)
"""


def _chunks_are_there(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for the origins of postings that are chunks."""
    for key, chunk in rows(CHUNKLESS, ()):
        yield _("Posting {key} names chunk {chunk}, which is not there or was not applied.").format(key=key, chunk=chunk)


def _changes_have_rows(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for batches."""
    subjects = [(batch.pk, str(batch), batch.version, batch.state) for batch in _of_books(books, Batch.State.values)]
    yield from changes_without_rows("batch", subjects)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(3, gettext_lazy("What each posting of a file came from is there."), _chunks_are_there),
    Invariant(
        3,
        gettext_lazy("An entry went to another member than its record named where both say so."),
        redirect_proofs.redirected_entries_are_of_their_records,
    ),
    Invariant(
        7, gettext_lazy("Of a batch: received = applied + rejected = the trailer's = the ledger's change."), records_reconcile
    ),
    Invariant(
        7,
        gettext_lazy("The records of a batch are those that were written when it was validated."),
        record_proofs.records_are_those_that_were_written,
    ),
    Invariant(
        7, gettext_lazy("The findings of a batch are those that it counts."), record_proofs.findings_are_those_that_were_counted
    ),
    Invariant(7, gettext_lazy("A chunk that waits says nothing of having been applied."), _chunks_that_wait_say_nothing),
    Invariant(7, gettext_lazy("Of a batch that is reversed nothing is left in any book."), _reversals_undo),
    Invariant(8, gettext_lazy("Nobody decides what they proposed."), deciders_are_others),
    Invariant(8, gettext_lazy("What counts against the limits is what was approved."), what_counts_is_what_was_approved),
    Invariant(9, gettext_lazy("An approval covers exactly the digest that was shown."), approvals_cover_plans),
    Invariant(12, gettext_lazy("Each change of state of a batch has one audit row."), _changes_have_rows),
)

EXPECTED_TRIGGERS = frozenset(
    {
        *(f"kakutei_{table}_no_{change}" for table in ("file", "receipt", "sourceversion") for change in ("update", "delete")),
        *(f"kakutei_chunk_applied_no_{change}" for change in ("update", "delete")),
        "kakutei_batch_ended_no_update",
        "kakutei_batch_no_delete",
    }
)
