"""Points have an order in time, whatever the order in which entries come: floors at the close of every day, lots within their days."""

from datetime import date

import pytest

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest
from ledger_app.models import Balance, Entry, Lot, Merge
from ledger_app.points.operations import expiry, holds
from ledger_app.posting.operations import entries
from ledger_app.posting.queries import days
from ledger_app.posting.rules.lots import Grant, Named, Taking
from tests.support import kept, lot_samples, samples
from tests.support.adjusting import NEVER, person
from tests.support.lot_samples import at

pytestmark = pytest.mark.django_db


@kept.fixture
def points(_folder):
    return lot_samples.open_points(samples.machine_caller())


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def on(month, day):
    return date(2017, month, day)


@pytest.mark.parametrize("floor", [0, -40])
def test_a_day_between_is_asked_though_the_last_has_enough(db, floor):
    points = lot_samples.open_points(samples.machine_caller(), floor=floor)
    points.gain("g-1", 50, on=on(1, 5))
    points.gain("s-1", -50, on=on(1, 8))
    points.gain("g-2", 200, on=on(1, 20))
    with pytest.raises(errors.Refused) as raised:
        points.gain("s-2", floor - 1, on=on(1, 6))
    (reason,) = raised.value.reasons
    assert (reason.code, reason.facts["date"], reason.facts["balance"]) == ("floor_broken_on", "2017-01-08", floor - 1)
    points.gain("s-3", -200, on=on(1, 20))
    assert points.breaches() == []


def test_points_of_a_later_day_are_there_from_that_day_on(points):
    points.gain("g-1", 100, on=on(3, 1))
    assert refused(lambda: points.gain("s-1", -1, on=on(2, 28))) == ["floor_broken_on"]
    points.gain("s-2", -60, on=on(3, 1))
    points.gain("s-3", -40, on=on(3, 10))
    assert points.breaches() == []


def test_what_is_dated_before_takes_no_lot_that_is_granted_later(points):
    points.gain("g-1", 100, on=on(1, 5), lots=Named(grants=(Grant("free", 100, on(6, 30)),)))
    points.gain("g-2", 100, on=on(1, 20))
    # The rule takes what expires first: on the 10th that lot is not there yet.
    points.gain("s-1", -100, on=on(1, 10))
    assert points.open() == [("free", 100, "2017-02-09")]
    assert refused(lambda: points.gain("s-2", -1, on=on(1, 19))) == ["floor_broken_on"]
    assert points.breaches() == []


def test_what_later_spends_have_used_is_used(points):
    points.gain("g-1", 100, on=on(1, 1))
    points.gain("g-2", 100, on=on(1, 4), lots=Named(grants=(Grant("free", 100, on(6, 30)),)))
    points.gain("s-1", -100, on=on(1, 20))
    assert points.uses("s-1") == [100]
    # On the 2nd the account had the 100 of the 1st, and they went on the 20th.
    assert refused(lambda: points.gain("s-2", -50, on=on(1, 2))) == ["lots_short"]
    points.gain("s-3", -100, on=on(1, 4))
    assert points.breaches() == []


def test_a_named_lot_is_taken_on_one_of_its_days(points):
    points.gain("g-1", 50, on=on(1, 1))
    points.gain("g-2", 50, on=on(1, 10))
    later = Lot.objects.get(granted_on=on(1, 10))
    take = Named(takings=(Taking(later.pk, 50),))
    assert refused(lambda: points.gain("s-1", -50, on=on(1, 9), lots=take)) == ["lot_out_of_days"]
    assert refused(lambda: points.gain("s-2", -50, on=on(1, 31), lots=take)) == ["lot_out_of_days"]
    points.gain("s-3", -50, on=on(1, 30), lots=take)
    assert points.breaches() == []


def test_drafts_of_one_call_are_asked_of_each_others_days(points):
    spend, grant = points.draft("s-1", -10, on=on(1, 9)), points.draft("g-1", 10, on=on(1, 10))
    assert refused(lambda: points.post(grant, spend)) == ["floor_broken_on"]
    points.post(points.draft("g-2", 10, on=on(1, 9)), grant, spend)
    assert points.breaches() == []


def test_a_reversal_counts_on_its_own_date_and_a_grant_is_not_taken_back_before_its_day(points):
    points.gain("g-1", 100, on=on(1, 5))
    points.gain("s-1", -100, on=on(1, 8))
    points.reverse("s-1", on=on(1, 20))
    assert refused(lambda: points.gain("s-2", -1, on=on(1, 10))) == ["floor_broken_on"]
    assert refused(lambda: points.reverse("g-1", on=on(1, 4))) == ["floor_broken_on"]
    points.gain("s-3", -100, on=on(1, 20))
    assert points.breaches() == []


def test_without_a_floor_a_grant_is_not_taken_back_before_its_day_either(db):
    points = lot_samples.open_points(samples.machine_caller(), floor=None)
    points.gain("g-1", 100, on=on(1, 5))
    assert refused(lambda: points.reverse("g-1", on=on(1, 4))) == ["lot_out_of_days"]
    points.reverse("g-1", on=on(1, 5))
    assert points.breaches() == []


def test_a_grant_that_was_due_is_taken_back_once_it_has_expired(db):
    points = lot_samples.open_points(samples.machine_caller(), floor=None)
    points.gain("g-1", 100, on=on(1, 5))
    assert refused(lambda: points.reverse("g-1", on=on(2, 10))) == ["lots_due"]
    expiry.expire(book=points.book, through=on(1, 31), caller=samples.machine_caller(at(2017, 2, 10)))
    points.reverse("g-1", on=on(2, 10))
    assert points.open() == [("deficit", -100, None)]
    assert points.breaches() == []


def test_a_deficit_is_paid_by_what_is_there_on_its_day_or_later(db):
    points = lot_samples.open_points(samples.machine_caller(), floor=None)
    points.gain("s-1", -30, on=on(1, 20))
    points.gain("g-1", 30, on=on(1, 10), lots=Named(grants=(Grant("free", 30, on(1, 12)),)))
    # What was granted on the 10th, and is gone on the 13th, pays nothing that is owed from the 20th on.
    assert points.open() == [("deficit", -30, None), ("free", 30, "2017-01-12")]
    points.gain("g-2", 40, on=on(1, 21))
    assert points.open() == [("free", 30, "2017-01-12"), ("free", 10, "2017-02-10")]
    assert points.breaches() == []


def test_the_till_holds_no_points_of_a_later_day_and_none_that_come_back_later(points, make_user, caller_of):
    till = caller_of(make_user("till-1", "till"), at=at(2017, 1, 12), door="api")

    def hold(amount, reference):
        ends = at(2017, 1, 13)
        wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, amount, reference, ends)
        return holds.place(wanted=wanted, caller=till)[0]

    points.gain("g-1", 100, on=on(2, 1))
    assert refused(lambda: hold(1, "h-1")) == ["lots_short"]
    points.gain("g-2", 50, on=on(1, 5))
    points.gain("s-1", -30, on=on(1, 6))
    points.reverse("s-1", on=on(1, 25))
    assert refused(lambda: hold(21, "h-2")) == ["floor_broken_on"]
    assert refused(lambda: (hold(15, "h-3"), hold(6, "h-4"))) == ["floor_broken_on"]
    assert points.breaches() == []


def test_what_expires_meets_no_floor_though_entries_came_before_it(points):
    """A spend that is dated before others leaves on each day what will expire by then."""
    points.gain("g-1", 100, on=on(1, 1), lots=Named(grants=(Grant("free", 100, on(1, 10)),)))
    points.gain("g-2", 100, on=on(1, 5))
    points.gain("s-1", -100, on=on(1, 11))
    points.reverse("s-1", on=on(1, 20))
    # On the 12th it has what is due on the 10th and has not expired, and nothing else.
    assert refused(lambda: points.gain("s-2", -50, on=on(1, 12))) == ["floor_broken_on"]
    expiry.expire(book=points.book, through=on(1, 31), caller=samples.machine_caller(at(2017, 2, 1)))
    assert (points.open(), points.breaches()) == ([], [])


def test_an_account_that_owes_by_decision_expires_and_keeps_no_period_waiting(points, make_user, caller_of):
    finance, support, root = (
        person("finance-1", "finance"),
        person("support-1", "support"),
        person("root", None, is_superuser=True),
    )
    reason_codes.keep(
        code="chargeback", name="Chargeback", contra_accounts={"POINTS": "programme"}, may_waive_floor=True, caller=finance
    )
    reason_codes.set_limit(group="finance", book="POINTS", amount_most=500, two_deciders_above=500, caller=root)
    points.gain("g-1", 50, on=on(1, 5))
    proposal = Proposal("k-1", "POINTS", "M1", -30, on(2, 3), "chargeback", "Charged back.", waives_floor=True)
    row = adjustments.propose(proposal=proposal, caller=support, expires_at=NEVER)
    shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
    adjustments.decide(adjustment_id=row.pk, name="approve", digest_shown=shown, caller=finance)
    done = expiry.expire(book=points.book, through=on(1, 31), caller=samples.machine_caller(at(2017, 2, 10)))
    assert (done.entry_count, done.refused, points.balance()) == (1, [], -30)
    assert points.breaches() == []


def merged(points, gone, stays, when, *, undo=None):
    """Merge a member into another, or undo that, and return the merge."""
    support, finance = person("support-1", "support", at=when), person("finance-1", "finance", at=when)
    if undo is None:
        ids = {"holder_id": points.accounts[gone].holder_id, "survivor_id": points.accounts[stays].holder_id}
        wanted = merge_rows.proposal(reason="One person.", **ids)
    else:
        wanted = merge_rows.undoing(merge_id=undo.pk, reason="Two.")
    row = merges.propose(wanted, caller=support)
    plan = merge_rows.facts(Merge.objects.get(pk=row.pk), user=finance.user, at=when).plan
    return merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=finance)


def lots_of(account_id):
    found = Lot.objects.filter(account=account_id, remainder__isnull=False).order_by("granted_on", "id")
    return list(found.values_list("kind", "granted_on", "expires_on", "remainder__remaining"))


def test_a_merge_moves_points_of_a_later_day_on_that_day_and_its_undoing_gives_them_back(points):
    points.gain("g-1", 100, on=on(1, 5))
    points.gain("g-2", 70, on=on(3, 1), lots=Named(grants=(Grant("paid", 70, on(9, 30)),)))
    points.gain("g-3", 10, on=on(1, 4), who="M2")
    before = lots_of(points.accounts["M1"].pk)
    merge = merged(points, "M1", "M2", at(2017, 1, 12))
    references = (
        Entry.objects.filter(posting__origin_kind="merge").order_by("effective_on").values_list("reference", "effective_on")
    )
    assert list(references) == [(f"merge:{merge.pk}:points", on(1, 12)), (f"merge:{merge.pk}:points:2017-03-01", on(3, 1))]
    assert (points.balance(), lots_of(points.accounts["M1"].pk)) == (0, [])
    assert points.breaches() == []
    undoing = merged(points, "", "", at(2017, 1, 13), undo=merge)
    assert lots_of(undoing.survivor.accounts.get().pk) == before
    assert lots_of(points.accounts["M2"].pk) == [("free", on(1, 4), on(1, 24), 10)]
    assert points.breaches() == []


def test_a_merge_holds_the_periods_of_its_days_alone(points, monkeypatch):
    points.gain("g-1", 100, on=on(1, 5))
    points.gain("g-2", 70, on=on(4, 1))
    held = []
    post = entries.post

    def and_keep(**given):
        held.append(given["locked"])
        return post(**given)

    monkeypatch.setattr(entries, "post", and_keep)
    merged(points, "M1", "M2", at(2017, 1, 12))
    assert [period.name for period in held[0].periods[points.book.pk]] == ["2017-01", "2017-04"]


def test_a_merge_that_meets_points_of_a_day_that_it_does_not_hold_moves_nothing(points, monkeypatch):
    points.gain("g-1", 100, on=on(1, 5))
    points.gain("g-2", 70, on=on(4, 1))
    monkeypatch.setattr(merges._Work, "_later", lambda _work, _row: set())
    assert refused(lambda: merged(points, "M1", "M2", at(2017, 1, 12))) == ["merge_moved"]
    assert points.balance() == 170


def test_an_undoing_gives_back_what_is_left_of_the_lots_that_came_and_says_the_rest(points):
    points.gain("g-1", 100, on=on(1, 2))
    points.gain("g-2", 100, on=on(1, 5), who="M2")
    merge = merged(points, "M1", "M2", at(2017, 1, 12))
    points.gain("s-1", -60, on=on(1, 12), who="M2")
    undoing = merged(points, "", "", at(2017, 1, 13), undo=merge)
    (move,) = undoing.decided_preview["moves"]
    assert (move["moved"], move["amount"], [lot[1:] for lot in move["lots"]]) == (
        100,
        40,
        [["free", "2017-01-02", "2017-01-22", 40]],
    )
    assert lots_of(undoing.survivor.accounts.get().pk) == [("free", on(1, 2), on(1, 22), 40)]
    assert lots_of(points.accounts["M2"].pk) == [("free", on(1, 5), on(1, 25), 100)]
    assert points.breaches() == []


def test_an_undoing_of_which_nothing_is_left_gives_back_the_rest_of_the_member(points):
    points.gain("g-1", 100, on=on(1, 2))
    merge = merged(points, "M1", "M2", at(2017, 1, 12))
    points.gain("s-1", -100, on=on(1, 12), who="M2")
    undoing = merged(points, "", "", at(2017, 1, 13), undo=merge)
    assert [(each["moved"], each["amount"]) for each in undoing.decided_preview["moves"]] == [(100, 0)]
    assert undoing.survivor.identifiers.count() == 1
    assert undoing.survivor.accounts.get().balances.get().amount == 0
    assert points.breaches() == []


def test_lots_are_followed_through_the_merges_that_carried_them_on(points):
    points.gain("g-1", 100, on=on(1, 2))
    points.gain("g-2", 30, on=on(1, 3), who="M2")
    first = merged(points, "M1", "M2", at(2017, 1, 12))
    back = merged(points, "", "", at(2017, 1, 12), undo=first)
    account = back.survivor.accounts.get()
    points.accounts[account.code] = account
    second = merged(points, account.code, "M2", at(2017, 1, 12))
    again = merged(points, "", "", at(2017, 1, 13), undo=second)
    assert lots_of(again.survivor.accounts.get().pk) == [("free", on(1, 2), on(1, 22), 100)]
    assert lots_of(points.accounts["M2"].pk) == [("free", on(1, 3), on(1, 23), 30)]
    assert points.breaches() == []


def test_the_ordinary_entry_reads_no_days(points, monkeypatch):
    asked = []

    def after(wanted):
        asked.append(dict(wanted))
        return {}

    monkeypatch.setattr(days, "after", after)
    points.gain("g-1", 100, on=on(1, 5))
    points.gain("s-1", -10, on=on(1, 5))
    points.gain("g-2", 5, on=on(1, 3))
    points.gain("s-2", -10, on=on(1, 9))
    assert not any(asked)
    with pytest.raises(errors.Refused):
        points.gain("s-3", -200, on=on(1, 8))
    assert asked[-1] == {points.accounts["M1"].pk: on(1, 8)}


def test_a_balance_knows_the_latest_date_of_its_lines(points):
    points.post(points.draft("g-1", 10, on=on(3, 3)), points.draft("g-2", 10, on=on(1, 3)))
    points.gain("s-1", -5, on=on(3, 4))
    points.gain("g-3", 5, on=on(2, 1))
    dates = Balance.objects.filter(account__in=[points.accounts["M1"], points.accounts["programme"]]).values_list(
        "last_on", flat=True
    )
    assert list(dates) == [on(3, 4), on(3, 4)]


def test_a_merge_that_posting_would_refuse_for_what_is_due_is_refused_when_it_is_shown(points):
    points.gain("g-1", 50, on=on(1, 5))
    points.gain("g-2", 30, on=on(1, 20))
    ids = {points.accounts[name].code: points.accounts[name].holder_id for name in ("M1", "M2")}
    wanted = merge_rows.proposal(holder_id=ids["M1"], survivor_id=ids["M2"], reason="One person.")
    support = person("support-1", "support", at=at(2017, 2, 1))
    shown = merge_rows.preview(wanted, user=support.user, at=support.at).refusals
    assert [(each.code, each.facts["account"], each.facts["due"]) for each in shown] == [("lots_due", "M1", "2017-01-25")]
    assert refused(lambda: merged(points, "M1", "M2", at(2017, 2, 1))) == ["lots_due"]
    expiry.expire(book=points.book, through=on(1, 31), caller=samples.machine_caller())
    merged(points, "M1", "M2", at(2017, 2, 1))
    assert (points.balance("M1"), points.balance("M2"), points.breaches()) == (0, 30, [])
