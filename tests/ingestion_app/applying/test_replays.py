"""The receipt of a run: what it found, what it added, and whether the ledger's change is the plan."""

import pytest

from ingestion_app.applying.queries import last_attempt, replay_of
from tests.support import world as worlds

pytestmark = pytest.mark.django_db


def test_the_run_that_applied_everything_found_nothing_and_added_everything(world):
    batch = world.applied()
    receipt = replay_of(batch, last_attempt(batch))
    assert (receipt.chunks_found, receipt.records_found, receipt.chunks_applied) == (0, 0, batch.chunks.count())
    assert receipt.new_entries == sum(totals[0] for totals in batch.totals.values())
    assert receipt.is_equal


def test_a_run_after_it_found_everything_and_added_nothing(world):
    batch = world.applied()
    before = worlds.ledger()
    world.apply(batch)
    assert worlds.ledger() == before
    receipt = replay_of(batch, None)
    assert (receipt.chunks_found, receipt.records_found) == (batch.chunks.count(), 7)
    assert (receipt.chunks_applied, receipt.new_entries, receipt.is_equal) == (0, 0, True)
    told = receipt.as_dict()
    assert told["books"]["CARD"]["planned"] == told["books"]["CARD"]["found"] == {"entries": 7, "lines": 14, "debits": 14644}


def test_a_run_after_one_that_was_cut_short_tells_both_parts(world):
    world.load(chunk_records=1)
    batch = world.begin(world.approved())
    worlds.set_account("receivable.1002", "suspended")
    world.apply(batch)
    batch.refresh_from_db()
    assert not replay_of(batch, last_attempt(batch)).is_equal, "one chunk stopped"
    worlds.set_account("receivable.1002", "open")
    world.apply(batch)
    batch.refresh_from_db()
    receipt = replay_of(batch, last_attempt(batch))
    assert (receipt.chunks_found, receipt.chunks_applied, receipt.records_found) == (6, 1, 6)
    assert receipt.is_equal
    assert receipt.new_entries == 2


def test_a_change_that_is_not_the_plan_is_said_book_by_book(world):
    batch = world.applied()
    receipt = replay_of(batch, None, {"CARD": (7, 14, 14_644), "POINTS": (5, 10, 1)})
    assert {book.code: book.is_equal for book in receipt.books} == {"CARD": True, "POINTS": False}
    assert not receipt.is_equal
