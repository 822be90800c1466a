"""All that is asked of a batch from afar: its state, whether it is safe to run again, how far it has come, and until when it is due."""

from datetime import datetime
from typing import Any

from ingestion_app.batches.queries import workers
from ingestion_app.deciding.queries import alerts
from ingestion_app.models import Batch
from ingestion_app.sources.queries import controls
from ingestion_app.status.queries.deadlines import Deadline, deadline_of
from ingestion_app.status.queries.progress import Progress, progress_of
from ingestion_app.status.queries.rerun import Rerun, rerun_of


def status_of(batch: Batch, *, at: datetime, check: bool = False) -> dict[str, Any]:
    """Return the status of ``batch`` as commands and the API give it; ``check`` holds the rows against what was approved, which reads them all."""
    return as_dict(batch, rerun_of(batch, at=at, check=check), progress_of(batch, at=at), deadline_of(batch), at)


def as_dict(batch: Batch, rerun: Rerun, progress: Progress, deadline: Deadline | None, at: datetime) -> dict[str, Any]:
    """Return what was found as one object."""
    return {
        "batch": batch.pk,
        "name": str(batch),
        "state": str(batch.state),
        "version": batch.version,
        "is_paused": batch.is_paused,
        "reverses": batch.reverses_id,
        "alerts": alerts.as_dict(batch),
        "controls": list(controls.of_batch(batch)) if batch.reverses_id is None else [],
        "rerun": rerun.as_dict(),
        "progress": progress.as_dict(),
        "due": deadline
        and {
            "received_at": deadline.received_at,
            "due_at": deadline.due_at,
            "applied_at": deadline.applied_at,
            "late": deadline.is_late(at),
            "sentence": deadline.sentence(at),
        },
        "workers": workers.as_dicts(workers.known()),
    }
