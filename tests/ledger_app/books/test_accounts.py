"""Accounts suspended, reopened and closed."""

import pytest
from django.db import DatabaseError, transaction

from ledger_app.base import proofs
from ledger_app.books.operations import accounts
from ledger_app.errors import Refused
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.models import Account, AuditRow
from tests.support import samples


@pytest.fixture
def change(ledger, support, finance, caller_of):
    users = {"support": support, "finance": finance}

    def change(code, name, *, by="finance", reason="Asked for.", version=None):
        caller = caller_of(users[by], at=samples.AFTER_JANUARY)
        return accounts.change(account_id=ledger.accounts[code].pk, name=name, reason=reason, caller=caller, version=version)

    return change


def refused(work):
    with pytest.raises(Refused) as caught:
        work()
    return [reason.code for reason in caught.value.reasons]


def test_support_suspends_finance_reopens_and_closes_and_each_change_has_its_row(ledger, change):
    assert refused(lambda: change("M1-receivable", "close", by="support")) == ["not_permitted"]
    assert change("M1-receivable", "suspend", by="support").state == "suspended"
    assert refused(lambda: ledger.post(ledger.draft("r", ("M1-receivable", 1), ("sales", -1)))) == ["account_not_open"]
    assert refused(lambda: change("M1-receivable", "reopen", by="support")) == ["not_permitted"]
    assert change("M1-receivable", "reopen").version == 3
    assert change("M1-receivable", "close").state == "closed"
    rows = AuditRow.objects.filter(subject_type="account", outcome="done").order_by("id")
    assert list(rows.values_list("from_state", "to_state")) == [("open", "suspended"), ("suspended", "open"), ("open", "closed")]
    assert ledger.accounts["M1-receivable"].history.count() == 4
    assert [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([ledger.book]))] == []


def test_an_account_is_closed_at_zero_over_all_its_stripes_and_stays_closed(ledger, change):
    ledger.post(ledger.draft("r1", ("cash", 5), ("settlement", -5)), lane=1)
    assert refused(lambda: change("settlement", "close")) == ["account_not_zero"]
    with pytest.raises(DatabaseError), transaction.atomic():
        Account.objects.filter(code="settlement").update(state="closed")
    ledger.post(ledger.draft("r2", ("cash", -5), ("settlement", 5)), lane=2)
    assert change("settlement", "close").state == "closed"
    assert refused(lambda: change("settlement", "reopen")) == ["wrong_state"]
    with pytest.raises(DatabaseError), transaction.atomic():
        Account.objects.filter(code="settlement").update(state="open")


def test_an_account_of_a_member_who_is_to_be_merged_is_not_closed(ledger, change, support, caller_of):
    one, other = (ledger.accounts[f"{name}-receivable"].holder_id for name in ("M1", "M2"))
    merges.propose(
        merge_queries.proposal(holder_id=one, survivor_id=other, reason="One."),
        caller=caller_of(support, at=samples.AFTER_JANUARY),
    )
    assert refused(lambda: change("M2-receivable", "close")) == ["open_work"]


def test_a_change_needs_a_reason_and_what_was_shown(change):
    assert refused(lambda: change("cash", "suspend", reason="")) == ["reason_required"]
    assert refused(lambda: change("cash", "suspend", version=7)) == ["stale"]
    assert refused(lambda: change("cash", "burn")) == ["not_found"]
