"""What became of records and chunks: their own state, as far as that of their batch lets it stand."""

from ingestion_app.models import Batch, Chunk, Record


def state_of_chunk(chunk: Chunk, batch: Batch) -> str:
    """Return what became of a chunk: it waits only where its batch may still apply it, and is applied only where that stands."""
    if batch.state == Batch.State.REVERSED and chunk.state == Chunk.State.APPLIED:
        return "reversed"
    if chunk.state != Chunk.State.APPLIED and batch.state in {Batch.State.WITHDRAWN, Batch.State.REVERSED}:
        return "never"
    return str(chunk.state)


def state_of_record(record: Record, batch: Batch) -> str:
    """Return what became of a record: of one that is to be applied, what became of its chunk."""
    if record.status != Record.Status.PLANNED or record.chunk is None:
        return str(record.status)
    of_chunk = state_of_chunk(record.chunk, batch)
    return "planned" if of_chunk == "pending" else of_chunk
