"""What the digests of rows come to since a part of what they cover was erased."""

from ledger_app.models import ErasedDigest, Erasure


def digests(table: str) -> dict[int, bytes]:
    """Return what the digests of a table's rows come to since something that they cover was erased, by number: the last word on each."""
    rows = ErasedDigest.objects.filter(table_name=table, erasure__state=Erasure.State.DONE).order_by("id")
    return {key: bytes(digest) for key, digest in rows.values_list("row_id", "digest")}
