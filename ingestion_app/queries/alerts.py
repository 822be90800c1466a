"""What looks wrong with a file: its alerts, their digest, and who has acknowledged them since the last validation."""

import hashlib
import json
from typing import Any

from ingestion_app.checks.rules import RULES, Severity
from ingestion_app.models import Acknowledgement, Attempt, Batch, Finding
from ingestion_app.queries.record_proofs import FINDINGS_KEPT

FORM = "kakutei-alerts-1"


def count_of(batch: Batch) -> int:
    """Return how many alerts the last validation saw."""
    return sum(count for rule, count in batch.finding_counts.items() if RULES[rule].severity is Severity.ALERT)


def digest_of(batch: Batch) -> str:
    """Return the SHA-256 over the alerts as they are told, in hexadecimal; empty where there is none."""
    if count_of(batch) == 0:
        return ""
    rows = Finding.objects.filter(batch=batch, severity=Severity.ALERT).order_by("rule", "line", "column", "id")
    content = [FORM, *rows.values_list("rule", "line", "column", "facts")[:FINDINGS_KEPT]]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def last_validation(batch: Batch) -> Attempt | None:
    """Return the last validation that came to its end."""
    return (
        Attempt.objects.filter(batch=batch, step=Attempt.Step.VALIDATE, outcome=Attempt.Outcome.DONE).order_by("-number").first()
    )


def acknowledgement_of(batch: Batch) -> Acknowledgement | None:
    """Return the acknowledgement of the alerts of the last validation; None where nobody has acknowledged them, or there is none."""
    found = Acknowledgement.objects.filter(validation=last_validation(batch)).select_related("acknowledged_by")
    return found.first() if count_of(batch) else None


def told_of(batch: Batch) -> dict[str, Any]:
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
    """Say in one line what is to be acknowledged, or who has; for a terminal."""
    told = told_of(batch)
    if told["acknowledged_by"]:
        return f"alerts: {told['count']:,}, acknowledged by {told['acknowledged_by']}: {told['reason']}"
    return f"alerts: {told['count']:,}, to be acknowledged before it is approved; digest {told['digest']}"
