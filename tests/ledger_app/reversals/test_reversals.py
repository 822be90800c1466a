"""The reversal of an entry by hand: proposed by one, decided by another, posted once, on the day that the rule gives."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from ledger_app import errors
from ledger_app.base import proofs
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.models import Account, AuditRow, Balance, Entry, Reversal
from ledger_app.posting.queries import origins
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from tests.support.reversing import reverse_entry

WHY = "Bought by another."


@pytest.fixture
def helper(support, caller_of):
    """Support, who proposes."""
    return caller_of(support)


@pytest.fixture
def sale(ledger):
    """A sale of 100 that filled the purse, which may not fall below nothing."""
    ledger.post(ledger.draft("r-1", ("purse", 100), ("sales", -100)))
    return Entry.objects.get(reference="r-1")


def propose(entry, caller, **given):
    return reversals.propose(entry_id=entry.pk, caller=caller, **{"reason": WHY, **given})


def approve(row, caller, **given):
    shown = asked.preview_on(row.entry, row.effective_on, row.prior_period).digest
    return reversals.approve(reversal_id=row.pk, caller=caller, **{"digest_shown": shown, **given})


def codes(call):
    with pytest.raises(errors.Refused) as refused:
        call()
    return [reason.code for reason in refused.value.reasons]


def breaches(ledger):
    return [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([ledger.book]))]


def test_a_reversal_is_proposed_decided_by_another_and_posted_with_the_decision(ledger, sale, helper, checker):
    row = propose(sale, helper, ticket="T-17")
    assert (row.state, row.effective_on, row.prior_period) == ("proposed", sale.effective_on, "")
    assert Entry.objects.count() == 1
    done = approve(row, checker)
    assert (done.state, done.decided_by, done.version) == ("posted", checker.user, 2)
    assert (done.reversal.reverses, done.reversal.reference) == (sale, f"reversal:{sale.pk}")
    assert list(done.reversal.lines.order_by("id").values_list("account__code", "amount")) == [("purse", -100), ("sales", 100)]
    told = origins.of([done.reversal.pk])[done.reversal.pk]
    assert (told.facts["reverses"], told.facts["ticket"], told.facts["reason"]) == ("r-1", "T-17", WHY)
    assert (told.facts["proposed_by"], told.facts["decided_by"]) == (helper.user.username, checker.user.username)
    assert list(AuditRow.objects.filter(subject_type="reversal").order_by("id").values_list("action", "outcome")) == [
        ("propose", "done"),
        ("approve", "done"),
    ]
    assert breaches(ledger) == []


@pytest.mark.parametrize("is_superuser", [False, True])
def test_nobody_decides_their_own_reversal(sale, make_user, caller_of, is_superuser):
    both = caller_of(make_user("finance-9", "finance", is_superuser=is_superuser))
    row = propose(sale, both)
    assert codes(lambda: approve(row, both)) == ["own_reversal"]
    assert codes(lambda: reversals.reject(reversal_id=row.pk, reason="No.", caller=both)) == ["own_reversal"]
    assert AuditRow.objects.filter(subject_type="reversal", outcome="refused").count() == 2


def test_the_schema_refuses_one_who_decides_their_own_reversal(sale, helper, checker):
    row = propose(sale, helper)
    with pytest.raises(DatabaseError), transaction.atomic():
        Reversal.objects.filter(pk=row.pk).update(
            state="rejected", holds_entry=None, decided_by=helper.user, decided_at=helper.at
        )


@pytest.mark.parametrize("column", ["reason", "ticket", "effective_on", "prior_period"])
def test_what_was_proposed_is_not_edited(sale, helper, column):
    row = propose(sale, helper)
    value = date(2017, 2, 2) if column == "effective_on" else "other"
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Reversal.objects.filter(pk=row.pk).update(**{column: value})


def test_what_was_decided_stays_and_no_proposal_goes(sale, helper, checker):
    row = reversals.reject(reversal_id=propose(sale, helper).pk, reason="No.", caller=checker)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Reversal.objects.filter(pk=row.pk).update(version=9)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_app_reversal WHERE id = %s", [row.pk])


@pytest.mark.parametrize(("role", "refused"), [("engineer", ["not_permitted"]), ("auditor", ["not_permitted"]), ("support", [])])
def test_support_and_finance_propose(sale, make_user, caller_of, role, refused):
    caller = caller_of(make_user(f"{role}-9", role))
    if refused:
        assert codes(lambda: propose(sale, caller)) == refused
        assert AuditRow.objects.get().subject == "r-1"
    else:
        assert propose(sale, caller).state == "proposed"


def test_support_does_not_decide(sale, helper, make_user, caller_of):
    other = caller_of(make_user("support-9", "support"))
    row = propose(sale, helper)
    assert codes(lambda: approve(row, other)) == ["not_permitted"]
    assert codes(lambda: reversals.withdraw(reversal_id=row.pk, caller=other)) == ["not_proposer"]


def test_a_proposal_needs_a_reason_and_a_ticket_that_is_one(sale, helper):
    assert codes(lambda: propose(sale, helper, reason=" ", ticket="no spaces")) == ["reason_required", "reversal_ticket_invalid"]
    assert codes(lambda: propose(sale, helper, reason="x" * 501)) == ["reason_too_long"]
    assert codes(lambda: reversals.propose(entry_id=1, reason=WHY, caller=helper)) == ["not_found"]


def test_an_entry_is_proposed_once_at_a_time_and_again_after_a_withdrawal_or_a_rejection(sale, helper, checker):
    first = propose(sale, helper)
    assert codes(lambda: propose(sale, helper)) == ["entry_reversal_open"]
    reversals.withdraw(reversal_id=first.pk, caller=helper)
    second = propose(sale, helper)
    assert codes(lambda: reversals.reject(reversal_id=second.pk, reason=" ", caller=checker)) == ["reason_required"]
    reversals.reject(reversal_id=second.pk, reason="It was right.", caller=checker)
    assert approve(propose(sale, helper), checker).state == "posted"


def test_an_entry_is_reversed_once_and_its_reversal_never(sale, helper, checker):
    done = approve(propose(sale, helper), checker)
    assert codes(lambda: propose(sale, helper)) == ["already_reversed"]
    assert codes(lambda: propose(done.reversal, helper)) == ["reversal_of_reversal"]
    assert codes(lambda: approve(done, checker)) == ["wrong_state"]


def test_what_was_reversed_meanwhile_is_not_reversed_again(sale, helper, checker):
    row = propose(sale, helper)
    reverse_entry(entry_id=sale.pk, effective_on=sale.effective_on, reason=WHY, caller=checker)
    assert "already_reversed" in codes(lambda: approve(row, checker))
    assert Entry.objects.filter(reverses=sale).count() == 1


def test_a_balance_that_moved_makes_the_preview_stale(ledger, sale, helper, checker):
    row = propose(sale, helper)
    shown = asked.preview(sale).digest
    ledger.post(ledger.draft("r-2", ("purse", 5), ("sales", -5)))
    assert codes(lambda: approve(row, checker, digest_shown=shown)) == ["reversal_preview_moved"]
    assert approve(row, checker).state == "posted"


def test_a_balance_that_moves_after_the_guards_looked_makes_it_stale_too(ledger, sale, helper, checker, monkeypatch):
    row = propose(sale, helper)
    monkeypatch.setattr(reversals, "_after", lambda _entry: {account.pk: 7 for account in ledger.accounts.values()})
    assert codes(lambda: approve(row, checker)) == ["reversal_preview_moved"]
    assert Entry.objects.count() == 1


def test_the_contra_account_may_move_without_asking_again(ledger, sale, helper, checker):
    row = propose(sale, helper)
    shown = asked.preview(sale).digest
    ledger.sell("r-2", 5)
    assert approve(row, checker, digest_shown=shown).state == "posted"


def test_what_was_shown_to_the_proposer_is_held_against_what_is_so(ledger, sale, helper):
    shown = asked.preview(sale).digest
    ledger.post(ledger.draft("r-2", ("purse", 5), ("sales", -5)))
    assert codes(lambda: propose(sale, helper, digest_shown=shown)) == ["reversal_preview_moved"]
    assert propose(sale, helper, digest_shown=asked.preview(sale).digest).state == "proposed"


def test_a_floor_that_would_break_and_an_account_that_is_shut_are_refused_by_name(ledger, sale, helper, checker):
    row = propose(sale, helper)
    ledger.post(ledger.draft("r-2", ("purse", -40), ("cash", 40)))
    assert codes(lambda: approve(row, checker)) == ["floor_broken"]
    Account.objects.filter(pk=ledger.accounts["purse"].pk).update(state="suspended")
    assert codes(lambda: approve(row, checker)) == ["account_not_open", "floor_broken"]
    reversals.withdraw(reversal_id=row.pk, caller=helper)
    assert codes(lambda: propose(sale, helper)) == ["account_not_open", "floor_broken"]


def freeze(ledger, checker, name):
    return periods.freeze(period_id=ledger.periods[name].pk, controls={"entries": 1}, caller=checker, code_version="test")


def test_an_entry_of_a_frozen_period_is_reversed_on_the_first_open_day_and_marked(ledger, sale, helper, checker):
    freeze(ledger, checker, "2017-01")
    row = propose(sale, helper)
    assert (row.effective_on, row.prior_period) == (date(2017, 2, 1), "2017-01")
    done = approve(row, checker)
    assert (done.reversal.effective_on, done.reversal.description) == (date(2017, 2, 1), "Reversal of r-1, prior period 2017-01")


def test_a_provisional_period_takes_a_reversal_by_hand(ledger, sale, helper, checker):
    periods.change(period_id=ledger.periods["2017-01"].pk, name="provisional", caller=checker)
    assert approve(propose(sale, helper), checker).reversal.effective_on == sale.effective_on


def test_without_an_open_day_nothing_is_reversed(ledger, sale, helper, checker):
    freeze(ledger, checker, "2017-01")
    for name in ("2017-02", "2017-03"):
        period = ledger.periods[name]
        later = type(checker)(checker.user, checker.at.replace(month=12), checker.door)
        periods.freeze(period_id=period.pk, controls={"entries": 0}, caller=later, code_version="test")
    assert codes(lambda: propose(sale, helper)) == ["no_reversal_day"]
    books.open_period(
        book=ledger.book, name="2017-04", starts_on=date(2017, 4, 1), ends_on=date(2017, 4, 30), caller=ledger.caller
    )
    assert propose(sale, helper).effective_on == date(2017, 4, 1)


def test_a_period_does_not_freeze_while_a_reversal_dated_in_it_is_undecided(ledger, sale, helper, checker):
    row = propose(sale, helper)
    assert codes(lambda: freeze(ledger, checker, "2017-01")) == ["work_unfinished"]
    reversals.reject(reversal_id=row.pk, reason="It was right.", caller=checker)
    assert freeze(ledger, checker, "2017-01").entry_count == 1


def test_other_applications_object(sale, helper, monkeypatch):
    monkeypatch.setattr(asked, "_objections", [lambda entry: [errors.NotFound(what="grace", name=entry.reference)]])
    assert codes(lambda: propose(sale, helper)) == ["not_found"]


def test_a_decision_that_the_rows_do_not_bear_out_is_found(ledger, sale, helper, checker):
    row = propose(sale, helper)
    columns = "state = 'posted', version = 2, decided_by_id = %s, decided_at = proposed_at, decided_digest = digest, reversal_id = entry_id"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE ledger_app_reversal SET {columns} WHERE id = %s", [checker.user.pk, row.pk])
    said = breaches(ledger)
    assert any("its entry is not the one that was decided" in each for each in said)
    assert any("0 audit rows" in each for each in said)


def test_the_preview_says_the_balances_before_and_after(ledger, sale):
    ledger.post(ledger.draft("r-2", ("settlement", -30), ("cash", 30)), lane=2)
    shown = asked.preview(sale)
    assert [(each.account, each.before, each.after, each.is_bound) for each in shown.balances] == [
        ("purse", 100, 0, True),
        ("sales", -100, 0, False),
    ]
    assert Balance.objects.get(account=ledger.accounts["purse"]).amount == 100
    striped = asked.preview(Entry.objects.get(reference="r-2"))
    assert [(each.before, each.after) for each in striped.balances] == [(-30, 0), (30, 0)]
