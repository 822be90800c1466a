"""Which files wait for the slot of a batch: they came in while it had the slot, and are kept."""

from django.db.models import Exists, OuterRef, QuerySet

from ingestion_app.models import Batch, Receipt


def receipts_of(batch: Batch) -> QuerySet[Receipt]:
    """Return the receipts of the files that may take a batch's place, newest first: not those that are a batch already, or whose bytes are gone."""
    if batch.reverses_id is not None:
        return Receipt.objects.none()
    ended = (Batch.State.WITHDRAWN, Batch.State.REVERSED)
    elsewhere = Batch.objects.filter(source=OuterRef("source"), file=OuterRef("file")).exclude(state__in=ended)
    conflicts = Receipt.objects.filter(
        source=batch.source_id, business_date=batch.business_date, sequence=batch.sequence, outcome=Receipt.Outcome.CONFLICT
    )
    return conflicts.filter(~Exists(elsewhere), batch__isnull=True, file__pruned__isnull=True).order_by("-id")


def receipt_of(batch: Batch, shown: int | None) -> int | None:
    """Return the number of the receipt that waits: the one that was shown where that waits, else the newest; None where none does."""
    found = list(receipts_of(batch).values_list("id", flat=True))
    return shown if shown in found else next(iter(found), None)
