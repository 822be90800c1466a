"""What the verification asks of postings of files, of the rows alone."""

import pytest

from ingestion_app.models import Chunk
from ingestion_app.queries import proofs
from ledger_app.models import Posting
from tests.ingestion_app.operations.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("what", ["a chunk that is not there", "a chunk that was not applied"])
def test_a_posting_of_a_chunk_that_did_not_write_it_is_named(world: World, what: str) -> None:
    applied = world.applied()
    assert list(proofs._chunks_are_there([])) == []
    plain = Chunk.objects.filter(batch=applied).latest("id")
    plain.pk, plain.number, plain.state = None, plain.number + 1, Chunk.State.PENDING
    Chunk.objects.bulk_create([plain])
    chunk = Chunk.objects.latest("id").pk + (99_999 if what == "a chunk that is not there" else 0)
    key = Posting.objects.create(
        origin_kind="chunk", origin_id=chunk, posted_by=world.system, posted_at=world.caller().at, entry_count=0, line_count=0
    ).pk
    assert list(proofs._chunks_are_there([])) == [
        f"Posting {key} names chunk {chunk}, which is not there or was not applied."
    ]
