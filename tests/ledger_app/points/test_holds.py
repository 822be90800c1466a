"""Holds reserve lots, and are resolved at most once."""

from datetime import date, timedelta
from functools import partial

import pytest

from ledger_app import errors
from ledger_app.books.operations import accounts
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.models import AuditRow, Entry, Hold, OpenLot
from ledger_app.points.operations import holds
from ledger_app.posting.rules.lots import Grant, Named
from tests.support import kept, lot_samples, samples
from tests.support.lot_samples import at

pytestmark = pytest.mark.django_db
NOON = at(2017, 1, 12)


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 60, on=date(2017, 1, 5))
    found.gain("g-2", 40, on=date(2017, 1, 10))
    return found


@pytest.fixture
def till(make_user, caller_of):
    user = make_user("till-1", "till")
    return lambda when=NOON: caller_of(user, at=when, door="api")


def wanted(points, amount=70, *, reference="h-1", hours=1, who="M1", to="programme", start=NOON):
    ends = start + timedelta(hours=hours)
    return holds.Wanted(points.accounts[who].pk, points.accounts[to].pk, amount, reference, ends)


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def held():
    return list(OpenLot.objects.order_by("lot_id").values_list("remaining", "held"))


def test_a_hold_reserves_lots_in_the_order_of_spending(points, till):
    hold, is_new = holds.place(wanted=wanted(points), caller=till())
    assert is_new
    assert held() == [(60, 60), (40, 10)]
    assert refused(lambda: points.post(points.draft("s-1", -31), at=NOON)) == ["lots_short"]
    points.post(points.draft("s-2", -30), at=NOON)
    assert points.breaches() == []
    assert list(AuditRow.objects.filter(subject_type="hold", subject_id=hold.pk).values_list("action", flat=True)) == ["place"]


def test_the_same_hold_again_is_the_one_that_is_there_and_another_is_refused(points, till):
    first, _new = holds.place(wanted=wanted(points), caller=till())
    assert holds.place(wanted=wanted(points), caller=till(NOON + timedelta(minutes=1))) == (first, False)
    assert refused(lambda: holds.place(wanted=wanted(points, 71), caller=till())) == ["hold_conflict"]
    assert Hold.objects.count() == 1


def test_a_till_is_not_told_of_another_s_hold_that_it_is_its_own(points, till, finance, make_user, caller_of):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    other = caller_of(make_user("till-2", "till"), at=NOON, door="api")
    assert refused(lambda: holds.place(wanted=wanted(points), caller=other)) == ["hold_conflict"]
    holds.settle(hold_id=hold.pk, amount=70, effective_on=None, caller=till())
    again = partial(holds.settle, hold_id=hold.pk, amount=70, effective_on=None)
    # Told that it is settled, it would hand over goods that nobody paid.
    assert refused(partial(again, caller=other)) == ["wrong_state", "hold_of_other"]
    assert again(caller=caller_of(finance, at=NOON)).state == "settled"


def test_a_part_is_settled_out_of_the_lots_that_are_held_and_the_rest_let_go(points, till):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    points.post(points.draft("g-3", 5, on=date(2017, 1, 3)), at=NOON)
    settled = holds.settle(hold_id=hold.pk, amount=65, effective_on=None, caller=till())
    assert (settled.state, settled.settled_amount, settled.settled_on) == ("settled", 65, date(2017, 1, 12))
    assert held() == [(35, 0), (5, 0)]
    entry = Entry.objects.get(reference=f"hold:{hold.pk}")
    assert (entry.effective_on, entry.posting.origin_kind, entry.posting.origin_id) == (date(2017, 1, 12), "hold", hold.pk)
    assert points.uses(entry.reference) == [60, 5]
    assert points.breaches() == []


def test_a_hold_is_resolved_once(points, till):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    first = holds.settle(hold_id=hold.pk, amount=70, effective_on=None, caller=till())
    assert holds.settle(hold_id=hold.pk, amount=70, effective_on=None, caller=till()).version == first.version
    assert refused(lambda: holds.settle(hold_id=hold.pk, amount=69, effective_on=None, caller=till())) == [
        "hold_settled_otherwise"
    ]
    assert refused(lambda: holds.release(hold_id=hold.pk, reason="Too late", caller=till())) == ["wrong_state"]
    assert Entry.objects.filter(reference__startswith="hold:").count() == 1


@pytest.mark.parametrize("amount", [70, 69])
def test_whoever_may_not_settle_is_refused_of_a_settled_hold_too(points, till, support, caller_of, amount):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    holds.settle(hold_id=hold.pk, amount=70, effective_on=None, caller=till())
    stranger = caller_of(support, at=NOON)
    codes = refused(lambda: holds.settle(hold_id=hold.pk, amount=amount, effective_on=None, caller=stranger))
    assert set(codes) == {"wrong_state", "not_permitted"}


@pytest.mark.parametrize("amount", [0, -1, 71])
def test_no_more_is_settled_than_is_held_and_no_less_than_one(points, till, amount):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    assert refused(lambda: holds.settle(hold_id=hold.pk, amount=amount, effective_on=None, caller=till())) == ["hold_exceeded"]
    assert held() == [(60, 60), (40, 10)]


def test_support_releases_a_hold_with_a_reason_and_an_engineer_does_not(points, till, support, engineer, caller_of):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    assert refused(lambda: holds.release(hold_id=hold.pk, reason="Asked to", caller=caller_of(engineer, at=NOON))) == [
        "not_permitted",
        "hold_of_other",
    ]
    assert refused(lambda: holds.release(hold_id=hold.pk, reason="", caller=caller_of(support, at=NOON))) == ["reason_required"]
    released = holds.release(hold_id=hold.pk, reason="The member asked.", caller=caller_of(support, at=NOON))
    assert (released.state, held()) == ("released", [(60, 0), (40, 0)])
    assert refused(lambda: holds.place(wanted=wanted(points, reference="h-2"), caller=caller_of(support))) == ["not_permitted"]
    assert points.breaches() == []


def test_a_hold_ends_by_itself_when_its_account_is_next_touched(points, till):
    hold, _new = holds.place(wanted=wanted(points), caller=till())
    later = NOON + timedelta(hours=1)
    assert refused(lambda: holds.settle(hold_id=hold.pk, amount=1, effective_on=None, caller=till(later))) == ["hold_over"]
    points.post(points.draft("s-1", -100), at=later)
    assert Hold.objects.get().state == "expired"
    assert points.open() == []
    assert points.breaches() == []


def test_holds_that_are_over_are_swept(points, till):
    holds.place(wanted=wanted(points, 10), caller=till())
    holds.place(wanted=wanted(points, 10, reference="h-2", hours=9), caller=till())
    assert holds.sweep(caller=samples.machine_caller(NOON)) == 0
    assert holds.sweep(caller=samples.machine_caller(NOON + timedelta(hours=2))) == 1
    assert set(Hold.objects.values_list("reference", "state")) == {("h-1", "expired"), ("h-2", "open")}
    assert held() == [(60, 10), (40, 0)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": 0}, "hold_invalid"),
        ({"hours": 0}, "hold_invalid"),
        ({"who": "breakage"}, "account_without_lots"),
        ({"to": "M1"}, "account_in_other_book"),
        ({"reference": "two words"}, "reference_invalid"),
        ({"amount": 101}, "lots_short"),
    ],
)
def test_what_cannot_be_held_is_refused_by_name(points, till, change, code):
    assert refused(lambda: holds.place(wanted=wanted(points, **change), caller=till())) == [code]
    assert Hold.objects.count() == 0


def test_what_is_held_can_be_settled_after_its_day_and_is_dated_on_it(points, till):
    points.gain("g-3", 30, on=date(2017, 1, 3), who="M2", lots=Named(grants=(Grant("free", 30, date(2017, 1, 12)),)))
    hold, _new = holds.place(wanted=wanted(points, 30, who="M2", hours=48), caller=till())
    settled = holds.settle(hold_id=hold.pk, amount=20, effective_on=None, caller=till(at(2017, 1, 13)))
    assert settled.settled_on == Entry.objects.get(reference=f"hold:{hold.pk}").effective_on == date(2017, 1, 12)
    assert points.open("M2") == [("free", 10, "2017-01-12")]
    assert points.breaches() == []


def test_an_account_that_owes_what_it_has_left_is_neither_merged_nor_closed(till, support, finance, caller_of):
    """Nothing would move of a balance of zero, and what is left could never expire: the period would never freeze."""
    points = lot_samples.open_points(samples.machine_caller(), floor=None)
    points.gain("g-1", 100, on=date(2017, 1, 5))
    hold, _new = holds.place(wanted=wanted(points, 100, hours=1000), caller=till())
    points.gain("s-1", -100)
    holds.release(hold_id=hold.pk, reason="Not bought.", caller=till())
    assert (points.balance(), len(points.open())) == (0, 2)

    account, other = points.accounts["M1"], points.accounts["M2"]

    def close():
        return accounts.change(account_id=account.pk, name="close", reason="Asked for.", caller=caller_of(finance, at=NOON))

    assert refused(close) == ["lots_not_set_off"]

    def merge():
        gone, stays = account.holder_id, other.holder_id
        assert gone is not None
        assert stays is not None
        return merges.propose(
            merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One."), caller=caller_of(support, at=NOON)
        )

    assert refused(merge) == ["lots_not_set_off"]
    # Any entry sets the one off against the other.
    points.gain("g-2", 1)
    points.gain("s-2", -1)
    assert (points.open(), close().state) == ([], "closed")
    assert points.breaches() == []
