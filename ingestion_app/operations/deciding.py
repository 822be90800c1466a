"""The decisions about a batch: approve, withdraw, freeze."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from ingestion_app import errors
from ingestion_app.models import Batch, Chunk
from ingestion_app.queries import batches
from ingestion_app.states import BATCH
from ledger_app.errors import Refused
from ledger_app.operations import transitions
from ledger_app.operations.audit import Caller


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
        columns=lambda row: {"approved_by": caller.user, "approved_digest": row.plan_digest},
    )


def withdraw(*, batch_id: int, reason: str, caller: Caller, version: int | None = None) -> Batch:
    """End a batch of which nothing is applied. Its slot and its bytes are free for another; what it was to reverse may be reversed by another.

    :raises Refused: with every reason; something_applied among them
    """

    def columns(row: Batch) -> dict[str, Any]:
        rest = Chunk.objects.filter(batch=row).exclude(state=Chunk.State.APPLIED)
        # Whoever holds a chunk has lost it, or has applied it before: both are known only when its row is had.
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
    columns: Any = lambda _row: {},
) -> Batch:
    def write(row: Batch, _facts: Any) -> Mapping[str, Any]:
        return dict(columns(row))

    return transitions.perform(
        transitions.Request(
            machine=BATCH,
            name=name,
            model=Batch,
            pk=batch_id,
            caller=caller,
            facts=lambda row: batches.facts(
                row, user=caller.user, digest_shown=digest_shown, acknowledged_version=acknowledged_version
            ),
            write=write,
            reason=reason,
            version=version,
            audit_facts=lambda row: {
                "plan": batches.hexadecimal(row.plan_digest),
                **({"source_version": acknowledged_version} if acknowledged_version else {}),
            },
        )
    )
