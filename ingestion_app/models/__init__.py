"""The tables of ingestion."""

from ingestion_app.models.batches import Attempt, Batch, Chunk, Finding, Record
from ingestion_app.models.proofs import RecordsDigest
from ingestion_app.models.shapes import Acknowledgement, FileShape
from ingestion_app.models.sources import File, PrunedFile, Receipt, Source, SourceVersion
from ingestion_app.models.workers import ValidationRequest, Worker

__all__ = [
    "Acknowledgement",
    "Attempt",
    "Batch",
    "Chunk",
    "File",
    "FileShape",
    "Finding",
    "PrunedFile",
    "Receipt",
    "Record",
    "RecordsDigest",
    "Source",
    "SourceVersion",
    "ValidationRequest",
    "Worker",
]
