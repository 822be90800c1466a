"""Reverses batches as a whole: by a batch of its own, which has its plan, its approval by another person, and its chunks."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F

from ingestion_app.deciding.operations import steps
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, ValidationRequest
from ingestion_app.reversing import operations as reversal_plans
from ingestion_app.reversing.queries import reversals
from ingestion_app.states import BATCH, BatchFacts
from ledger_app.adjustments.operations import weighing
from ledger_app.base.operations import audit, bulk, history, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.models import DecidedAmount

REASONS_MOST = 20


def propose(*, batch_id: int, reason: str, caller: Caller, version: int | None = None) -> Batch:
    """Propose the reversal of a batch: make, and return, the batch that is to undo it entry by entry. Nothing is planned or posted yet.

    It is validated as every batch is, which makes its plan (``plan``): that is asked for with the proposal. Then another person approves it. A
    batch that is stuck in ``applying`` stays paused, so that nothing of it is posted meanwhile.

    :raises Refused: wrong_state, not_permitted, batch_is_reversal, reversal_open, still_applying, nothing_to_reverse, reason_required, stale
    """
    made: list[Batch] = []

    def write(row: Batch, _facts: BatchFacts) -> Mapping[str, Any]:
        made.append(_make(row, caller))
        return {"is_paused": row.state == Batch.State.APPLYING}

    steps.take(
        "reverse",
        batch_id=batch_id,
        caller=caller,
        write=write,
        reason=reason,
        version=version,
        audit_facts=lambda _row: {"reversal": made[-1].pk},
    )
    return made[-1]


def plan(*, batch: Batch, caller: Caller, reached: Callable[[], None]) -> Batch:
    """Plan what a proposed reversal posts, and return it, validated: asked of the ledger as a file's records are.

    What it reverses cannot change meanwhile: nothing more of the original is posted, and none of its entries is reversed by itself.
    ``reached`` writes that the attempt has come to its end, in the transaction that takes the step.

    :raises Refused: nothing_to_reverse, no_period_open, account_not_open, holder_merged, floor_broken and what else posting would refuse; stale
    """
    original = Batch.objects.get(reversals=batch)
    if refused := reversals.refusals(original):
        raise Refused(refused)
    columns, chunks = reversal_plans.planned(original)
    for column, value in columns.items():
        setattr(batch, column, value)
    plans = [(each.number, each.record_count, each.record_sum, each.totals, bytes(each.records_digest).hex()) for each in chunks]
    columns["plan_digest"] = batches.plan_digest(batch, plans)

    def write(row: Batch, _facts: BatchFacts) -> Mapping[str, Any]:
        reached()
        weighing.void(kind=DecidedAmount.Kind.BATCH, subject_id=row.pk, at=caller.at)
        Chunk.objects.filter(batch=row).delete()
        for chunk in chunks:
            chunk.batch = row
        bulk.create(chunks, within=Chunk.objects.filter(batch=row))
        return {**columns, "planned_by": caller.user, "approved_by": None, "approved_digest": None}

    return steps.take(
        "validate",
        batch_id=batch.pk,
        caller=caller,
        write=write,
        version=batch.version,
        audit_facts=lambda row: {"reverses": original.pk, "plan": batches.hexadecimal(row.plan_digest)},
    )


def end_original(batch: Batch, caller: Caller) -> dict[str, Any]:
    """Say of the batch that a reversal undoes that it is reversed, in the transaction that ends the reversal; for any other batch, do nothing.

    Return the columns that are set with the end of ``batch`` itself: what is applied is not paused any more.

    :raises Refused: wrong_state, where somebody has ended the original otherwise
    """
    if batch.reverses_id is None:
        return {"is_paused": False}
    original = Batch.objects.get(pk=batch.reverses_id)
    transition = BATCH.transition("undo")
    if blockers := BATCH.blockers(transition, batches.facts(original, user=caller.user, deep=False)):
        raise Refused(blockers)
    transitions.compare_and_set(
        original,
        transition=transition,
        subject_type=BATCH.subject,
        caller=caller,
        reason="",
        columns={"holds_slot": None, "holds_file": None, "is_paused": False},
        facts={"reversal": batch.pk},
    )
    return {"is_paused": False}


def _make(original: Batch, caller: Caller) -> Batch:
    """Write the batch that is to reverse ``original``, ask for its validation, and return it."""
    # A worker that still leases one of these chunks loses it: nothing of the original is posted once its reversal is proposed.
    Chunk.objects.filter(batch=original).exclude(state=Chunk.State.APPLIED).update(lease_token=F("lease_token") + 1)
    reversal = Batch(
        source_id=original.source_id,
        source_version_id=original.source_version_id,
        file_id=original.file_id,
        reverses=original,
        business_date=original.business_date,
        sequence=original.sequence,
        holds_slot=None,
        holds_file=None,
        holds_original=True,
        received_by=caller.user,
    )
    history.create(reversal, caller=caller, reason="propose")
    ValidationRequest.objects.create(
        batch=reversal, batch_version=reversal.version, after_attempt=0, asked_by=caller.user, asked_at=caller.at
    )
    audit.record(
        subject=audit.Subject(BATCH.subject, reversal.pk, str(reversal)),
        action="propose",
        caller=caller,
        facts={"reverses": original.pk, "state": reversal.state},
    )
    return reversal
