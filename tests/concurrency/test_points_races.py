"""Two at once on a member's lots: with the locks one order comes out; with a lock stubbed out, the race that it prevents appears."""

from datetime import date

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from ledger_app import locks
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Entry, Hold, OpenLot, User
from ledger_app.points.operations import expiry, holds
from ledger_app.points.queries import holds as hold_rows
from ledger_app.posting.operations import lots
from ledger_app.posting.rules import posting
from tests.concurrency.test_ledger_races import Meeting, at_once, code_of, single_try, unlocked_row, without_locks
from tests.support import lot_samples, samples
from tests.support.lot_samples import at

__all__ = ["single_try"]
pytestmark = pytest.mark.django_db(transaction=True)
NOON = at(2017, 1, 25)


@pytest.fixture
def points():
    """100, due on 25 January."""
    found = lot_samples.open_points(samples.machine_caller(NOON))
    found.gain("g-1", 100, on=date(2017, 1, 5))
    return found


@pytest.fixture
def till():
    user = User.objects.create_user(username="till-1")
    user.groups.add(Group.objects.get(name="till"))
    return Caller(user=user, at=NOON, door="api")


def spend(points, amount=60):
    return lambda: points.post(points.draft("s-1", -amount, on=date(2017, 1, 25)), at=NOON)


def place(points, till, amount=60):
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, amount, "h-1", at(2017, 5, 1))
    return lambda: holds.place(wanted=wanted, caller=till)


def expire(points):
    caller = Caller(points.caller.user, at(2017, 1, 27), "command")
    return lambda: expiry.expire(book=points.book, through=date(2017, 1, 25), caller=caller)


def settle(till, amount=60):
    hold = Hold.objects.get()
    return lambda: holds.settle(hold_id=hold.pk, amount=amount, effective_on=None, caller=till)


def release(till):
    hold = Hold.objects.get()
    return lambda: holds.release(hold_id=hold.pk, reason="Not bought.", caller=till)


def left():
    return list(OpenLot.objects.values_list("remaining", "held"))


def test_an_expiry_takes_what_a_spend_has_left(points, monkeypatch):
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))
    spent, expired = at_once(spend(points), expire(points))
    assert expired.entry_count == 1
    assert code_of(spent) in {"Posted", "floor_broken"}
    assert expired.amount == (40 if code_of(spent) == "Posted" else 100)
    assert (left(), points.breaches()) == ([], [])


@pytest.mark.mariadb
def test_without_the_lock_an_expiry_and_a_spend_believe_in_the_same_lot(points, monkeypatch, single_try):
    without_locks(monkeypatch)
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))
    outcomes = at_once(spend(points), expire(points))
    # Both wrote; the schema undid one of them.
    assert sorted(map(code_of, outcomes)) in (["Expired", "try_again"], ["Posted", "try_again"])
    assert points.breaches() == []


def test_of_a_hold_and_a_spend_that_want_the_same_one_is_refused(points, till, monkeypatch):
    meeting = Meeting()
    monkeypatch.setattr(posting, "decide", meeting.before(posting.decide))
    monkeypatch.setattr(lots, "reserve", meeting.before(lots.reserve))
    spent, held = map(code_of, at_once(spend(points), place(points, till)))
    assert (spent, held) in {("Posted", "lots_short"), ("lots_short", "tuple")}
    assert points.breaches() == []


@pytest.mark.mariadb
def test_without_the_lock_a_hold_and_a_spend_believe_in_the_same_lot(points, till, monkeypatch, single_try):
    without_locks(monkeypatch)
    meeting = Meeting()
    monkeypatch.setattr(posting, "decide", meeting.before(posting.decide))
    monkeypatch.setattr(lots, "reserve", meeting.before(lots.reserve))
    outcomes = sorted(map(code_of, at_once(spend(points), place(points, till))))
    # What each changes names what it believes was there: the second finds that it is not.
    assert "written_differs" in outcomes
    assert points.breaches() == []


def test_a_hold_is_settled_once_by_two_at_once(points, till, monkeypatch):
    place(points, till)()
    monkeypatch.setattr(hold_rows, "facts", Meeting().after(hold_rows.facts))
    outcomes = at_once(settle(till), settle(till))
    assert sorted(map(code_of, outcomes)) in (["Hold", "Hold"], ["Hold", "wrong_state"])
    assert Entry.objects.filter(reference__startswith="hold:").count() == 1
    assert (left(), points.breaches()) == ([(40, 0)], [])


@pytest.mark.mariadb
def test_without_the_lock_two_settlements_meet_on_the_origin_of_their_posting(points, till, monkeypatch, single_try):
    place(points, till)()
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    without_locks(monkeypatch)
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))
    outcomes = sorted(map(code_of, at_once(settle(till), settle(till))))
    assert outcomes == ["Hold", "try_again"]
    assert Entry.objects.filter(reference__startswith="hold:").count() == 1
    assert points.breaches() == []


def test_a_hold_is_settled_or_released_never_both(points, till, monkeypatch):
    place(points, till)()
    monkeypatch.setattr(hold_rows, "facts", Meeting().after(hold_rows.facts))
    outcomes = list(map(code_of, at_once(settle(till), release(till))))
    assert sorted(outcomes) == ["Hold", "wrong_state"]
    settled = outcomes[0] == "Hold"
    assert left() == ([(40, 0)] if settled else [(100, 0)])
    assert points.breaches() == []


@pytest.mark.mariadb
def test_without_the_lock_a_settlement_and_a_release_let_go_twice_and_one_is_undone(points, till, monkeypatch, single_try):
    place(points, till)()
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    without_locks(monkeypatch)
    meeting = Meeting()
    monkeypatch.setattr(posting, "decide", meeting.before(posting.decide))
    monkeypatch.setattr(lots, "unhold", meeting.before(lots.unhold))
    outcomes = at_once(settle(till), release(till))
    assert sum(code_of(outcome) == "Hold" for outcome in outcomes) == 1
    # Not a refusal with a reason: the checks of the schema, or what a change names as having been there.
    assert {code_of(outcome) for outcome in outcomes} - {"Hold"} <= {
        "stale",
        "written_differs",
        "database",
        "try_again",
        "row_refused",
    }
    assert points.breaches() == []


@pytest.mark.mariadb
def test_whoever_ends_holds_waits_for_nobody_who_settles_one(points, till):
    place(points, till)()
    later = Caller(points.caller.user, at(2017, 6, 1), "task")

    def sweep():
        return transactions.run(lambda: len(list(locks.free_rows(Hold.objects.filter(state="open")))))

    with transaction.atomic():
        Hold.objects.select_for_update().get()
        (seen,) = at_once(sweep)
    assert seen == 0
    assert holds.sweep(caller=later) == 1
