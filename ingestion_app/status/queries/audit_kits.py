"""What an audit kit has of batches: where they came from, the hashes of their files, and who had a hand in them."""

from collections.abc import Iterator, Mapping, Sequence

from ingestion_app.models import Batch, Chunk
from ledger_app.close.queries.audit_kits import BATCH, Row, Subject
from ledger_app.values import instants


def subjects(chunks: Sequence[int]) -> Mapping[int, Subject]:
    """Return the batch of each of these chunks."""
    return {key: (BATCH, batch_id) for key, batch_id in Chunk.objects.filter(id__in=chunks).values_list("id", "batch_id")}


def batches(numbers: Sequence[int]) -> Iterator[Row]:
    """Yield the rows of these batches. A reversal has the file of the batch that it reverses, and no name of its own: nothing arrived."""
    related = ("source", "source_version", "file", "receipt", "received_by", "planned_by", "approved_by")
    for batch in Batch.objects.filter(id__in=numbers).select_related(*related).order_by("id"):
        yield (
            batch.pk,
            batch.source.code,
            batch.source_version.number,
            batch.business_date.isoformat(),
            batch.sequence,
            batch.reverses_id or "",
            batch.receipt.name if batch.receipt else "",
            bytes(batch.file.sha256).hex(),
            batch.file.size,
            batch.received_by.username,
            instants.stamp(batch.receipt.received_at) if batch.receipt else "",
            batch.planned_by.username if batch.planned_by else "",
            batch.approved_by.username if batch.approved_by else "",
            bytes(batch.plan_digest).hex() if batch.plan_digest else "",
            bytes(batch.approved_digest).hex() if batch.approved_digest else "",
            "" if batch.record_count is None else batch.record_count,
            "" if batch.record_sum is None else batch.record_sum,
        )
