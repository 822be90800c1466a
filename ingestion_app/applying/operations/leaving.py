"""Ends a batch with what is applied of it, and sets the rest aside: for chunks that nothing will ever apply."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F

from ingestion_app import errors
from ingestion_app.batches.queries.record_proofs import FINDINGS_KEPT
from ingestion_app.batches.queries.refusals import NOBODY
from ingestion_app.deciding.operations import steps
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, Finding, Record
from ingestion_app.validating.operations import plans
from ledger_app import sql
from ledger_app.base.operations import bulk
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused

RULE = "ledger.left_out"
CHUNKS_NAMED = 20


def leave(*, batch_id: int, reason: str, caller: Caller, version: int | None = None) -> Batch:
    """Decide that a batch ends with what is applied of it: the records of its other chunks are set aside, and may come in again.

    What is left of the plan is what the caller approves with that. Of a reversal what is left out stays in the ledger: the batch that it
    reverses is where it was, and may be reversed again.

    :raises Refused: with every reason; own_proposal, still_applying, nothing_applied, nothing_left, reversal_open, recount_differs among them
    """
    left: list[Chunk] = []

    def write(row: Batch, _facts: Any) -> Mapping[str, Any]:
        left[:] = _take_from_workers(row)
        return _without(row, left, caller)

    return steps.take(
        "leave",
        batch_id=batch_id,
        caller=caller,
        facts=lambda row: batches.facts(row, user=caller.user),
        write=write,
        reason=reason,
        version=version,
        audit_facts=lambda row: {
            "plan": batches.hexadecimal(row.plan_digest),
            "chunks": len(left),
            "records": sum(chunk.record_count for chunk in left),
            "why": [{"chunk": chunk.number, "reasons": chunk.reasons} for chunk in left[:CHUNKS_NAMED]],
        },
    )


def _take_from_workers(batch: Batch) -> list[Chunk]:
    """Take the chunks that are not applied from the workers that lease them, and return them: nothing more of the batch is posted."""
    rest = Chunk.objects.filter(batch=batch).exclude(state=Chunk.State.APPLIED)
    rest.update(lease_token=F("lease_token") + 1, lease_until=None)
    left = list(rest.order_by("number"))
    if not left:
        raise Refused([errors.NothingLeft()])
    return left


def _without(batch: Batch, left: Sequence[Chunk], caller: Caller) -> dict[str, Any]:
    """Set the records of these chunks aside, and return the columns of the batch that follow from it."""
    count = sum(chunk.record_count for chunk in left)
    counts = dict(batch.finding_counts)
    if batch.reverses_id is None:
        counts[RULE] = counts.get(RULE, 0) + count
        _tell(batch, left)
    for part in sql.parts([chunk.pk for chunk in left]):
        Record.objects.filter(chunk_id__in=part).update(status=Record.Status.SET_ASIDE, chunk=None)
        Chunk.objects.filter(id__in=part).delete()
    if batch.reverses_id is None:
        plans.cover(batch)
    batch.totals = batches.total(Chunk.objects.filter(batch=batch).values_list("totals", flat=True))
    batch.set_aside_count += count
    batch.set_aside_sum += sum(chunk.record_sum for chunk in left)
    batch.finding_counts = counts
    differing = [
        errors.RecountDiffers(book=book, what=what, planned=planned, found=found)
        for book, what, planned, found in batches.recounted(batch)
    ]
    if differing:
        raise Refused(differing)
    digest = batches.plan_digest(batch, batches.chunk_plans(batch))
    return {
        "totals": batch.totals,
        "set_aside_count": batch.set_aside_count,
        "set_aside_sum": batch.set_aside_sum,
        "finding_counts": counts,
        "plan_digest": digest,
        "approved_digest": digest,
        "approved_by": caller.user,
        "is_paused": False,
        "holds_original": None,
    }


def _tell(batch: Batch, left: Sequence[Chunk]) -> None:
    """Write a finding for each record that is left out, as many as are kept of a rule. A batch is left once: there are none yet."""
    told: list[Finding] = []
    for chunk in left:
        facts = {"chunk": chunk.number, "code": chunk.reasons[0]["code"] if chunk.reasons else NOBODY}
        rows = Record.objects.filter(chunk=chunk).order_by("line").values_list("line", "offset")[: FINDINGS_KEPT - len(told)]
        told += [
            Finding(batch=batch, severity="error", rule=RULE, line=line, column=0, offset=offset, raw=b"", facts=facts)
            for line, offset in rows
        ]
    bulk.create(told, within=Finding.objects.filter(batch=batch, rule=RULE))
