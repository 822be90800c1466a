"""Why a batch is paused, since when, and by whom."""

from dataclasses import dataclass
from datetime import datetime

from ingestion_app.models import Batch
from ledger_app.models import AuditRow


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that has not ended; ``by_itself`` where the circuit breaker paused, in the name of whoever applied."""

    at: datetime
    by: str
    reason: str
    by_itself: bool


def pause_of(batch: Batch) -> Pause | None:
    """Return the pause of a batch, None where it is not paused."""
    if not batch.is_paused:
        return None
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, action__in=("pause", "trip"), outcome="done")
    row = rows.select_related("actor").order_by("-id").first()
    return Pause(row.at, row.actor.username, row.reason, row.action == "trip") if row else None
