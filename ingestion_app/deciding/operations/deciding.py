"""The decisions about a batch: acknowledge, approve, withdraw, freeze."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from ingestion_app import errors
from ingestion_app.deciding.operations import steps
from ingestion_app.deciding.queries import alerts, batches
from ingestion_app.models import Acknowledgement, Batch, Chunk
from ingestion_app.sources.queries import definitions
from ingestion_app.states import BatchFacts
from ledger_app import locks
from ledger_app.adjustments.operations import weighing
from ledger_app.adjustments.queries import limits
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.models import Book, DecidedAmount


def approve(
    *,
    batch_id: int,
    digest_shown: str,
    caller: Caller,
    note: str = "",
    version: int | None = None,
    acknowledged_version: int | None = None,
) -> Batch:
    """Approve the plan whose digest (hexadecimal) was shown.

    ``acknowledged_version`` is the number of the newer version of the source that the approver knows of, where one was loaded since the plan
    was made.

    :raises Refused: with every reason; own_proposal, plan_not_shown, source_version_newer and plan_moved among them
    """
    return _decide(
        "approve",
        batch_id,
        caller,
        note,
        version,
        digest_shown=digest_shown,
        acknowledged_version=acknowledged_version,
        columns=lambda row, facts: _approved(row, facts, caller),
    )


def acknowledge(*, batch_id: int, reason: str, alerts_shown: str, caller: Caller, version: int | None = None) -> Batch:
    """Acknowledge, with a reason, the alerts whose digest (hexadecimal) was shown. Another validation asks for another acknowledgement.

    :raises Refused: with every reason; own_proposal, no_alerts, alerts_acknowledged and alerts_not_shown among them
    """

    def columns(row: Batch, facts: BatchFacts) -> dict[str, Any]:
        seen_in = alerts.last_validation(row)
        assert seen_in is not None, "what is validated was validated"  # noqa: S101 - a batch in this state has such an attempt
        Acknowledgement.objects.create(
            batch=row,
            validation=seen_in,
            alerts=facts.alerts,
            digest=bytes.fromhex(facts.alerts_digest),
            reason=reason.strip(),
            acknowledged_by=caller.user,
            acknowledged_at=caller.at,
        )
        return {}

    return _decide("acknowledge", batch_id, caller, reason, version, alerts_shown=alerts_shown, columns=columns, said=_alerts_of)


def _alerts_of(row: Batch) -> dict[str, Any]:
    """Return what the audit row of an acknowledgement says beside its reason."""
    return {"alerts": alerts.digest_of(row), "count": alerts.count_of(row)}


def withdraw(*, batch_id: int, reason: str, caller: Caller, version: int | None = None) -> Batch:
    """End a batch of which nothing is applied. Its slot and its bytes are free for another; what it was to reverse may be reversed by another.

    :raises Refused: with every reason; something_applied among them
    """

    def columns(row: Batch, _facts: BatchFacts) -> dict[str, Any]:
        weighing.void(kind=DecidedAmount.Kind.BATCH, subject_id=row.pk, at=caller.at)
        rest = Chunk.objects.filter(batch=row).exclude(state=Chunk.State.APPLIED)
        # A worker that leased a chunk has lost it, or has applied it before. Only the locked row says which.
        rest.update(lease_token=F("lease_token") + 1, lease_until=None)
        if applied := Chunk.objects.filter(batch=row, state=Chunk.State.APPLIED).count():
            raise Refused([errors.SomethingApplied(applied=applied, total=applied + rest.count())])
        return {"holds_slot": None, "holds_file": None, "holds_original": None, "is_paused": False}

    return _decide("withdraw", batch_id, caller, reason, version, columns=columns)


def freeze(*, batch_id: int, caller: Caller, reason: str = "", version: int | None = None) -> Batch:
    """End an applied batch for ever.

    :raises Refused: with every reason; recount_differs among them
    """
    return _decide("freeze", batch_id, caller, reason, version)


def _decide(
    name: str,
    batch_id: int,
    caller: Caller,
    reason: str,
    version: int | None,
    *,
    digest_shown: str | None = None,
    acknowledged_version: int | None = None,
    alerts_shown: str | None = None,
    columns: Any = lambda _row, _facts: {},
    said: Any = lambda _row: {},
) -> Batch:
    def write(row: Batch, facts: BatchFacts) -> Mapping[str, Any]:
        return dict(columns(row, facts))

    def facts_of(row: Batch) -> BatchFacts:
        if name == "approve" and (books := definitions.definition_of(row.source_version).adjusted_books):
            # Two approvals at once would each see what was decided before both.
            locks.beside_own(limits.of_books(list(Book.objects.filter(code__in=books).values_list("id", flat=True))))
        return batches.facts(
            row,
            user=caller.user,
            digest_shown=digest_shown,
            acknowledged_version=acknowledged_version,
            alerts_shown=alerts_shown,
            at=caller.at,
        )

    return steps.take(
        name,
        batch_id=batch_id,
        caller=caller,
        facts=facts_of,
        write=write,
        reason=reason,
        version=version,
        audit_facts=lambda row: {
            "plan": batches.hexadecimal(row.plan_digest),
            **({"source_version": acknowledged_version} if acknowledged_version else {}),
            **said(row),
        },
    )


def _approved(row: Batch, facts: BatchFacts, caller: Caller) -> dict[str, Any]:
    """Write down what a batch of adjustments moves, and return the columns of an approval."""
    weighing.void(kind=DecidedAmount.Kind.BATCH, subject_id=row.pk, at=caller.at)
    for book in Book.objects.filter(code__in=facts.weights).order_by("code"):
        moved = facts.weights[book.code]
        weighing.record(kind=DecidedAmount.Kind.BATCH, subject_id=row.pk, book=book, weights=moved, caller=caller)
    return {"approved_by": caller.user, "approved_digest": row.plan_digest}
