"""Who works: the processes that were heard of, on every host, as the first page shows them."""

from typing import Any

from ingestion_app.batches.queries import workers
from ingestion_app.models import Worker


def shown() -> dict[str, Any]:
    """Return the workers, and whether one is there that takes up what is queued."""
    heard = workers.known()
    return {
        "rows": [
            {
                "kind": each.worker.get_kind_display(),
                "name": str(each.worker),
                "state": "failed" if each.is_dead else "running",
                "seen_at": each.worker.seen_at,
                "is_dead": each.is_dead,
            }
            for each in heard
        ],
        "is_worked": any(each.worker.kind == Worker.Kind.WORKER and not each.is_dead for each in heard),
    }
