"""A plan is approved with the rules of lots that it was made under; under others nothing of it is posted."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion_app.deciding.queries import planned_rules
from ingestion_app.formats import toml
from ingestion_app.models import Batch
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.errors import Refused
from ledger_app.models import Account, Lot
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.support import world as worlds
from tests.support.world import Purchase, World, card_file, codes, set_account

pytestmark = pytest.mark.django_db

RULE = {"expiry": "days", "validity": 25, "breakage": "breakage"}
FILE = card_file([Purchase("1001", "31", "s1", "10000"), Purchase("1002", "31", "s2", "10000")])
OTHERS: dict[str, dict[str, Any]] = {
    "validity": RULE | {"validity": 26},
    "expiry": RULE | {"expiry": "months", "validity": 25},
    "a fixed day": {"expiry": "fixed", "fixed_on": date(2018, 1, 1), "breakage": "breakage"},
    "order": RULE | {"order": "oldest_first"},
    "kind": RULE | {"kind": "paid"},
    "breakage": RULE | {"breakage": "breakage.other"},
}


def set_rule(world: World, given: dict[str, Any], role: str = "points") -> None:
    lot_rules.set_rule(book=world.points, role=role, given=RuleGiven(**given), caller=world.caller(world.superuser))


@pytest.fixture
def world(db, files_dir) -> World:
    world = worlds.build(files_dir)
    openings = [AccountOpening(code, "breakage", "income") for code in ("breakage", "breakage.other")]
    books.open_accounts(book=world.points, openings=openings, caller=world.caller())
    set_rule(world, RULE)
    Account.objects.filter(book=world.points, role="points").update(keeps_lots=True)
    world.load(chunk_records=1)
    return world


def refused(call) -> list[str]:
    with pytest.raises(Refused) as refusal:
        call()
    return codes(refusal.value.reasons)


@pytest.mark.parametrize("what", OTHERS)
def test_a_rule_that_is_another_since_the_validation_voids_the_plan(world: World, what: str) -> None:
    batch = world.validated(FILE)
    set_rule(world, OTHERS[what])
    assert refused(lambda: world.approve(batch)) == ["plan_moved"]
    again = world.approve(world.validate(batch, version=batch.version))
    set_rule(world, RULE)
    assert refused(lambda: world.apply(again)) == ["plan_moved"]
    assert not Lot.objects.exists()


@pytest.mark.parametrize("what", OTHERS)
def test_a_rule_that_is_another_since_applying_began_stops_what_is_left_until_it_is_put_back(world: World, what: str) -> None:
    batch = world.approved(FILE)
    world.begin(batch)
    set_rule(world, OTHERS[what])
    done = world.apply(batch)
    assert (done.batch.state, {code for each in done.stopped.values() for code in codes(each)}) == (
        "applying",
        {"lot_rule_moved"},
    )
    assert not Lot.objects.exists()
    set_rule(world, RULE)
    assert world.apply(Batch.objects.get(pk=batch.pk)).batch.state == "applied"
    assert Lot.objects.count() == 2


def test_a_rule_that_no_record_posts_under_voids_nothing(world: World) -> None:
    batch = world.validated(FILE)
    set_rule(world, RULE, role="gifts")
    assert world.apply(world.approve(batch)).batch.state == "applied"


def test_a_rule_that_was_not_there_is_another(world: World) -> None:
    batch = world.validated(FILE)
    with connection.cursor() as cursor:
        # As where the plan was made before the first rule.
        cursor.execute("UPDATE ingestion_app_batch SET lot_rules = '{\"POINTS\": {}}' WHERE id = %s", [batch.pk])
    assert refused(lambda: world.approve(Batch.objects.get(pk=batch.pk))) == ["plan_moved"]


def test_the_digest_of_a_plan_covers_the_rules(world: World) -> None:
    batch = world.approved(FILE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ingestion_app_batch SET lot_rules = NULL WHERE id = %s", [batch.pk])
    assert refused(lambda: world.apply(Batch.objects.get(pk=batch.pk))) == ["plan_damaged", "plan_moved"]


def test_a_plan_that_does_not_say_its_rules_is_made_again(world: World) -> None:
    """As one from before plans kept them."""
    batch = world.validated(FILE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ingestion_app_batch SET lot_rules = NULL WHERE id = %s", [batch.pk])
    assert refused(lambda: world.approve(Batch.objects.get(pk=batch.pk))) == ["plan_moved"]
    batch = world.validate(batch)
    assert world.apply(world.approve(batch)).batch.state == "applied"


@pytest.mark.parametrize("is_applied", [True, False])
def test_a_batch_that_a_rule_stops_can_be_ended_by_a_person_whatever_is_applied_of_it(world: World, is_applied: bool) -> None:
    batch = world.approved(FILE)
    world.begin(batch)
    if is_applied:
        shut = Account.objects.get(holder=batch.records.get(key="s2").holder_id, book=world.card)
        set_account(shut.code, "suspended")
        assert world.apply(batch).stopped
        set_account(shut.code, "open")
    set_rule(world, OTHERS["kind"])
    assert world.apply(batch).stopped
    world.pause(batch)
    ended = world.leave(batch) if is_applied else world.withdraw(batch)
    assert (ended.state, Lot.objects.count()) == (("applied", 1) if is_applied else ("withdrawn", 0))


def test_a_rule_is_put_back_though_its_breakage_account_was_closed_since(world: World) -> None:
    batch = world.approved(FILE)
    world.begin(batch)
    set_rule(world, OTHERS["breakage"])
    assert world.apply(batch).stopped
    Account.objects.filter(book=world.points, code="breakage").update(state="closed")
    set_rule(world, RULE)
    assert world.apply(Batch.objects.get(pk=batch.pk)).batch.state == "applied"


@pytest.mark.parametrize(
    ("side", "roles"),
    [
        ('{ role = "points" }', {"points"}),
        ('{ code = "fixed" }', {"gifts"}),
        ('{ code = "gift.{member}" }', {"points", "gifts", "others"}),
        ('{ reason = "slip" }', {"points", "gifts", "others"}),
    ],
)
def test_the_rules_of_every_role_to_which_a_record_may_post_are_kept(world: World, side: str, roles: set[str]) -> None:
    for role in ("gifts", "others"):
        set_rule(world, RULE, role=role)
    books.open_accounts(book=world.points, openings=[AccountOpening("fixed", "gifts", "liability")], caller=world.caller())
    text = worlds.definition().replace('credit = { role = "points" }', f"credit = {side}")
    definition = toml.parse(text)
    with CaptureQueriesContext(connection) as asked:
        found = planned_rules.now(definition, {"POINTS": world.points, "CARD": world.card})
    assert (set(found["POINTS"]), found["CARD"]) == (roles, {})
    assert len(asked) <= 2
