"""The same records again, however they are wrapped, are refused by the name of the batch that has them; what only looks alike is not."""

import hashlib
import io
from datetime import date

import pytest

from ingestion_app.models import Batch, File, FileShape, Finding, Receipt
from ingestion_app.receiving.operations import receiving
from ingestion_app.receiving.operations.arriving import Expected
from ingestion_app.sources import operations as sources
from ledger_app.errors import Refused
from ledger_app.models import AuditRow
from tests.support import world as worlds
from tests.support.world import PURCHASES, Purchase, World, card_file

pytestmark = pytest.mark.django_db
SECOND = "till-2017-01-31-2.csv"


def known(batch: Batch) -> Finding | None:
    return Finding.objects.filter(batch=batch, rule="file.records_known").first()


def twice(records: list[Purchase] | tuple[Purchase, ...] = PURCHASES) -> bytes:
    """Return a file of these records, in another order, for the second file of the day."""
    return card_file(reversed(records), sequence=2)


@pytest.mark.parametrize("state", ["validated", "approved", "applied"])
def test_the_same_records_in_another_order_are_refused_with_the_batch_that_has_them(world: World, state: str) -> None:
    first = {"validated": world.validated, "approved": world.approved, "applied": world.applied}[state]()
    again = world.validate(world.receive(twice(), name=SECOND))
    assert again.state == "rejected"
    finding = known(again)
    assert finding is not None
    assert finding.facts == {"share": "100.0 %", "batch": first.pk, "date": "2017-01-31", "state": state}
    assert world.withdraw(again).state == "withdrawn"


def test_most_of_them_with_one_more_are_the_same_from_ninety_nine_in_a_hundred_on(world: World) -> None:
    first = worlds.many(300, 6)
    world.validated(card_file(first))
    more = [Purchase(slip=f"x{place}") for place in range(9)]
    assert known(world.validate(world.receive(card_file([*first, *more[:2]], sequence=2), name=SECOND))) is not None
    third = world.receive(card_file([*first, *more], sequence=3), name="till-2017-01-31-3.csv")
    assert known(world.validate(third)) is None


def test_two_who_buy_the_same_are_two(world: World) -> None:
    world.applied()
    others = [each._replace(slip=f"z{each.slip}") for each in PURCHASES]
    batch = world.validate(world.receive(card_file(others, sequence=2), name=SECOND))
    assert (batch.state, known(batch)) == ("validated", None)


def test_what_is_withdrawn_or_reversed_stands_in_nobodys_way(world: World) -> None:
    world.withdraw(world.validated())
    first = world.applied(twice(), name=SECOND)
    world.reversed(first)
    third = world.validate(world.receive(card_file(sequence=3), name="till-2017-01-31-3.csv"))
    assert (third.state, known(third)) == ("validated", None)


def test_records_that_were_set_aside_come_again(world: World) -> None:
    world.load(set_aside=9)
    strangers = [Purchase(str(2001 + place), slip=f"a{place}") for place in range(6)]
    first = world.applied(card_file([*PURCHASES, *strangers]))
    assert first.set_aside_count == 6
    world.register(*[each.member for each in strangers])
    again = world.validate(world.receive(card_file(strangers, sequence=2), name=SECOND))
    assert (again.state, known(again)) == ("validated", None)


def test_the_same_bytes_for_another_day_are_that_days_where_nothing_in_them_says_their_day(world: World) -> None:
    said = 'header_business_date = "business_date"\nheader_sequence = "sequence"\n'
    assert said in worlds.definition()
    sources.load(text=worlds.definition().replace(said, ""), caller=world.caller())
    empty = card_file([])
    days = [date(2017, 1, day) for day in (29, 30)]
    batches = [world.validated(empty, name="empty.csv", business_date=day) for day in days]
    assert [batch.business_date for batch in batches] == days
    again = world.receipt(empty, name="empty.csv", business_date=days[1])
    assert (again.outcome, again.first) == (Receipt.Outcome.DUPLICATE, batches[1].receipt)
    assert world.apply(world.approve(batches[1])).batch.state == "applied"
    # With records in it, the day is not another one because somebody says so.
    world.validated(name="full.csv", business_date=days[0], sequence=2)
    other = world.validate(world.receive(name="full.csv", business_date=days[1], sequence=2))
    assert other.state == "rejected"
    assert known(other) is not None


def test_the_same_bytes_that_say_their_day_are_a_repeat_under_any_name(world: World) -> None:
    first = world.receipt(card_file([]))
    again = world.receipt(card_file([]), name="till-2017-01-30-1.csv")
    assert (again.outcome, again.first) == (Receipt.Outcome.DUPLICATE, first)


@pytest.mark.parametrize("is_right", [True, False])
@pytest.mark.parametrize("says", ["sha256", "size", "both"])
def test_other_bytes_than_the_sender_says_are_refused_and_nothing_is_kept(world: World, says: str, is_right: bool) -> None:
    content = card_file()
    sha256 = hashlib.sha256(content if is_right else b"other").hexdigest()
    size = len(content) if is_right else len(content) - 1
    expected = {"sha256": Expected(sha256=sha256), "size": Expected(size=size), "both": Expected(sha256, size)}[says]

    def act() -> Receipt:
        return receiving.receive(
            stream=io.BytesIO(content),
            name=worlds.NAME,
            source_code="till",
            directory=world.directory,
            caller=world.caller(),
            expected=expected,
        )

    if is_right:
        assert act().outcome == Receipt.Outcome.ACCEPTED
        return
    with pytest.raises(Refused) as refused:
        act()
    assert [reason.code for reason in refused.value.reasons] == ["bytes_differ"]
    assert not File.objects.exists()
    assert not [path for path in world.directory.rglob("*") if path.is_file()]
    assert AuditRow.objects.get(action="receive", outcome="refused").reasons[0]["code"] == "bytes_differ"


def test_files_of_whatever_layout_have_a_shape_and_are_known_again(world: World) -> None:
    text = worlds.definition().replace('key = ["slip"]', 'key = ["member", "shop", "slip", "@occurrence"]')
    sources.load(text=text, caller=world.caller())
    first = world.validated()
    content = FileShape.objects.get(batch=first).content
    assert list(content["contents"]) == ["bought_at"]
    assert content["records"] == len(PURCHASES)
    again = world.validate(world.receive(twice(), name=SECOND))
    assert (again.state, known(again) is not None) == ("rejected", True)


def test_which_batch_has_the_bytes_is_told_by_the_states_of_all_days(world: World) -> None:
    said = 'header_business_date = "business_date"\nheader_sequence = "sequence"\n'
    sources.load(text=worlds.definition().replace(said, ""), caller=world.caller())
    empty = card_file([])
    days = [date(2017, 1, day) for day in (29, 30)]
    first, second = (world.validated(empty, name="empty.csv", business_date=day) for day in days)
    # The batch that holds the bytes goes; those of the other day are there all the same.
    world.withdraw(first)
    for given in ({"business_date": days[1]}, {"business_date": days[1], "sequence": 2}, {}):
        again = world.receipt(empty, name="empty.csv", **given)
        assert (again.outcome, again.first) == (Receipt.Outcome.DUPLICATE, second.receipt), given
    assert world.receipt(empty, name="empty.csv", business_date=days[0]).outcome == Receipt.Outcome.ACCEPTED
