"""Until when a batch has to be applied: what was agreed with its source, counted from the receipt of its file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from ingestion_app.models import Batch
from ingestion_app.sources.queries import definitions
from ledger_app.models import AuditRow

# A rejected or withdrawn file will not be applied: the one that comes in its place has a receipt, and so a time, of its own.
ENDED_BEFORE = frozenset({Batch.State.REJECTED, Batch.State.WITHDRAWN})
APPLIED = frozenset({Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a batch is due, and when it was applied; None where it is not applied yet."""

    received_at: datetime
    due_at: datetime
    applied_at: datetime | None

    def is_late(self, at: datetime) -> bool:
        """Tell whether the batch was applied late, or is not applied and due."""
        return (self.applied_at or at) > self.due_at

    def sentence(self, at: datetime) -> str:
        """Say how much time is left or has passed, in the active language."""
        if self.applied_at is not None:
            took, late = span(self.applied_at - self.received_at), self.is_late(at)
            text = _("late by {late}: applied {took} after receipt") if late else _("in time: applied {took} after receipt")
            return text.format(took=took, late=span(self.applied_at - self.due_at))
        if self.is_late(at):
            return _("late by {time}").format(time=span(at - self.due_at))
        return _("due in {time}").format(time=span(self.due_at - at))


def span(length: timedelta) -> str:
    """Say how long something lasts: seconds below a minute, then whole minutes, then hours and minutes, then days and hours."""
    seconds = int(length.total_seconds())
    if seconds < MINUTE:
        return _("{seconds} s").format(seconds=max(seconds, 0))
    if seconds < HOUR:
        return _("{minutes} min").format(minutes=seconds // MINUTE)
    if seconds < DAY:
        return _("{hours} h {minutes} min").format(hours=seconds // HOUR, minutes=seconds % HOUR // MINUTE)
    return _("{days} d {hours} h").format(days=seconds // DAY, hours=seconds % DAY // HOUR)


def deadline_of(batch: Batch) -> Deadline | None:
    """Return the deadline of one batch; None where nothing was agreed, nothing arrived, or not all of it was or will be applied."""
    return deadlines_of([batch]).get(batch.pk)


def deadlines_of(batches: Iterable[Batch]) -> dict[int, Deadline]:
    """Return by id the deadlines of those batches that have one. Their receipts and versions are best brought along."""
    due: dict[int, tuple[datetime, datetime]] = {}
    past: list[int] = []
    is_reversed: set[int] = set()
    for batch in batches:
        minutes = definitions.definition_of(batch.source_version).applied_within_minutes
        if minutes is not None and batch.receipt is not None and batch.state not in ENDED_BEFORE:
            received_at = batch.receipt.received_at
            due[batch.pk] = (received_at, received_at + timedelta(minutes=minutes))
            past += [batch.pk] if batch.state in APPLIED else []
            is_reversed |= {batch.pk} if batch.state == Batch.State.REVERSED else set()
    rows = AuditRow.objects.filter(subject_type="batch", subject_id__in=past, action="finish", outcome="done")
    applied = dict(rows.order_by("id").values_list("subject_id", "at")) if past else {}
    # What was reversed before all of it was applied will never be.
    never = is_reversed - set(applied)
    return {pk: Deadline(received_at, due_at, applied.get(pk)) for pk, (received_at, due_at) in due.items() if pk not in never}
