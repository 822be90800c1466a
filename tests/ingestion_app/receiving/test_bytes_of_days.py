"""The same bytes, where nothing in them says their day, are once a batch of each day, whatever became of the batches before."""

from datetime import date

import pytest

from ingestion_app.models import Batch, Receipt
from ingestion_app.sources import operations as sources
from ledger_app.errors import Refused
from tests.support import world as worlds
from tests.support.world import World, card_file

pytestmark = pytest.mark.django_db
SAID = 'header_business_date = "business_date"\nheader_sequence = "sequence"\n'
DAYS = [date(2017, 1, 29), date(2017, 1, 30)]
EMPTY = card_file([])
REJECTED = card_file([], count=1)  # a trailer that counts what is not there
LIVE = {
    "received": lambda world, batch: batch,
    "rejected": lambda world, batch: world.validate(batch),
    "validated": lambda world, batch: world.validate(batch),
    "approved": lambda world, batch: world.approve(world.validate(batch)),
    "applied": lambda world, batch: world.apply(world.approve(world.validate(batch))).batch,
}


@pytest.fixture(autouse=True)
def _nothing_says_the_day(world: World) -> None:
    assert SAID in worlds.definition()
    sources.load(text=worlds.definition().replace(SAID, ""), caller=world.caller())


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize("sequence", [1, 2])
@pytest.mark.parametrize("first_is_withdrawn", [True, False])
def test_sent_again_for_a_day_they_are_a_repeat_of_that_days_batch(
    world: World, state: str, sequence: int, first_is_withdrawn: bool
) -> None:
    content = REJECTED if state == "rejected" else EMPTY
    batches = [world.receive(content, name="empty.csv", business_date=day) for day in DAYS]
    if first_is_withdrawn:
        world.withdraw(batches[0])
    batch = LIVE[state](world, batches[1])
    assert batch.state == state
    again = world.receipt(content, name="empty.csv", business_date=DAYS[1], sequence=sequence)
    assert (again.outcome, again.first) == (Receipt.Outcome.DUPLICATE, batches[1].receipt)
    assert Batch.objects.count() == 2


def test_what_is_withdrawn_frees_its_bytes_for_its_day(world: World) -> None:
    batches = [world.receive(EMPTY, name="empty.csv", business_date=day) for day in DAYS]
    for batch in batches:
        world.withdraw(batch)
    assert [world.receive(EMPTY, name="empty.csv", business_date=day).pk for day in DAYS] > [each.pk for each in batches]


def test_other_bytes_for_the_day_are_still_a_conflict(world: World) -> None:
    world.receive(EMPTY, name="empty.csv", business_date=DAYS[0])
    world.receive(EMPTY, name="empty.csv", business_date=DAYS[1])
    with pytest.raises(Refused) as refused:
        world.receipt(REJECTED, name="empty.csv", business_date=DAYS[1])
    assert [each.code for each in refused.value.reasons] == ["slot_conflict"]
