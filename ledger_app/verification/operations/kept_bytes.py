"""Proves that the bytes that rows point to are kept as they came: what lies outside the database is read whole."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext_lazy

from ledger_app.base.operations import filing
from ledger_app.base.proofs import Invariant, Scope
from ledger_app.errors.sentences import say as _
from ledger_app.models import Attachment, ErasedPart, Erasure
from ledger_app.traces.rules.erased import ATTACHMENTS


def lost(files: Iterable[tuple[str, bytes, int]], directory: Path) -> Iterator[str]:
    """Yield each of ``files``, as (name, SHA-256, size), whose bytes are not there, or are others; they come in the order of their digests, and each is read once."""
    before = (b"", -1)
    for name, sha256, size in files:
        if (sha256, size) == before:
            continue
        before = (sha256, size)
        path = filing.path_of(directory, sha256)
        try:
            if filing.digest_of(path) != sha256:
                yield _("{name}: its bytes are not those that came (SHA-256 {sha256}).").format(name=name, sha256=sha256.hex())
            elif path.stat().st_size != size:
                yield _("{name}: {size} bytes are said to have come, {found} are kept.").format(
                    name=name, size=size, found=path.stat().st_size
                )
        except OSError:
            yield _("{name}: its bytes cannot be read (SHA-256 {sha256}).").format(name=name, sha256=sha256.hex())


def attachments(directory: Callable[[], Path], before: Callable[[], datetime]) -> tuple[Invariant, ...]:
    """Return the invariant that the bytes of attachments are kept; ``directory`` says where they lie when it is asked.

    What was stored since ``before`` may belong to a proposal that is not written yet.
    """

    def breaches(books: Scope) -> Iterator[str]:
        if books.reads_bytes:
            # Of those that a decided erasure names the bytes are gone, unless another has the same.
            gone = ErasedPart.objects.filter(table_name=ATTACHMENTS, erasure__state=Erasure.State.DONE).values("row_id")
            kept = Attachment.objects.exclude(id__in=gone)
            rows = kept.order_by("sha256", "size", "id").values_list("adjustment_id", "name", "sha256", "size")
            files = ((f"#{number} {name}", bytes(sha256), size) for number, name, sha256, size in rows.iterator(chunk_size=1000))
            yield from lost(files, directory())
            for number, sha256 in Attachment.objects.filter(id__in=gone).order_by("id").values_list("adjustment_id", "sha256"):
                path = filing.path_of(directory(), bytes(sha256))
                # Under the other name where a removal was killed.
                is_there = any(filing.is_old(each, before()) for each in (path, filing.aside_of(path)))
                if is_there and not kept.filter(sha256=sha256).exists():
                    yield _(
                        "An attachment of adjustment {adjustment} was erased, and its bytes are there (SHA-256 {sha256}); run prune."
                    ).format(adjustment=f"#{number}", sha256=bytes(sha256).hex())

    return (Invariant(3, gettext_lazy("The bytes of each attachment are kept as they came."), breaches, reads_bytes=True),)
