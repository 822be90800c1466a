"""What stands in the way of a reversal, when it is planned, until it is approved and while it is applied."""

from datetime import date, timedelta

import pytest

from ingestion_app.deciding.queries import batches
from ingestion_app.models import Attempt, Batch, ValidationRequest
from ingestion_app.reversing.queries import objections, reversals
from ingestion_app.status.queries import waking
from ledger_app.errors import Refused, stored
from ledger_app.models import Entry, Period, Posting
from ledger_app.models.entries import PLACES
from ledger_app.posting.operations import entries
from tests.support.undoing import amounts, breaches, merge, refused, reverse_singly, spend
from tests.support.world import FIXED, NOW, World, card_file, codes, ledger, set_account

pytestmark = pytest.mark.django_db


def test_what_would_break_a_floor_is_refused_and_names_the_account(world: World) -> None:
    original = world.applied()
    spend(world, "1004", 100)
    before = ledger()
    with pytest.raises(Refused) as refusal:
        world.reverse(original)
    entry = Entry.objects.get(book=world.points, reference="till:s6")
    facts = {"account": "points.1004", "balance": -100, "floor": 0, "reference": f"reversal:{entry.pk}"}
    assert [(reason.code, reason.facts) for reason in refusal.value.reasons] == [("floor_broken", facts)]
    reversal = Batch.objects.get(reverses=original)
    assert (ledger(), reversal.state, reversal.plan_digest, reversal.chunks.count()) == (before, "received", None, 0)
    told = stored.translated(Attempt.objects.get(batch=reversal, step="validate", outcome="refused").reasons[0])
    assert (told["code"], told["facts"]["account"]) == ("floor_broken", "points.1004")
    assert not ValidationRequest.objects.exists(), "it is not tried again until somebody asks"
    spend(world, "1004", -100)
    assert world.apply(world.approve(world.validate(reversal))).batch.state == "applied"


def test_a_reversal_that_cannot_be_planned_is_withdrawn_and_the_batch_is_free_again(world: World) -> None:
    original = world.applied()
    spend(world, "1004", 100)
    assert refused(lambda: world.reverse(original)) == ["floor_broken"]
    assert refused(lambda: world.freeze(original)) == refused(lambda: world.reverse(original)) == ["reversal_open"]
    reversal = Batch.objects.get(reverses=original)
    assert refused(lambda: world.approve(reversal)) == ["wrong_state"]
    assert world.withdraw(reversal).holds_original is None
    assert world.freeze(original).state == "frozen"


def test_a_plan_that_is_void_is_made_anew(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.approve(world.reverse(original))
    chunks = reversal.chunks.count()
    reverse_singly(world, "till:s2")
    assert refused(lambda: world.apply(reversal)) == ["reversal_moved"]
    again = world.validate(reversal)
    assert (again.state, again.approved_by, again.approved_digest, again.chunks.count()) == ("validated", None, None, chunks)
    assert (again.totals["CARD"], reversal.totals["CARD"]) == ([5, 10, 14244], [6, 12, 14494])
    assert batches.rows_digest(again) == batches.hexadecimal(again.plan_digest)
    assert world.apply(world.approve(again)).batch.state == "applied"
    assert (amounts(), breaches(world)) == ({}, [])


def test_a_reversal_whose_wake_up_is_lost_is_planned_by_whoever_wakes(world: World) -> None:
    reversal = world.propose(world.applied())
    asked = waking.unanswered(at=NOW + timedelta(hours=1), silent_after=timedelta(minutes=1))
    assert [(each.batch_id, each.asked_by) for each in asked] == [(reversal.pk, world.engineer)]
    assert world.validate(reversal).state == "validated"
    assert not waking.unanswered(at=NOW + timedelta(hours=1), silent_after=timedelta(minutes=1))


def test_of_many_accounts_the_first_are_named_and_the_others_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objections, "ACCOUNTS_NAMED", 2)
    original = world.applied()
    for member in ("1002", "1003", "1004", "1005"):
        spend(world, member, 1)
    reasons = objections.floors_broken(original)
    assert [reason.facts.get("account", reason.facts.get("count")) for reason in reasons] == ["points.1002", "points.1003", 2]


def test_of_an_account_that_would_break_its_floor_twice_the_lowest_point_is_told(world: World) -> None:
    original = world.applied(card_file([FIXED._replace(amount="900"), FIXED._replace(slip="later", amount="500")]))
    spend(world, "1001", 10)
    (reason,) = objections.floors_broken(original)
    first = Entry.objects.get(book=world.points, reference="till:s1")
    assert reason.facts == {"account": "points.1001", "balance": -10, "floor": 0, "reference": f"reversal:{first.pk}"}


def test_a_floor_that_breaks_after_the_proposal_stops_the_chunk(world: World) -> None:
    reversal = world.approve(world.reverse(world.applied()))
    spend(world, "1004", 100)
    done = world.apply(reversal)
    assert [codes(reasons) for reasons in done.stopped.values()] == [["floor_broken"]]
    assert Batch.objects.get(reversals=reversal).state == "applied"
    spend(world, "1004", -100)
    assert world.apply(reversal).batch.state == "applied"
    assert amounts() == {}


def test_what_was_reversed_by_itself_before_is_left_out(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.reverse(original)
    assert (reversal.totals["CARD"], original.totals["CARD"]) == ([6, 12, 14494], [7, 14, 14644])
    assert (reversal.record_count, reversal.record_sum) == (7, 14644)
    done = world.apply(world.approve(reversal))
    assert (done.batch.state, amounts(), breaches(world)) == ("applied", {}, [])


def test_a_batch_of_which_all_was_reversed_by_itself_has_nothing_to_reverse(world: World) -> None:
    original = world.applied(card_file([FIXED._replace(amount="50")]))
    reverse_singly(world, "till:s1")
    assert refused(lambda: world.reverse(original)) == ["nothing_to_reverse"]


def test_what_is_reversed_by_itself_after_the_proposal_voids_it(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.reverse(original)
    reverse_singly(world, "till:s2")
    with pytest.raises(Refused, match="1 entries were reversed by themselves") as refusal:
        world.approve(reversal)
    assert codes(refusal.value.reasons) == ["reversal_moved"]
    world.withdraw(reversal)
    world.reversed(original)
    assert (amounts(), breaches(world)) == ({}, [])


def test_what_is_reversed_by_itself_while_it_is_applied_stops_its_chunk(world: World) -> None:
    original = world.applied()
    reverse_singly(world, "till:s1")
    reversal = world.approve(world.reverse(original))
    Batch.objects.filter(pk=reversal.pk).update(state="applying")
    reverse_singly(world, "till:s2")
    done = world.apply(reversal)
    ((number, reasons),) = done.stopped.items()
    assert [(reason.code, reason.facts["reference"]) for reason in reasons] == [("already_reversed", "till:s2")]
    assert set(reversal.chunks.exclude(number=number).values_list("state", flat=True)) == {"applied"}


def test_where_its_period_is_shut_an_entry_is_reversed_in_the_next_open_one_and_says_so(world: World) -> None:
    original = world.applied(card_file([FIXED, FIXED._replace(slip="later", bought_at="2017-02-03T00:00:00Z")]))
    Period.objects.filter(book=world.card, name="2017-01").update(state="frozen")
    reversal = world.reverse(original)
    assert reversal.reversal_dates == {
        "CARD": {"2017-01": ["2017-02-01", 1], "2017-02": [None, 1]},
        "POINTS": {"2017-01": [None, 1], "2017-02": [None, 1]},
    }
    assert (reversal.first_on, reversal.last_on) == (date(2017, 1, 5), date(2017, 2, 3))
    assert world.apply(world.approve(reversal)).batch.state == "applied"
    undone = {
        (entry.book.code, entry.reverses.reference): (entry.effective_on, entry.description)
        for entry in Entry.objects.filter(reverses__isnull=False).select_related("reverses", "book")
        if entry.reverses
    }
    assert undone["CARD", "till:s1"] == (date(2017, 2, 1), "Reversal of till:s1, prior period 2017-01")
    assert undone["CARD", "till:later"] == (date(2017, 2, 3), "Reversal of till:later")
    assert undone["POINTS", "till:s1"] == (date(2017, 1, 5), "Reversal of till:s1")
    assert amounts() == {}


def test_where_no_period_is_open_nothing_is_proposed(world: World) -> None:
    original = world.applied()
    Period.objects.filter(book=world.card).update(state="provisional")
    assert set(refused(lambda: world.reverse(original))) == {"no_period_open"}


@pytest.mark.parametrize("state", ["validated", "approved"])
def test_a_period_that_is_shut_after_the_proposal_voids_it_and_nothing_is_dated_anew(world: World, state: str) -> None:
    reversal = world.reverse(world.applied())
    if state == "approved":
        reversal = world.approve(reversal)
    Period.objects.filter(book=world.card, name="2017-01").update(state="provisional")
    assert refused(lambda: world.apply(reversal) if state == "approved" else world.approve(reversal)) == ["reversal_moved"]
    Batch.objects.filter(pk=reversal.pk, state="approved").update(state="applying")
    if state == "approved":
        done = world.apply(reversal)
        assert {code for reasons in done.stopped.values() for code in codes(reasons)} == {"period_provisional"}


def test_an_account_that_is_not_open_refuses_the_proposal_and_voids_it_afterwards(world: World) -> None:
    original = world.applied()
    set_account("receivable.1001", "suspended")
    with pytest.raises(Refused) as refusal:
        world.reverse(original)
    assert [(reason.code, reason.facts["account"]) for reason in refusal.value.reasons] == [
        ("account_not_open", "receivable.1001")
    ]
    set_account("receivable.1001", "open")
    reversal = world.validate(Batch.objects.get(reverses=original))
    set_account("points.1004", "suspended")
    assert refused(lambda: world.approve(reversal)) == ["reversal_moved"]


def test_a_member_who_was_merged_refuses_the_proposal_and_voids_it_afterwards(world: World) -> None:
    original = world.applied()
    other = merge("1001", "1006")
    with pytest.raises(Refused) as refusal:
        world.reverse(original)
    assert [(reason.code, reason.facts["account"], reason.facts["into"]) for reason in refusal.value.reasons] == [
        ("holder_merged", "points.1001", other.pk),
        ("holder_merged", "receivable.1001", other.pk),
    ]


def test_a_member_who_is_merged_after_the_proposal_voids_it(world: World) -> None:
    original = world.applied()
    merge("1999", "1006")
    reversal = world.reverse(original)
    merge("1004", "1006")
    with pytest.raises(Refused, match="1 members were merged into others") as refusal:
        world.approve(reversal)
    assert codes(refusal.value.reasons) == ["reversal_moved"]


def test_members_without_a_line_in_the_batch_do_not_refuse_and_of_many_the_first_are_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = world.applied(card_file([FIXED, FIXED._replace(member="1002", slip="s2")]))
    merge("1003", "1006")
    assert objections.accounts_away(original) == []
    merge("1001", "1006")
    merge("1002", "1006")
    monkeypatch.setattr(objections, "ACCOUNTS_NAMED", 3)
    named = [reason.facts["account"] for reason in objections.accounts_away(original)]
    assert named == ["points.1001", "points.1002", "receivable.1001"]


def test_a_batch_whose_entries_have_keys_from_before_they_were_made_of_the_postings_is_reversed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(entries, "PLACES", 100)
        original = world.applied()
        reverse_singly(world, "till:s1")
    posting = Posting.objects.filter(origin_kind="chunk").latest("id")
    assert posting.entries.latest("id").pk < posting.pk * PLACES
    spend(world, "1004", 100)
    assert codes(reversals.refusals(original)) == ["floor_broken"]
    spend(world, "1004", -100)
    withdrawn = world.reverse(original)
    assert withdrawn.totals["CARD"] == [6, 12, 14494]
    reverse_singly(world, "till:s2")
    assert refused(lambda: world.approve(withdrawn)) == ["reversal_moved"]
    world.withdraw(withdrawn)
    assert world.reversed(original).totals["CARD"] == [5, 10, 14244]
    assert (amounts(), breaches(world)) == ({}, [])
