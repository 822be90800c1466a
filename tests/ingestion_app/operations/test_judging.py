"""Validation and posting are one judge: what passes, posts; what is refused, posting refuses for the same reason."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion_app.checks.rules import rule_of
from ingestion_app.models import Batch, Finding
from ingestion_app.operations import judging
from ledger_app.errors import Refused
from ledger_app.models import Account, Entry, Posting
from ledger_app.operations import books, entries, lot_rules, transactions
from ledger_app.operations.books import AccountOpening
from ledger_app.operations.lot_rules import RuleGiven
from ledger_app.rules.posting import Draft
from tests.ingestion_app.operations import world as worlds
from tests.ingestion_app.operations.undoing import breaches
from tests.ingestion_app.operations.world import FIXED, Purchase, World, card_file, found, set_account

SECOND = "till-2017-01-31-2.csv"
MEMBERS = ("1001", "1002", "1003")


def with_lots(world: World, given: RuleGiven) -> None:
    books.open_accounts(book=world.points, openings=[AccountOpening("breakage", "breakage", "income")], caller=world.caller())
    lot_rules.set_rule(book=world.points, role="points", given=given, caller=world.caller(world.finance))


def second(world: World, *records: Purchase) -> Batch:
    return world.validate(world.receive(card_file(records, sequence=2), name=SECOND))


def take(slip: str, amount: str, *, member: str = "1001", day: int = 20) -> Purchase:
    return FIXED._replace(member=member, slip=slip, amount=amount, bought_at=f"2017-01-{day:02}T10:00:00Z")


@pytest.fixture
def lots(world: World) -> World:
    with_lots(world, RuleGiven(expiry="days", validity=5, breakage="breakage"))
    world.register("2001")
    return world


@pytest.mark.django_db
def test_a_refund_of_expired_points_is_a_finding_of_its_record(lots: World) -> None:
    lots.applied(card_file([take("g", "10000", member="2001", day=1)]))
    batch = second(lots, take("t", "-5000", member="2001"))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.lots_short"])
    assert Finding.objects.get(batch=batch).line == 2


@pytest.mark.django_db
def test_a_grant_under_a_rule_that_is_over_is_a_finding(world: World) -> None:
    with_lots(world, RuleGiven(expiry="fixed", fixed_on=date(2017, 1, 15), breakage="breakage"))
    world.register("2001")
    batch = second(world, take("g", "10000", member="2001"))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.lot_invalid"])


@pytest.mark.django_db
def test_one_members_floor_is_set_aside_and_the_others_go_on(world: World) -> None:
    world.load(set_aside=1)
    batch = second(world, take("a", "-100"), take("b", "100"), take("c", "500", member="1002"))
    assert (batch.state, batch.set_aside_count, batch.set_aside_sum) == ("validated", 1, -100)
    assert [*batch.findings.values_list("rule", "line")] == [("ledger.floor_broken", 2)]
    assert [*batch.records.order_by("line").values_list("status", flat=True)] == ["set_aside", "planned", "planned"]
    assert world.apply(world.approve(batch)).stopped == {}
    assert breaches(world) == []


@pytest.mark.django_db
def test_of_several_that_take_too_much_each_is_judged_without_those_before(world: World) -> None:
    """500, of which 400 and 300 are too much together: the 300 is left out, and the last 100 is there."""
    world.load(set_aside=3)
    batch = second(world, take("a", "50000"), take("b", "-40000"), take("c", "-30000"), take("d", "-10000"))
    assert [*batch.findings.values_list("rule", "line")] == [("ledger.floor_broken", 4)]
    assert world.apply(world.approve(batch)).stopped == {}
    assert breaches(world) == []


@pytest.mark.django_db
def test_a_key_that_stands_for_something_else_rejects_the_file_whatever_may_be_set_aside(world: World) -> None:
    """Which of the two is right is for a person to say: set aside, the record would be gone."""
    world.load(set_aside=5)
    world.applied(card_file([FIXED]))
    for changed in (
        FIXED._replace(member="1002"),
        FIXED._replace(amount="-150"),
        FIXED._replace(amount="151"),
        FIXED._replace(shop="32"),
        FIXED._replace(bought_at="2017-01-06T10:00:00Z"),
    ):
        batch = second(world, changed)
        assert (batch.state, found(batch)) == ("rejected", ["ledger.reference_exists_differs"]), changed
        assert batch.findings.first().facts["batch"] == Batch.objects.earliest("id").pk
        world.withdraw(batch)


@pytest.mark.django_db
def test_the_same_in_every_field_is_said_to_be_the_same(world: World) -> None:
    world.load(set_aside=1)
    first = world.applied(card_file([FIXED]))
    batch = second(world, FIXED, take("other", "500"))
    assert (batch.state, found(batch), batch.set_aside_count) == ("validated", ["ledger.reference_exists_same"], 1)
    assert batch.findings.first().facts["batch"] == first.pk


@pytest.mark.django_db
def test_the_rounds_of_judging_say_what_one_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.load(set_aside=20, chunk_records=2)
    records = [
        take(f"{member}{number}", amount, member=member)
        for number, amount in enumerate(["20000", "-15000", "-10000", "10000", "-15000"])
        for member in MEMBERS
    ]
    whole = second(world, *records)
    said = [*whole.findings.order_by("line").values_list("line", "rule")]
    monkeypatch.setattr(judging, "RECORDS_A_ROUND", 3)
    world.validate(whole)
    assert [*whole.findings.order_by("line").values_list("line", "rule")] == said
    assert len(said) == 3


def drafts_of(world: World, record: Purchase) -> Iterator[Draft]:
    """Return what a record posts, made by hand after the source's definition: the test's own reading of it."""
    amount = int(record.amount)
    on = date.fromisoformat(record.bought_at[:10])
    accounts = {account.code: account.pk for account in Account.objects.all()}
    card = (accounts[f"receivable.{record.member}"], amount), (accounts[f"settlement.{record.shop}"], -amount)
    points = abs(amount) // 100 * (1 if amount > 0 else -1)
    earned = (accounts["programme.expense"], points), (accounts[f"points.{record.member}"], -points)
    name = f"till:{record.slip}"
    if amount:
        text = f"Purchase at shop {record.shop}, slip {record.slip}"
        yield Draft(world.card.pk, on, name, text, card if amount > 0 else card[::-1])
    if points:
        yield Draft(world.points.pk, on, name, f"Points for slip {record.slip}", earned if points > 0 else earned[::-1])


def posted_one_by_one(world: World, records: list[Purchase]) -> dict[int, set[str]]:
    """Post record by record, as a person would who leaves out what is refused; return the refusals by line. The ledger is left as it was."""
    refused: dict[int, set[str]] = {}
    with transaction.atomic():
        for line, record in enumerate(records, start=2):
            drafts = [*drafts_of(world, record)]
            origin = entries.Origin(Posting.Origin.CHUNK, 10**6 + line)
            try:
                with transaction.atomic():
                    before = entries.post(drafts=drafts, origin=origin, caller=world.caller()) if drafts else None
                    if before is not None and before.replayed_count:
                        raise Refused([])
            except Refused as refusal:
                refused[line] = {rule_of(reason) for reason in refusal.reasons} or {"ledger.reference_exists_same"}
        transaction.set_rollback(True)
    return refused


AMOUNTS = st.sampled_from(["0", "50", "100", "300", "1000", "-50", "-100", "-300", "-700", "-1000"])
RECORD = st.builds(
    lambda member, shop, amount, day: (member, shop, amount, day),
    st.sampled_from(MEMBERS),
    st.sampled_from(worlds.SHOPS),
    AMOUNTS,
    st.sampled_from([1, 5, 10, 20, 31]),
)
OBSTACLES = st.sets(st.sampled_from(["suspended", "shop", "closed_month", "lots", "same", "other", "reversed"]), max_size=3)


def purchases(rows: list[tuple[str, str, str, int]], prefix: str) -> list[Purchase]:
    return [
        Purchase(member, shop, f"{prefix}{place}", amount, f"2017-01-{day:02}T10:00:00Z")
        for place, (member, shop, amount, day) in enumerate(rows)
    ]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(RECORD, max_size=5), rows=st.lists(RECORD, min_size=1, max_size=8), obstacles=OBSTACLES)
@pytest.mark.django_db(transaction=True)
def test_what_passes_posts_and_what_is_refused_is_refused_for_the_same_reason(
    files_dir: Path, transactional_db: None, before: list, rows: list, obstacles: set[str]
) -> None:
    with transaction.atomic():
        _hold_against_each_other(worlds.build(files_dir, chunk_records=3, set_aside=20), before, rows, obstacles)
        transaction.set_rollback(True)


def _hold_against_each_other(world: World, before: list, rows: list, obstacles: set[str]) -> None:
    raise NotImplementedError
