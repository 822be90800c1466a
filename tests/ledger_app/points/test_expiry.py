"""``expire`` posts one entry for each account and day, dated on that day, however often and however late it runs."""

import json
from contextlib import nullcontext
from datetime import date

import pytest
from django.core.management import call_command

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.models import Account, Entry, ExpiryChunk, Holder, OpenLot
from ledger_app.points.operations import expiry, holds
from ledger_app.points.queries import expiry as due_rows
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.lots import Grant, Named
from tests.support import adjusting, kept, lot_samples, samples
from tests.support.lot_samples import at

pytestmark = pytest.mark.django_db


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 100, on=date(2017, 1, 5))  # due 2017-01-25
    found.gain("g-2", 40, on=date(2017, 1, 5))
    found.gain("g-3", 30, on=date(2017, 1, 11))  # due 2017-01-31
    found.gain("g-4", 7, on=date(2017, 1, 11), who="M2")
    found.gain("s-1", -25, on=date(2017, 1, 20))
    return found


def machine(points, when):
    return Caller(points.caller.user, when, "command")


def run(points, through=date(2017, 1, 31), when=None):
    return expiry.expire(book=points.book, through=through, caller=machine(points, when or at(2017, 2, 3)))


def posted():
    rows = Entry.objects.filter(posting__origin_kind="expiry").order_by("effective_on", "reference")
    return [(row.reference, row.effective_on.isoformat(), max(row.lines.values_list("amount", flat=True))) for row in rows]


ALL = [
    ("expiry:M1:2017-01-25", "2017-01-25", 115),
    ("expiry:M1:2017-01-31", "2017-01-31", 30),
    ("expiry:M2:2017-01-31", "2017-01-31", 7),
]


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def test_what_is_left_though_nothing_refuses_it_is_said(points, monkeypatch):
    monkeypatch.setattr(expiry, "work", lambda _given: iter([]))  # as where every process has died
    done = run(points)
    assert [(reason.code, reason.facts["accounts"], reason.facts["amount"]) for reason in done.refused] == [
        ("expiry_left", 2, 152)
    ]
    monkeypatch.undo()
    assert run(points).refused == []


def test_what_is_held_is_told_and_is_no_failure(points):
    till = adjusting.person("till-1", "till", at=at(2017, 1, 20))
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 20, "order-1", at(2017, 3, 1), "")
    holds.place(wanted=wanted, caller=till)
    done = run(points)
    assert (done.amount, done.held, done.refused) == (132, 20, [])


@pytest.mark.parametrize(("passes", "status"), [(3, 0), (0, 75)])
def test_the_command_ends_with_75_where_something_is_left(points, monkeypatch, capsys, passes, status):
    monkeypatch.setattr(expiry, "PASSES", passes)
    with nullcontext() if status == 0 else pytest.raises(SystemExit, match=str(status)):
        call_command("expire", "POINTS", "--through", "2017-01-31", "--json")
    left = [reason["code"] for reason in json.loads(capsys.readouterr().out)["left_out"]]
    assert left == (["expiry_left"] if status else [])


def test_each_account_and_day_has_one_entry_on_that_day(points):
    done = run(points)
    assert (done.entry_count, done.amount, done.refused) == (3, 152, [])
    assert posted() == ALL
    assert OpenLot.objects.count() == 0
    assert points.breaches() == []


def test_a_second_run_finds_nothing_left(points):
    run(points)
    again = run(points, when=at(2017, 3, 1))
    assert (again.entry_count, posted(), ExpiryChunk.objects.count()) == (0, ALL, 1)


@pytest.mark.parametrize("size", [1, 2, 5000])
def test_in_time_and_late_and_in_whatever_chunks_it_is_the_same(points, monkeypatch, size):
    monkeypatch.setattr(expiry, "LOTS_A_CHUNK", size)
    run(points, date(2017, 1, 25), at(2017, 1, 26))
    run(points, date(2017, 1, 31), at(2017, 6, 1))
    assert posted() == ALL


def test_a_run_that_dies_is_taken_up_where_it_was(points, monkeypatch):
    monkeypatch.setattr(expiry, "LOTS_A_CHUNK", 1)
    post, calls = entries.post, []

    def dying(**given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return post(**given)

    monkeypatch.setattr(entries, "post", dying)
    with pytest.raises(KeyboardInterrupt):
        run(points)
    assert len(posted()) == 1
    monkeypatch.setattr(entries, "post", post)
    run(points)
    assert posted() == ALL


def test_a_day_that_has_not_ended_in_the_zone_of_the_book_is_refused(points):
    assert refused(lambda: run(points, date(2017, 1, 25), at(2017, 1, 25))) == ["day_not_ended"]
    # 15:00 in UTC is midnight in Tokyo.
    assert run(points, date(2017, 1, 25), at(2017, 1, 25, 15)).entry_count == 1


def test_a_period_does_not_freeze_before_what_was_due_in_it_has_expired(points, finance, caller_of):
    def freeze():
        return periods.freeze(
            period_id=points.book.periods.get(name="2017-01").pk,
            controls={"entries": points.book.entries.filter(effective_on__lte=date(2017, 1, 31)).count()},
            caller=caller_of(finance, at=at(2017, 2, 3)),
            code_version="test",
        )

    assert set(refused(freeze)) == {"expiry_due"}
    run(points)
    freeze()
    assert points.breaches() == []


def test_what_is_due_in_a_frozen_period_is_refused_and_the_period_named(points, finance, caller_of, monkeypatch):
    monkeypatch.setattr(due_rows, "due_in_period", lambda _period, at: ())
    periods.freeze(
        period_id=points.book.periods.get(name="2017-01").pk,
        controls={"entries": 5},
        caller=caller_of(finance, at=at(2017, 2, 3)),
        code_version="test",
    )
    with pytest.raises(errors.Refused) as raised:
        run(points)
    assert [reason.code for reason in raised.value.reasons] == ["expiry_frozen"]
    assert raised.value.reasons[0].facts["period"] == "2017-01"
    assert posted() == []


def test_what_comes_back_after_its_day_expires_on_the_day_it_came_back_with_a_reference_of_its_own(points):
    points.gain("s-2", -30, on=date(2017, 1, 31))
    run(points)
    points.reverse("s-2", on=date(2017, 2, 4))
    points.gain("g-9", 3, on=date(2017, 2, 4), lots=Named(grants=(Grant("free", 3, date(2017, 2, 4)),)))
    run(points, date(2017, 2, 4), at(2017, 2, 6))
    assert ("expiry:M1:2017-02-04", "2017-02-04", 33) in posted()
    points.gain("g-10", 5, on=date(2017, 2, 4), lots=Named(grants=(Grant("free", 5, date(2017, 2, 4)),)))
    run(points, date(2017, 2, 4), at(2017, 2, 6))
    assert ("expiry:M1:2017-02-04:2", "2017-02-04", 5) in posted()
    assert points.breaches() == []


def test_what_is_held_expires_when_it_is_let_go(points, make_user, caller_of):
    till = caller_of(make_user("till-1", "till"), at=at(2017, 1, 24))
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 20, "h-1", at(2017, 2, 20))
    hold, _new = holds.place(wanted=wanted, caller=till)
    assert run(points, date(2017, 1, 25)).amount == 95
    period = points.book.periods.get(name="2017-01")
    assert due_rows.due_in_period(period, at=at(2017, 2, 3))[0] == ("M1", date(2017, 1, 25), 0, 20)
    holds.release(hold_id=hold.pk, reason="Not bought.", caller=Caller(till.user, at(2017, 2, 3), "api"))
    run(points)
    assert ("expiry:M1:2017-01-25:2", "2017-01-25", 20) in posted()
    assert points.breaches() == []


def test_time_does_not_stop_for_an_account_that_is_suspended_and_one_that_refuses_stops_no_other(points):
    Account.objects.filter(code="M1").update(state="suspended")
    gone, survivor = (Holder.objects.create(name=name, opened_at=at(2017, 1, 1)) for name in "xy")
    Holder.objects.filter(pk=gone.pk).update(merged_into=survivor)
    Account.objects.filter(code="M2").update(holder=gone)
    done = run(points)
    assert (done.entry_count, [reason.code for reason in done.refused]) == (2, ["holder_merged"])
    assert posted() == ALL[:2]


def test_what_would_expire_is_told_beforehand(points):
    of_book = due_rows.due_by_day(by=date(2017, 1, 31), at=at(2017, 2, 3), book_id=points.book.pk)
    assert of_book == [(date(2017, 1, 25), 1, 2, 115, 0), (date(2017, 1, 31), 2, 2, 37, 0)]
    of_account = due_rows.due_by_day(by=date(2017, 1, 30), at=at(2017, 2, 3), account_id=points.accounts["M1"].pk)
    assert of_account == [(date(2017, 1, 25), 1, 2, 115, 0)]
    assert due_rows.total(of_book) == (date(2017, 1, 31), 3, 4, 152, 0)


@pytest.mark.parametrize("state", ["closed", "suspended"])
def test_a_breakage_account_that_is_not_open_is_named_and_not_tried_for_ever(points, state):
    Account.objects.filter(pk=points.accounts["breakage"].pk).update(state=state)
    with pytest.raises(errors.Refused) as raised:
        run(points)
    assert {(reason.code, reason.facts["account"]) for reason in raised.value.reasons} == {("account_not_open", "breakage")}
    assert posted() == []


def test_what_would_expire_is_added_up_within_a_bound_while_somebody_waits(points, monkeypatch, client, make_user):
    given = {"by": date(2017, 1, 31), "at": at(2017, 2, 3), "book_id": points.book.pk}
    monkeypatch.setattr(due_rows, "ADDED_MOST", 4)
    assert due_rows.due_while_waited_for(**given) == due_rows.due_by_day(**given)
    monkeypatch.setattr(due_rows, "ADDED_MOST", 3)
    with pytest.raises(errors.Refused, match="due_too_many"):
        due_rows.due_while_waited_for(**given)
    client.force_login(make_user("root-1", "auditor", is_superuser=True))
    page = client.get(f"/admin/ledger_app/lotrule/due/{points.book.pk}/?by=2017-01-31")
    assert (page.status_code, "More than 3 lots are due" in page.content.decode()) == (200, True)
    answer = client.get(f"/api/v1/books/{points.book.code}/due/?by=2017-01-31")
    assert (answer.status_code, "due_too_many" in answer.content.decode()) == (409, True)
