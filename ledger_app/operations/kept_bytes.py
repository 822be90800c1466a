"""Proves that the bytes that rows point to are kept as they came: what lies outside the database is read whole."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.utils.translation import gettext_lazy

from ledger_app.errors.sentences import say as _
from ledger_app.models import Attachment
from ledger_app.operations import filing
from ledger_app.queries.proofs import Scope, Statement


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


def attachments(directory: Callable[[], Path]) -> tuple[Statement, ...]:
    """Return the statement that the bytes of attachments are kept; ``directory`` says where they lie when it is asked."""

    def breaches(books: Scope) -> Iterator[str]:
        if books.reads_bytes:
            rows = Attachment.objects.order_by("sha256", "size", "id").values_list("adjustment_id", "name", "sha256", "size")
            files = ((f"#{number} {name}", bytes(sha256), size) for number, name, sha256, size in rows.iterator(chunk_size=1000))
            yield from lost(files, directory())

    return (Statement(3, gettext_lazy("The bytes of each attachment are kept as they came."), breaches, reads_bytes=True),)
