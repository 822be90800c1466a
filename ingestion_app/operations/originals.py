"""Reads the bytes that records were read from, out of the files as they are kept."""

from collections.abc import Callable
from pathlib import Path

from ingestion_app import errors
from ingestion_app.models import Batch, Record
from ingestion_app.queries import origins
from ingestion_app.queries.origins import Read, Reader
from ledger_app.operations import filing


def reader(directory: Callable[[], Path]) -> Reader:
    """Return what reads a record's bytes from the files under ``directory``, which is asked for each time."""

    def read(batch: Batch, record: Record, whole: bool) -> Read:  # noqa: FBT001 - as the origins call it
        sha256 = bytes(batch.file.sha256)
        path = filing.path_of(directory(), sha256)
        try:
            if whole and (found := filing.digest_of(path)) != sha256:
                return Read(None, (errors.FileDamaged(found=found.hex(), sha256=sha256.hex()),))
            return Read(filing.piece(path, record.offset, record.length))
        except FileNotFoundError:
            return Read(None, (origins.missing(batch),))

    return read
