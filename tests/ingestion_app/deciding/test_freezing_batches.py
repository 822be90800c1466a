"""What a batch posted was counted when it was written: freezing or leaving it reads no entry and no line, unless something is in doubt."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk
from ledger_app.errors import Refused
from ledger_app.models import Posting
from tests.ingestion_app.applying.test_applying import TWO_A_CHUNK
from tests.support.altering import unguarded
from tests.support.undoing import pause, stuck
from tests.support.world import PURCHASES, World, card_file, codes

pytestmark = pytest.mark.django_db(transaction=True)
OF_ROWS = ("ledger_app_entry", "ledger_app_line")


def lose_an_entry(chunk: Chunk) -> None:
    with unguarded(table="ledger_app_posting"):
        Posting.objects.filter(origin_kind="chunk", origin_id=chunk.pk).update(entry_count=1)


def lose_the_posting(chunk: Chunk) -> None:
    with unguarded(table="ledger_app_posting"):
        Posting.objects.filter(origin_kind="chunk", origin_id=chunk.pk).update(origin_id=99_999)


def say_more(chunk: Chunk) -> None:
    with unguarded(table="ingestion_app_chunk"):
        Chunk.objects.filter(pk=chunk.pk).update(totals={"CARD": [99, 198, 1]})


@pytest.mark.parametrize("alter", [lose_an_entry, lose_the_posting, say_more])
def test_a_batch_of_which_something_is_in_doubt_is_counted_from_its_rows(
    world: World, alter: Callable[[Chunk], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = world.applied(TWO_A_CHUNK)
    assert batches.recounted(batch) == batches.recount(batch) == []
    alter(Chunk.objects.filter(batch=batch).latest("id"))
    of_rows, read = batches.change_of, []

    def change_of(posting_id: int) -> Any:
        read.append(posting_id)
        return of_rows(posting_id)

    monkeypatch.setattr(batches, "change_of", change_of)
    found = batches.recounted(batch)
    assert read
    assert found == batches.recount(batch)


@pytest.mark.parametrize("change", [(0, 1), (1, 1), (2, 1), (0, -1), (2, -1)])
def test_a_batch_that_says_other_totals_than_its_chunks_is_not_frozen(world: World, change: tuple[int, int]) -> None:
    batch = world.applied()
    place, by = change
    totals = [each + by * (number == place) for number, each in enumerate(batch.totals["CARD"])]
    Batch.objects.filter(pk=batch.pk).update(totals={**batch.totals, "CARD": totals})
    with pytest.raises(Refused) as refused:
        world.freeze(batch)
    assert codes(refused.value.reasons) == ["plan_damaged", "recount_differs"]


@pytest.mark.parametrize("totals", [{}, {"CARD": [0, 0, 0]}])
def test_a_batch_that_leaves_a_book_out_is_not_frozen(world: World, totals: dict[str, list[int]]) -> None:
    batch = world.applied()
    Batch.objects.filter(pk=batch.pk).update(totals=totals)
    with pytest.raises(Refused) as refused:
        world.freeze(batch)
    assert "recount_differs" in codes(refused.value.reasons)


def test_freezing_costs_the_same_whatever_was_posted(world: World) -> None:
    many = [each._replace(slip=f"{each.slip}-{turn}") for turn in range(5) for each in PURCHASES]
    few = world.applied()
    more = world.applied(card_file(many, sequence=2), name="till-2017-01-31-2.csv")
    costs = []
    for batch in (few, more):
        with CaptureQueriesContext(connection) as made:
            assert world.freeze(batch).state == "frozen"
        assert [each["sql"] for each in made if any(table in each["sql"] for table in OF_ROWS)] == []
        costs.append(len(made))
    assert costs[0] == costs[1]


def test_leaving_reads_nothing_of_what_was_posted(world: World) -> None:
    batch = stuck(world)
    pause(world, batch)
    with CaptureQueriesContext(connection) as made:
        assert world.leave(batch).state == "applied"
    assert [each["sql"] for each in made if any(table in each["sql"] for table in OF_ROWS)] == []
