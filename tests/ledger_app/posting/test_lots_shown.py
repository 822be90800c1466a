"""A decision covers the lots that its entry makes, takes and gives back."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.models import Adjustment, Entry, Reversal
from ledger_app.points.operations import holds
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from tests.support import kept, lot_samples, samples
from tests.support.adjusting import NEVER, person
from tests.support.lot_samples import at

ON = date(2017, 1, 12)


@kept.fixture
def points(_folder):
    book = lot_samples.open_points(samples.machine_caller())
    finance, administrator = person("finance-1", "finance"), person("administrator-1", "auditor", is_superuser=True)
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={"POINTS": "programme"}, caller=finance)
    reason_codes.set_limit(group="finance", book="POINTS", amount_most=5_000, two_deciders_above=5_000, caller=administrator)
    book.gain("early", 100, on=date(2017, 1, 5))
    book.gain("late", 100, on=date(2017, 1, 10))
    return book


def propose(amount):
    proposal = Proposal("k-1", "POINTS", "M1", amount, ON, "goodwill", "The till was down.")
    return adjustments.propose(proposal=proposal, caller=person("support-1", "support"), expires_at=NEVER)


def shown(row):
    return queries.preview(queries.terms_of(row))


def approve(row, digest):
    return adjustments.decide(
        adjustment_id=row.pk,
        name="approve",
        digest_shown=digest,
        reason="Seen.",
        version=row.version,
        caller=person("finance-1", "finance"),
    )


def codes(call):
    with pytest.raises(errors.Refused) as refused:
        call()
    return [reason.code for reason in refused.value.reasons]


@pytest.mark.parametrize(("amount", "lots"), [(-150, [-100, -50]), (30, [30])])
def test_a_decider_is_shown_the_lots_and_they_are_what_is_posted(points, amount, lots):
    row = propose(amount)
    now = shown(row)
    assert now.shown is not None
    assert sorted(lot.amount for lot in now.shown.lots) == lots
    approve(row, now.digest)
    posted = queries.preview_as_posted(queries.terms_of(row)).shown
    assert posted is not None
    assert posted.lots == now.shown.lots
    assert Adjustment.objects.get().state == "approved"
    assert points.breaches() == []


def test_lots_that_moved_make_a_preview_stale_though_the_balance_is_the_same_again(points):
    row = propose(-150)
    before = shown(row)
    points.gain("spent", -100, on=ON)
    points.gain("granted", 100, on=ON)
    assert shown(row).shown.balances == before.shown.balances
    assert codes(lambda: approve(row, before.digest)) == ["preview_moved"]


def test_the_lots_are_the_same_in_every_language(points):
    row = propose(-150)
    with translation.override("ja"):
        japanese = shown(row).digest
    assert shown(row).digest == japanese


def test_a_reversal_shows_the_lots_that_it_gives_back_and_a_lot_that_moved_makes_it_stale(points):
    points.gain("spent", -150, on=ON)
    entry = Entry.objects.get(reference="spent")
    row = reversals.propose(entry_id=entry.pk, reason="It was wrong.", caller=person("support-1", "support"))
    now = asked.preview_on(row.entry, row.effective_on, row.prior_period)
    assert [lot.amount for lot in now.lots] == [100, 50]
    reversals.approve(reversal_id=row.pk, digest_shown=now.digest, caller=person("finance-1", "finance"))
    assert Reversal.objects.get().state == Reversal.State.POSTED
    assert points.breaches() == []


def test_a_lot_that_moved_makes_a_reversal_stale_though_the_balance_is_the_same_again(points):
    entry = Entry.objects.get(reference="late")
    row = reversals.propose(entry_id=entry.pk, reason="It was wrong.", caller=person("support-1", "support"))
    before = asked.preview_on(row.entry, row.effective_on, row.prior_period)
    points.gain("spent", -150, on=ON)
    points.gain("granted", 150, on=date(2017, 1, 10))
    now = asked.preview_on(row.entry, row.effective_on, row.prior_period)
    assert now.balances == before.balances
    assert codes(
        lambda: reversals.approve(reversal_id=row.pk, digest_shown=before.digest, caller=person("finance-1", "finance"))
    ) == ["reversal_preview_moved"]


@pytest.fixture
def is_over(points):
    """A hold of all points whose time is over, and which nobody has ended."""
    placed = at(2017, 1, 20)
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 200, "h-1", placed + timedelta(hours=1))
    holds.place(wanted=wanted, caller=person("till-1", "till", at=placed))


def test_a_hold_that_is_over_keeps_nobody_from_adjusting(points, is_over):
    row = propose(-150)
    now = shown(row)
    assert now.refusals == ()
    approve(row, now.digest)
    assert Adjustment.objects.get().state == "approved"
    assert points.breaches() == []


def test_a_hold_that_is_over_keeps_nobody_from_reversing(points, is_over):
    entry = Entry.objects.get(reference="late")
    row = reversals.propose(entry_id=entry.pk, reason="It was wrong.", caller=person("support-1", "support"))
    now = asked.preview_on(row.entry, row.effective_on, row.prior_period)
    assert now.refusals == ()
    reversals.approve(reversal_id=row.pk, digest_shown=now.digest, caller=person("finance-1", "finance"))
    assert Reversal.objects.get().state == Reversal.State.POSTED
    assert points.breaches() == []


def test_a_hold_that_is_not_over_keeps_one_from_adjusting(points, is_over):
    caller = person("support-1", "support", at=at(2017, 1, 20))
    proposal = Proposal("k-1", "POINTS", "M1", -150, ON, "goodwill", "The till was down.")
    assert codes(lambda: adjustments.propose(proposal=proposal, caller=caller, expires_at=NEVER)) == ["lots_short"]
