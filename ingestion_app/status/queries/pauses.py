"""Why a batch is paused, since when, and by whom."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import ngettext

from ingestion_app.models import Batch
from ledger_app.models import AuditRow

PAUSED_BY = ("pause", "trip", "reverse")
RESUMED_BY = ("apply", "resume")


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that has not ended; ``by_itself`` where the circuit breaker paused, in the name of the user who applied the batch.

    Who proposes the reversal of a batch that is being applied pauses it with that, unless it is paused already.
    """

    at: datetime
    by: str
    reason: str
    by_itself: bool


def pause_of(batch: Batch) -> Pause | None:
    """Return the pause of a batch, None where it is not paused."""
    row = row_of(batch) if batch.is_paused else None
    return Pause(row.at, row.actor.username, row.reason or _stopped(row), row.action == "trip") if row else None


def row_of(batch: Batch) -> AuditRow | None:
    """Return the audit row with which the pause of a batch began; None where none has begun since it was resumed."""
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, outcome="done").order_by("id")
    resumed = rows.filter(action__in=RESUMED_BY).last()
    since = rows.filter(action__in=PAUSED_BY, id__gt=resumed.pk if resumed else 0)
    return since.select_related("actor").first()


def _stopped(row: AuditRow) -> str:
    count = int(row.facts.get("stopped") or 0)
    sentence = ngettext("{count} chunk has stopped in this attempt.", "{count} chunks have stopped in this attempt.", count)
    return sentence.format(count=count) if count else ""
