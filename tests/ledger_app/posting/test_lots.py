"""``post`` makes lots of grants, takes spends out of them, and gives back what is reversed."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from ledger_app import errors
from ledger_app.models import Account, Lot, OpenLot
from ledger_app.points.operations.lot_rules import RuleGiven, set_rule
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.lots import Grant, Named, Taking
from tests.support import kept, lot_samples, samples

pytestmark = pytest.mark.django_db


@kept.fixture
def points(_folder):
    return lot_samples.open_points(samples.machine_caller())


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def test_a_grant_makes_a_lot_and_a_spend_takes_the_earliest_first(points):
    points.gain("g-1", 100, on=date(2017, 1, 10))
    points.gain("g-2", 50, on=date(2017, 1, 5))
    points.gain("s-1", -70)
    assert points.open() == [("free", 80, "2017-01-30")]
    assert points.uses("s-1") == [50, 20]
    assert points.breaches() == []


def test_what_a_draft_says_of_its_lots_goes_before_the_rule(points):
    given = Named(grants=(Grant("paid", 30, None), Grant("free", 70, date(2017, 1, 31))))
    points.gain("g-1", 100, lots=given)
    assert points.open() == [("paid", 30, None), ("free", 70, "2017-01-31")]
    assert refused(lambda: points.gain("g-2", 99, lots=given)) == ["lots_unequal"]
    assert refused(lambda: points.gain("g-3", 5, lots=Named(grants=(Grant("paid", 5, date(2017, 1, 9)),)))) == ["lot_invalid"]


def test_a_spend_on_a_day_leaves_what_was_due_before_it(points):
    points.gain("g-1", 100)
    assert refused(lambda: points.gain("s-1", -10, on=date(2017, 1, 31))) == ["lots_short"]
    points.gain("s-2", -10, on=date(2017, 1, 30))
    assert points.open() == [("free", 90, "2017-01-30")]


def test_reversing_a_spend_restores_the_same_lots(points):
    points.gain("g-1", 100)
    points.gain("g-2", 100, on=date(2017, 1, 12))
    before = list(OpenLot.objects.order_by("lot_id").values_list("lot_id", "remaining", "due_on"))
    points.gain("s-1", -150, on=date(2017, 1, 12))
    points.reverse("s-1")
    assert list(OpenLot.objects.order_by("lot_id").values_list("lot_id", "remaining", "due_on")) == before
    assert points.uses("reversal of s-1") == [-100, -50]
    assert points.breaches() == []


def test_what_comes_back_after_its_day_is_due_on_the_day_it_comes_back(points):
    points.gain("g-1", 100)
    points.gain("s-1", -100)
    points.reverse("s-1", on=date(2017, 2, 3))
    assert points.open() == [("free", 100, "2017-02-03")]
    assert points.breaches() == []


def test_what_comes_back_does_not_mix_with_what_was_due_and_is_not_expired(points):
    points.gain("g-1", 100)
    points.gain("s-1", -40)
    assert refused(lambda: points.reverse("s-1", on=date(2017, 2, 3))) == ["lots_due"]


def test_reversing_a_grant_takes_its_own_lot_first_then_others(points):
    points.gain("g-1", 50)
    points.gain("g-2", 100, on=date(2017, 1, 12))
    points.gain("g-3", 40, on=date(2017, 1, 12))
    points.gain("s-1", -90, on=date(2017, 1, 12))
    points.reverse("g-2")
    assert points.uses("reversal of g-2") == [60, 40]
    assert points.open() == []
    assert points.breaches() == []


@pytest.mark.parametrize("floor", [None, -100])
def test_below_zero_is_a_deficit_that_the_next_grant_pays_off(db, floor):
    points = lot_samples.open_points(samples.machine_caller(), floor=floor)
    points.gain("g-1", 30)
    points.gain("s-1", -80)
    assert points.open() == [("deficit", -50, None)]
    points.gain("g-2", 70)
    assert points.open() == [("free", 20, "2017-01-30")]
    points.reverse("g-2")
    assert points.open() == [("deficit", -50, None)]
    points.reverse("s-1")
    assert points.open() == [("free", 30, "2017-01-30")]
    assert points.breaches() == []


def test_deficits_go_no_further_than_the_floor_when_all_that_is_due_has_gone(db):
    points = lot_samples.open_points(samples.machine_caller(), floor=-20)
    points.gain("g-1", 100)
    points.gain("s-1", -20, on=date(2017, 2, 1))
    assert refused(lambda: points.gain("s-2", -1, on=date(2017, 2, 1))) == ["lots_short"]
    assert points.breaches() == []


def test_lots_that_move_keep_kind_and_days(points):
    points.gain("g-1", 60, lots=Named(grants=(Grant("paid", 60, date(2017, 3, 3)),)))
    points.gain("g-2", 40)
    one, other = points.accounts["M1"].pk, points.accounts["M2"].pk
    move = Draft(points.book.pk, date(2017, 1, 15), "m-1", "", ((one, 100), (other, -100)), moves_lots=True)
    points.post(move)
    assert points.open("M1") == []
    assert sorted(points.open("M2")) == [("free", 40, "2017-01-30"), ("paid", 60, "2017-03-03")]
    assert set(Lot.objects.filter(account=other).values_list("granted_on", flat=True)) == {date(2017, 1, 10)}
    points.reverse("m-1", on=date(2017, 1, 16))
    assert points.open("M2") == []
    assert points.balance("M1") == 100
    assert points.breaches() == []


def test_lots_move_between_accounts_that_keep_them_only(points):
    points.gain("g-1", 60)
    one, other = points.accounts["M1"].pk, points.accounts["programme"].pk
    move = Draft(points.book.pk, date(2017, 1, 15), "m-1", "", ((one, 60), (other, -60)), moves_lots=True)
    assert refused(lambda: points.post(move)) == ["lots_not_moved"]


def test_named_takings_that_are_not_there_are_refused(points):
    points.gain("g-1", 60)
    lot = Lot.objects.get()
    assert refused(lambda: points.gain("s-1", -70, lots=Named(takings=(Taking(lot.pk, 70),)))) == ["floor_broken"]
    assert refused(lambda: points.gain("s-2", -50, lots=Named(takings=(Taking(lot.pk, 40),)))) == ["lots_unequal"]
    assert refused(lambda: points.gain("s-3", -50, lots=Named(takings=(Taking(lot.pk + 1, 50),)))) == ["lots_differ"]
    points.gain("s-4", -50, lots=Named(takings=(Taking(lot.pk, 50),)))
    assert points.open() == [("free", 10, "2017-01-30")]


def test_drafts_of_one_call_are_decided_one_after_the_other(points):
    points.post(points.draft("g-1", 100), points.draft("s-1", -30), points.draft("s-2", -30), points.draft("g-2", 5, who="M2"))
    assert points.open() == [("free", 40, "2017-01-30")]
    assert points.post(points.draft("g-1", 100)).replayed_count == 1
    assert points.breaches() == []


@pytest.mark.parametrize("table", ["lot", "lotuse"])
@pytest.mark.parametrize("statement", ["UPDATE ledger_app_{0} SET amount = amount + 1", "DELETE FROM ledger_app_{0}"])
def test_the_database_refuses_that_a_lot_or_its_use_changes(points, table, statement):
    points.gain("g-1", 100)
    points.gain("s-1", -10)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_an_account_with_lines_keeps_lots_or_not_for_ever(points):
    points.gain("g-1", 100)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Account.objects.filter(code="M1").update(keeps_lots=False)
    assert Account.objects.filter(code="M2").update(keeps_lots=False) == 1


@pytest.mark.parametrize(
    "given",
    [
        RuleGiven("weeks", "breakage", validity=3),
        RuleGiven("days", "breakage"),
        RuleGiven("months", "breakage", validity=0),
        RuleGiven("never", "breakage", validity=1),
        RuleGiven("fixed", "breakage"),
        RuleGiven("never", "breakage", order="newest"),
    ],
)
def test_a_rule_that_does_not_say_when_lots_expire_is_refused(points, given, finance, caller_of):
    assert refused(lambda: set_rule(book=points.book, role="gifts", given=given, caller=caller_of(finance))) == [
        "lot_rule_invalid"
    ]


def test_finance_alone_changes_a_rule(points, finance, engineer, caller_of):
    given = RuleGiven("never", "breakage")
    assert refused(lambda: set_rule(book=points.book, role="points", given=given, caller=caller_of(engineer))) == [
        "not_permitted"
    ]
    assert refused(lambda: set_rule(book=points.book, role="points", given=given, caller=points.caller)) == [
        "definition_conflict"
    ]
    kept = set_rule(book=points.book, role="points", given=given, caller=caller_of(finance))
    assert [line.expiry for line in kept.row.history.order_by("history_id")] == ["days", "never"]
    points.gain("g-1", 1)
    assert points.open() == [("free", 1, None)]


def test_a_posting_that_takes_more_lots_than_it_has_places_for_is_refused(db, monkeypatch):
    points = lot_samples.open_points(samples.machine_caller())
    for day in (3, 4, 5):
        points.gain(f"g-{day}", 10, on=date(2017, 1, day))
    with monkeypatch.context() as patched:
        patched.setattr(entries, "PLACES", 2)
        with pytest.raises(errors.Refused) as refused:
            points.gain("s-1", -30, on=date(2017, 1, 12))
    assert [reason.code for reason in refused.value.reasons] == ["posting_too_large"]
    assert (points.balance(), points.breaches()) == (30, [])
