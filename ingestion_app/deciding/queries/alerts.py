"""What looks wrong with a file: its alerts, their digest, and who has acknowledged them since the last validation."""

import hashlib
import json
from typing import Any

from django.db.models import QuerySet

from ingestion_app.checks.rules import Severity, by_severity
from ingestion_app.models import Acknowledgement, Attempt, Batch, Finding

FORM = "kakutei-alerts-1"


def count_of(batch: Batch) -> int:
    """Return how many alerts the last validation saw."""
    return by_severity(batch.finding_counts)[Severity.ALERT]


def of_batch(batch: Batch) -> QuerySet[Finding]:
    """Return the alerts of the last validation, as the page shows them to the person who acknowledges them."""
    return Finding.objects.filter(batch=batch, severity=Severity.ALERT).order_by("rule", "line", "column", "id")


def digest_of(batch: Batch) -> str:
    """Return the SHA-256 over the alerts as they are told, in hexadecimal; empty where there is none."""
    if count_of(batch) == 0:
        return ""
    content = [FORM, *of_batch(batch).values_list("rule", "line", "column", "facts")]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def last_validation(batch: Batch) -> Attempt | None:
    """Return the last validation that came to its end."""
    return (
        Attempt.objects.filter(batch=batch, step=Attempt.Step.VALIDATE, outcome=Attempt.Outcome.DONE).order_by("-number").first()
    )


def acknowledgement_of(batch: Batch) -> Acknowledgement | None:
    """Return the acknowledgement of the alerts of the last validation; None where nobody has acknowledged them, or there is none."""
    if count_of(batch) == 0:
        return None
    return Acknowledgement.objects.filter(validation=last_validation(batch)).select_related("acknowledged_by").first()


def as_dict(batch: Batch) -> dict[str, Any]:
    """Return the alerts of a batch as commands and the API tell them: how many, their digest, and who has acknowledged them."""
    found = acknowledgement_of(batch)
    return {
        "count": count_of(batch),
        "digest": digest_of(batch) or None,
        "acknowledged_by": found.acknowledged_by.username if found else None,
        "acknowledged_at": found.acknowledged_at if found else None,
        "reason": found.reason if found else None,
    }


def line_of(batch: Batch) -> str:
    """Say in one line what is to be acknowledged, or who has; for a terminal. Where nobody is to any more it is said how many there were."""
    told = as_dict(batch)
    if told["acknowledged_by"]:
        return f"alerts: {told['count']:,}, acknowledged by {told['acknowledged_by']}: {told['reason']}"
    if batch.state != Batch.State.VALIDATED:
        return f"alerts: {told['count']:,}"
    return f"alerts: {told['count']:,}, to be acknowledged before it is approved; digest {told['digest']}"
