"""Who last did something to a subject, and with what: for a door that tells it. No rule of the ledger asks this."""

from ledger_app.models import AuditRow, User


def last(subject_type: str, subject_id: int, *actions: str, by: User | None = None) -> AuditRow | None:
    """Return the audit row of the last time that one of ``actions`` was done to the subject, by anybody or by one; None where it never was."""
    rows = AuditRow.objects.filter(subject_type=subject_type, subject_id=subject_id, action__in=actions, outcome="done")
    rows = rows if by is None else rows.filter(actor=by)
    return rows.select_related("actor").order_by("-id").first()
