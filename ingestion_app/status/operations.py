"""Reads the bytes that records were read from, out of the files as they are kept."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.db.models import Q
from django.utils.translation import gettext_lazy

from ingestion_app import errors
from ingestion_app.models import Batch, File, Record
from ingestion_app.status.queries import origins
from ingestion_app.status.queries.origins import Read, Reader
from ledger_app.base.operations import filing
from ledger_app.base.proofs import Invariant, Scope
from ledger_app.errors.sentences import say as _
from ledger_app.verification.operations import kept_bytes


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


def invariants(directory: Callable[[], Path]) -> tuple[Invariant, ...]:
    """Return the invariant that the bytes of received files are kept under ``directory``, which is asked for each time."""

    def breaches(books: Scope) -> Iterator[str]:
        if books.reads_bytes:
            # What a batch rests on is there, whatever says that it was removed.
            there = File.objects.filter(Q(pruned__isnull=True) | Q(batches__isnull=False)).distinct()
            rows = there.order_by("sha256").values_list("id", "sha256", "size").iterator(chunk_size=1000)
            yield from kept_bytes.lost(
                ((_("File {number}").format(number=number), bytes(sha256), size) for number, sha256, size in rows), directory()
            )

    return (Invariant(3, gettext_lazy("The bytes of each file are kept as they came."), breaches, reads_bytes=True),)
