"""The unique keys of ingestion on which two writers can meet: the one that tries again finds what the other wrote. The ledger learns them when Django starts."""

COLLIDE = frozenset(
    {
        *("source_version_unique", "batch_slot_unique", "batch_file_unique", "batch_reversal_unique", "attempt_number_unique"),
        *("chunk_number_unique", "record_line_unique"),
        *("ingestion_app_source.code", "ingestion_app_file.sha256", "ingestion_app_worker.instance"),
    }
)
# Those that nobody meets by chance.
STAND = frozenset({"ingestion_app_batch.receipt_id", "ingestion_app_acknowledgement.validation_id"})
