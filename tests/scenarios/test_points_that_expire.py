"""Points with a last day, told as an accountant would: what expires, when it is booked, and what a close waits for.

The programme owes its members points. It grants them at its expense, and what a member does not spend in time goes to breakage, as income of the month
in which the last day falls, whenever the job runs. Days are those of Tokyo.
"""

from datetime import date

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.close.queries import seals
from ledger_app.models import Balance, Entry, Hold
from ledger_app.points.operations import expiry, holds
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.support import lot_samples, samples
from tests.support.lot_samples import at

TWO_MONTHS = RuleGiven(expiry="months", validity=2, breakage="breakage")


@pytest.fixture
def programme(db):
    """Points are good until the end of the second month after they were granted."""
    return lot_samples.open_points(samples.machine_caller(at(2017, 1, 5)), rule=TWO_MONTHS)


@pytest.fixture
def till(make_user, caller_of):
    user = make_user("till-1", "till")
    return lambda when: caller_of(user, at=when, door="api")


@pytest.fixture
def close(programme, finance, caller_of):
    """Return what freezes a month with the entries that finance has counted."""

    def freeze(name, when, *, entries):
        period = programme.book.periods.get(name=name)
        caller = caller_of(finance, at=when)
        return periods.freeze(period_id=period.pk, controls={"entries": entries}, caller=caller, code_version="test")

    return freeze


def expire(programme, through, when):
    return expiry.expire(book=programme.book, through=through, caller=Caller(programme.caller.user, when, "command"))


def booked(reference):
    """Return the date and the lines of an entry: account → amount, debit positive."""
    entry = Entry.objects.get(reference=reference)
    return entry.effective_on, dict(entry.lines.values_list("account__code", "amount"))


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [str(reason) for reason in raised.value.reasons]


def test_what_is_due_on_the_last_day_of_march_is_income_of_march_although_it_is_booked_in_april(programme, close):
    programme.gain("january", 500, on=date(2017, 1, 10))
    programme.gain("february", 200, on=date(2017, 2, 10))
    programme.gain("spent", -120, on=date(2017, 3, 31))  # on its last day a point can still be spent

    for month in ("2017-01", "2017-02"):
        close(month, at(2017, 4, 3), entries=1)
    # March cannot be closed: what was due on its last day belongs into it.
    assert refused(lambda: close("2017-03", at(2017, 4, 3), entries=1)) == [
        (
            "expiry_due: Lots of account M1 are due on 2017-03-31 and are not expired. "
            "Once 2017-03-31 is over, run expire POINTS --through 2017-03-31."
        )
    ]

    done = expire(programme, date(2017, 3, 31), at(2017, 4, 3))
    assert (done.entry_count, done.amount) == (1, 380)
    assert booked("expiry:M1:2017-03-31") == (date(2017, 3, 31), {"M1": 380, "breakage": -380})

    seal = close("2017-03", at(2017, 4, 3), entries=2)
    assert ("income", "breakage", -380) in [
        (row["category"], row["role"], row["closing"]) for row in seals.trial_balance(seal.period)
    ]
    assert programme.open() == [("free", 200, "2017-04-30")]
    assert programme.breaches() == []


def test_an_expiry_whose_period_is_frozen_is_refused_and_never_dated_otherwise(programme, close, monkeypatch):
    from ledger_app.points.queries import expiry as due_rows

    programme.gain("january", 500, on=date(2017, 1, 10))
    # Only by a fault: a close that does not look for what is due.
    monkeypatch.setattr(due_rows, "due_in_period", lambda _period, at: ())
    for number, month in enumerate(("2017-01", "2017-02", "2017-03")):
        close(month, at(2017, 4, 3), entries=1 if number == 0 else 0)
    (said,) = refused(lambda: expire(programme, date(2017, 3, 31), at(2017, 4, 3)))
    assert said.startswith("expiry_frozen: Lots of book POINTS were due on 2017-03-31, in period 2017-03, which is frozen.")
    assert Entry.objects.count() == 1


def test_a_spend_that_is_taken_back_gives_the_member_the_very_points_that_were_spent(programme):
    programme.gain("january", 300, on=date(2017, 1, 10))
    programme.gain("february", 300, on=date(2017, 2, 10))
    programme.gain("gift", -400, on=date(2017, 3, 5))
    assert programme.open() == [("free", 200, "2017-04-30")]

    programme.reverse("gift", on=date(2017, 3, 6))
    assert programme.open() == [("free", 300, "2017-03-31"), ("free", 300, "2017-04-30")]

    # Had they come back after their last day, they would be due on the day they came back.
    programme.gain("another-gift", -300, on=date(2017, 3, 31))
    programme.reverse("another-gift", on=date(2017, 4, 7))
    assert programme.open() == [("free", 300, "2017-04-07"), ("free", 300, "2017-04-30")]
    expire(programme, date(2017, 4, 7), at(2017, 4, 9))
    assert booked("expiry:M1:2017-04-07") == (date(2017, 4, 7), {"M1": 300, "breakage": -300})
    assert programme.breaches() == []


def test_of_points_that_are_held_for_a_purchase_a_part_is_taken_and_the_rest_is_free_again(programme, till, close):
    programme.gain("january", 300, on=date(2017, 1, 10))
    wanted = holds.Wanted(
        account_id=programme.accounts["M1"].pk,
        target_id=programme.accounts["programme"].pk,
        amount=250,
        reference="order-77",
        expires_at=at(2017, 4, 10),
        description="Order 77",
    )
    hold, _new = holds.place(wanted=wanted, caller=till(at(2017, 3, 30)))
    assert refused(lambda: programme.post(programme.draft("too-much", -51, on=date(2017, 3, 30)), at=at(2017, 3, 30))) == [
        (
            "lots_short: Account M1 has 50 points to spend on 2017-03-30, not 51 points (entry too-much); 250 points are held, 0 points were due before and "
            "0 points are granted from a later day. Release what is held, or spend less."
        )
    ]

    # What is held does not expire; March waits for it.
    assert expire(programme, date(2017, 3, 31), at(2017, 4, 3)).amount == 50
    for month in ("2017-01", "2017-02"):
        close(month, at(2017, 4, 3), entries=1 if month == "2017-01" else 0)
    assert refused(lambda: close("2017-03", at(2017, 4, 3), entries=1)) == [
        ("due_lots_held: Lots of account M1 are due on 2017-03-31 and are held. Settle or release its holds first.")
    ]

    # The goods went out on 4 April, but for one: 180 are taken, since they were promised, and booked on the last day of these points.
    holds.settle(hold_id=hold.pk, amount=180, effective_on=None, caller=till(at(2017, 4, 4)))
    assert booked(f"hold:{hold.pk}") == (date(2017, 3, 31), {"M1": 180, "programme": -180})
    assert Hold.objects.get().state == "settled"

    # The rest was due in March and is booked there.
    expire(programme, date(2017, 3, 31), at(2017, 4, 5))
    assert booked("expiry:M1:2017-03-31:2") == (date(2017, 3, 31), {"M1": 70, "breakage": -70})
    close("2017-03", at(2017, 4, 5), entries=3)
    assert Balance.objects.get(account=programme.accounts["M1"]).amount == 0
    assert programme.breaches() == []
