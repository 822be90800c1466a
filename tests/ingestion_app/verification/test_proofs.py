"""What the verification asks of postings of files, of the rows alone."""

import pytest

from ingestion_app.models import Chunk
from ingestion_app.verification.proofs import proofs
from ingestion_app.verification.proofs import redirect as redirect_proofs
from ledger_app.models import Entry, Identifier, Posting, RedirectedEntry
from tests.support.reversing import reverse_entry
from tests.support.undoing import merge
from tests.support.world import World

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
    assert list(proofs._chunks_are_there([])) == [f"Posting {key} names chunk {chunk}, which is not there or was not applied."]


@pytest.mark.parametrize("what", ["of another record", "to another member", "of no file"])
def test_an_entry_that_is_said_to_have_gone_to_another_member_and_did_not_is_named(world: World, what: str) -> None:
    batch = world.approved()
    stays = merge("1001", "1002")
    world.apply(batch)
    assert RedirectedEntry.objects.exists()
    assert list(redirect_proofs.redirected_entries_are_of_their_records([])) == []
    third = Identifier.objects.get(value="1003").holder
    entry = Entry.objects.filter(redirected__isnull=True, lines__account__holder=third).first()
    assert entry is not None
    named, holder = (stays, third) if what == "of another record" else (third, stays)
    if what == "of no file":
        reversal = reverse_entry(
            entry_id=entry.pk, effective_on=entry.effective_on, reason="No.", caller=world.caller(world.finance)
        )
        entry, named, holder = Entry.objects.get(posting=reversal.posting_id), stays, third
    RedirectedEntry.objects.create(entry=entry, named=named, holder=holder)
    (breach,) = redirect_proofs.redirected_entries_are_of_their_records([])
    assert breach.startswith(f"Entry {entry.reference} is said to have gone to member {holder.pk}")
