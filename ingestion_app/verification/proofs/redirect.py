"""What is said of entries that went to another member than their records named, compared with the records and the lines."""

from collections.abc import Iterator, Sequence

from ingestion_app.status.queries import explain
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book, Line, Posting, RedirectedEntry

ROWS_A_READ = 500


def redirected_entries_are_of_their_records(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for redirected entries: the record named the one member, and the entry has a line of the other."""
    every = RedirectedEntry.objects.order_by("entry_id").select_related("entry__posting")
    after = 0
    while part := list(every.filter(entry_id__gt=after)[:ROWS_A_READ]):
        after = part[-1].entry_id
        true = _named(part) & _posted_to(part)
        for said in part:
            if said.entry_id not in true:
                yield _(
                    "Entry {reference} is said to have gone to member {holder} where its record named member {named}; "
                    "its record or its lines say otherwise."
                ).format(reference=said.entry.reference, holder=said.holder_id, named=said.named_id)


def _named(part: Sequence[RedirectedEntry]) -> set[int]:
    """Return the entries whose record named the member that is said."""
    of_chunks = [
        (said, (said.entry.posting.origin_id, said.entry.reference))
        for said in part
        if said.entry.posting.origin_kind == Posting.Origin.CHUNK
    ]
    records = explain.records_of(name for _said, name in of_chunks)
    return {said.entry_id for said, name in of_chunks if name in records and records[name].holder_id == said.named_id}


def _posted_to(part: Sequence[RedirectedEntry]) -> set[int]:
    """Return the entries that have a line of the member that is said."""
    holders = {said.entry_id: said.holder_id for said in part}
    lines = Line.objects.filter(entry__in=holders).values_list("entry_id", "account__holder_id")
    return {key for key, holder in lines if holder == holders[key]}
