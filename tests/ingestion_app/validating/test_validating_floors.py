"""Validation holds floors at every record, in the order of the file."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.world import FIXED, World, card_file, found

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("amounts", "is_kept"),
    [
        (["-100"], False),
        (["500", "-500"], True),
        (["500", "-600"], False),
        (["-500", "500"], False),
        (["199", "-199"], True),
        (["150", "150", "-250"], True),
    ],
)
def test_a_floor_is_held_at_every_record_in_the_order_of_the_file(world: World, amounts: list[str], is_kept: bool) -> None:
    records = [FIXED._replace(slip=f"s{number}", amount=amount) for number, amount in enumerate(amounts)]
    batch = world.validate(world.receive(card_file(records)))
    assert (batch.state, found(batch)) == (("validated", []) if is_kept else ("rejected", ["ledger.floor_broken"]))
    if is_kept:
        assert world.apply(world.approve(batch)).stopped == {}


def test_floors_are_looked_up_together(world: World) -> None:
    """Queries do not grow with the members who spend."""

    def queries(sequence: int, members: list[str]) -> int:
        takes = [FIXED._replace(member=member, slip=f"{sequence}.{member}", amount="-100") for member in members]
        batch = world.receive(card_file(takes, sequence=sequence), name=f"till-2017-01-31-{sequence}.csv")
        with CaptureQueriesContext(connection) as captured:
            assert world.validate(batch).finding_counts == {"ledger.floor_broken": len(members)}
        return len(captured)

    assert queries(2, ["1001", "1002", "1003", "1004"]) == queries(1, ["1005", "1006"])


def test_a_floor_counts_what_the_account_has_already(world: World) -> None:
    world.applied(card_file([FIXED._replace(amount="500")]))
    for slip, amount, state in (("t1", "-600", "rejected"), ("t2", "-500", "validated")):
        content = card_file([FIXED._replace(slip=slip, amount=amount)], sequence=2)
        assert world.validate(world.receive(content, name="till-2017-01-31-2.csv")).state == state


def test_what_is_set_aside_does_not_hold_a_floor_up(world: World) -> None:
    """A grant that is set aside gives no points that a later record of the file could take."""
    world.load(set_aside=1)
    grant = FIXED._replace(slip="g", amount="500", shop="99")  # there is no account for shop 99
    take = FIXED._replace(slip="t", amount="-500")
    batch = world.validate(world.receive(card_file([grant, take])))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.account_unknown", "ledger.floor_broken"])


def test_what_is_set_aside_breaks_no_floor(world: World) -> None:
    world.load(set_aside=1)
    take = FIXED._replace(slip="t", amount="-500", shop="99")
    batch = world.validate(world.receive(card_file([take, FIXED])))
    assert (batch.state, batch.set_aside_count, batch.set_aside_sum) == ("validated", 1, -500)
