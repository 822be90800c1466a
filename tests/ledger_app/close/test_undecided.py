"""What is open keeps an account from being closed, by name; what it brought tells where it came from."""

from datetime import date, timedelta

import pytest

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustment_origins
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.books.queries import account_states
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.models import Entry, OpenLot
from ledger_app.points.operations import expiry, holds
from ledger_app.posting.queries import origins
from ledger_app.reversals import operations as reversals
from tests.support import adjusting, kept, lot_samples, samples
from tests.support.adjusting import NEVER, person

ON = date(2017, 1, 12)


@kept.fixture
def points(_folder):
    book = lot_samples.open_points(samples.machine_caller())
    finance, administrator = person("finance-1", "finance"), person("administrator-1", "auditor", is_superuser=True)
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={"POINTS": "programme"}, caller=finance)
    reason_codes.set_limit(group="finance", book="POINTS", amount_most=5_000, two_deciders_above=5_000, caller=administrator)
    book.gain("granted", 100)
    return book


def place(points):
    caller = person("till-1", "till", at=lot_samples.at(2017, 1, 12))
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 40, "till-1", caller.at + timedelta(days=1))
    return holds.place(wanted=wanted, caller=caller)[0]


def propose_adjustment(points):
    proposal = Proposal("k-1", "POINTS", "M1", -30, ON, "goodwill", "The till was down.")
    return adjustments.propose(proposal=proposal, caller=person("support-1", "support"), expires_at=NEVER)


def propose_reversal(points):
    entry = Entry.objects.get(reference="granted")
    return reversals.propose(entry_id=entry.pk, reason="It was wrong.", caller=person("support-1", "support"))


@kept.fixture
def desk(_folder):
    return adjusting.build()


@pytest.mark.parametrize("begin", [place, propose_adjustment, propose_reversal])
def test_what_is_open_on_an_account_is_named_and_on_no_other(points, begin):
    finance = person("finance-1", "finance").user

    def open_on(name):
        facts = account_states.facts(points.accounts[name], user=finance, at=lot_samples.at(2017, 1, 12))
        return [reason.code for reason in facts.open_work]

    assert open_on("M1") == []
    begin(points)
    assert (open_on("M1"), open_on("M2")) == (["open_work"], [])
    # The other side too: a hold could not be settled to an account that is closed, nor an adjustment posted.
    assert open_on("programme") == ["open_work"]


@pytest.mark.parametrize("begin", [place, propose_adjustment, propose_reversal])
def test_a_member_of_whom_something_is_open_is_merged_neither_way(points, begin):
    begin(points)
    caller = person("support-1", "support", at=lot_samples.at(2017, 1, 12))
    for one, other in (("M1", "M2"), ("M2", "M1")):
        keys = {"holder_id": points.accounts[one].holder_id, "survivor_id": points.accounts[other].holder_id}
        with pytest.raises(errors.Refused) as refused:
            merges.propose(merge_queries.proposal(**keys, reason="One person."), caller=caller)
        assert [reason.code for reason in refused.value.reasons] == ["open_work"]


def test_an_adjustment_that_one_of_two_approved_is_open_still(desk):
    row = desk.propose(account="M1-receivable", amount=adjusting.ALONE + 1)
    assert desk.decide(row, "endorse").state == "endorsed"
    facts = account_states.facts(row.account, user=desk.decider.user, at=desk.decider.at)
    assert [reason.code for reason in facts.open_work] == ["open_work"]


def test_a_hold_whose_time_is_over_keeps_nobody_waiting_for_the_sweep_and_ends_with_the_merge(points):
    hold = place(points)
    before, after = (person("support-1", "support", at=lot_samples.at(2017, 1, day)) for day in (12, 14))
    for name in ("M1", "programme"):
        assert account_states.facts(points.accounts[name], user=before.user, at=before.at).open_work
        assert not account_states.facts(points.accounts[name], user=after.user, at=after.at).open_work
    keys = {"holder_id": points.accounts["M1"].holder_id, "survivor_id": points.accounts["M2"].holder_id}
    merge = merges.propose(merge_queries.proposal(**keys, reason="One person."), caller=after)
    decider = person("finance-1", "finance", at=lot_samples.at(2017, 1, 14))
    merges.approve(merge_id=merge.pk, digest_shown=merge.digest.hex(), caller=decider)
    hold.refresh_from_db()
    assert hold.state == "expired"
    assert points.balance("M2") == 100
    assert OpenLot.objects.get(account=points.accounts["M2"]).remaining == 100
    assert points.breaches() == []


def test_an_adjustment_tells_who_proposed_and_who_approved_it(points):
    row = propose_adjustment(points)
    digest = queries.preview(queries.terms_of(row)).digest
    decider = person("finance-1", "finance")
    adjustments.decide(
        adjustment_id=row.pk, name="approve", digest_shown=digest, reason="Seen.", version=row.version, caller=decider
    )
    entry = Entry.objects.get(reference=f"adjustment:{row.pk}")
    told = origins.of([entry.pk])[entry.pk]
    assert told.sentence == adjustment_origins.decided_of([row.pk])[row.pk].sentence
    assert (told.facts["proposed_by"], told.facts["approved"][0]["by"]) == ("support-1", "finance-1")


def test_what_each_kind_of_origin_brought_tells_who_and_why(points):
    support, finance, till = (
        person(name, group, at=lot_samples.at(2017, 1, 12))
        for name, group in (("support-1", "support"), ("finance-1", "finance"), ("till-1", "till"))
    )
    adjustment = propose_adjustment(points)
    digest = queries.preview(queries.terms_of(adjustment)).digest
    adjustments.decide(adjustment_id=adjustment.pk, name="approve", digest_shown=digest, reason="Seen.", caller=finance)
    holds.settle(hold_id=place(points).pk, amount=25, effective_on=ON, caller=till)
    points.gain("twice", 9)
    reversal = reversals.propose(entry_id=Entry.objects.get(reference="twice").pk, reason="Sent twice.", caller=support)
    reversals.approve(reversal_id=reversal.pk, digest_shown=reversal.digest.hex(), caller=finance)
    points.gain("other", 5, who="M2")
    holders = {"holder_id": points.accounts["M2"].holder_id, "survivor_id": points.accounts["M1"].holder_id}
    merge = merges.propose(merge_queries.proposal(**holders, reason="One person."), caller=support)
    merges.approve(merge_id=merge.pk, digest_shown=merge.digest.hex(), caller=finance)
    machine = samples.machine_caller(lot_samples.at(2017, 2, 3))
    assert expiry.expire(book=points.book, through=date(2017, 1, 31), caller=machine).amount == 50

    told = {each.kind: each for each in origins.of(Entry.objects.values_list("id", flat=True)).values()}
    sentences = {kind: each.sentence for kind, each in told.items()}
    assert set(sentences) == {"submission", "adjustment", "hold", "reversal", "merge", "expiry"}
    assert sentences["hold"] == "Hold till-1, placed by till-1, settled by till-1: 25 of 40"
    assert sentences["expiry"] == f"Expiry in POINTS through 2017-01-31, run by {machine.user.username}"
    for kind, why in (("adjustment", "The till was down."), ("reversal", "Sent twice."), ("merge", "One person.")):
        assert "proposed by support-1" in sentences[kind]
        assert "finance-1" in sentences[kind]
        assert why in sentences[kind]
    assert [told[kind].facts[name] for kind, name in (("merge", "merge"), ("hold", "hold_reference"), ("expiry", "through"))] == [
        merge.pk,
        "till-1",
        "2017-01-31",
    ]
