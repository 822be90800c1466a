"""Takes a step of a batch: one way to its transitions for every operation."""

from collections.abc import Callable, Mapping
from typing import Any

from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch
from ingestion_app.states import BATCH, BatchFacts
from ledger_app.base.operations import transitions
from ledger_app.base.operations.audit import Caller


def take(
    name: str,
    *,
    batch_id: int,
    caller: Caller,
    write: Callable[[Batch, BatchFacts], Mapping[str, Any]],
    facts: Callable[[Batch], BatchFacts] | None = None,
    reason: str = "",
    version: int | None = None,
    audit_facts: Callable[[Batch], Mapping[str, Any]] = lambda _row: {},
) -> Batch:
    """Carry a transition out and return the batch as it is afterwards; ``facts`` are those that a few rows tell, where no others are given.

    :raises Refused: with every reason; a refused attempt has its audit row
    """

    def shallow(row: Batch) -> BatchFacts:
        return batches.facts(row, user=caller.user, deep=False)

    return transitions.perform(
        transitions.Request(
            machine=BATCH,
            name=name,
            model=Batch,
            pk=batch_id,
            caller=caller,
            facts=facts or shallow,
            write=write,
            reason=reason,
            version=version,
            audit_facts=audit_facts,
        )
    )
