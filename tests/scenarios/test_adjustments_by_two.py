"""Adjustments as finance sees them: who may decide how much, what takes two, and what is asked again because the balance moved.

A wallet holds 7.00. Finance decides up to 10.00 alone, up to 50.00 by two people; nobody decides what they proposed. Goodwill is at the expense of sales.
"""

from datetime import date

import pytest

from ledger_app import errors
from ledger_app.base import proofs
from ledger_app.models import Balance, Entry
from tests.support import adjusting, kept


@kept.fixture
def desk(_folder):
    return adjusting.build()


def balance(code):
    """Return what an account has, debit positive."""
    return Balance.objects.get(account__code=code).amount


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def breaches(desk):
    return [breach for each in proofs.invariants() for breach in each.breaches(proofs.Scope([desk.ledger.book]))]


def test_a_small_amount_takes_one_decider_a_larger_one_two_and_too_large_a_one_nobody(desk):
    # 2.00: one decider. Anyone who proposed it is none.
    small = desk.propose(amount=2_00)
    assert refused(lambda: desk.decide(small, who=desk.proposer))[0] in {"own_adjustment", "not_permitted"}
    assert desk.decide(small).state == "approved"

    # 15.00: the first approval posts nothing, the same person's second does not count, another's does.
    larger = desk.propose(amount=15_00)
    assert refused(lambda: desk.decide(larger)) == ["second_decider_needed"]
    assert desk.decide(larger, "endorse").state == "endorsed"
    assert -balance("wallet") == 9_00
    assert "decided_before" in refused(lambda: desk.decide(larger))
    assert desk.decide(larger, who=desk.second).state == "approved"

    # 50.01: no group may decide as much, so that it is not even sent.
    assert refused(lambda: desk.propose(amount=50_01)) == ["over_every_limit"]

    # account     before    2.00    15.00    after
    # wallet       −7.00   −2.00   −15.00   −24.00   (what the shop owes: a credit)
    # sales         0.00   +2.00   +15.00   +17.00   (income forgone: a debit)
    # cash         +7.00                     +7.00
    assert (balance("wallet"), balance("sales"), balance("cash")) == (-24_00, 17_00, 7_00)
    assert balance("wallet") + balance("sales") + balance("cash") == 0
    assert breaches(desk) == []


def test_a_balance_that_moved_since_it_was_shown_is_shown_again(desk):
    """Take 3.00 back: shown as 7.00 → 4.00. Before it is decided the member pays 1.00 out of the wallet."""
    row = desk.propose(amount=-3_00)
    shown = desk.shown(row)
    desk.ledger.post(desk.ledger.draft("paid", ("wallet", 1_00), ("cash", -1_00), on=date(2017, 2, 1)))

    with pytest.raises(errors.Refused) as raised:
        desk.decide(row, digest_shown=shown)
    (said,) = raised.value.reasons
    assert said.code == "preview_moved"
    assert "account wallet has 600 JPY now and would have 300 JPY" in str(said)
    assert -balance("wallet") == 6_00

    # Looked at again, 6.00 → 3.00, and approved.
    desk.decide(row, digest_shown=desk.shown(row))
    assert -balance("wallet") == 3_00
    assert Entry.objects.get(reference=f"adjustment:{row.pk}").posting.posted_by == desk.decider.user
    assert breaches(desk) == []


def test_an_adjustment_takes_no_more_than_there_is_unless_it_says_so(desk):
    """A chargeback of 8.00 on a wallet with 7.00."""
    assert refused(lambda: desk.propose(amount=-8_00)) == ["floor_broken"]
    # Goodwill may not break a floor at all; a chargeback may, and says that it does.
    assert refused(lambda: desk.propose(amount=-8_00, waives_floor=True)) == ["floor_not_waivable"]
    desk.decide(desk.propose(amount=-8_00, reason="chargeback", waives_floor=True))
    assert -balance("wallet") == -1_00
    # What is below its floor only rises.
    assert refused(lambda: desk.propose(amount=-1, reason="chargeback")) == ["floor_broken"]
    assert desk.decide(desk.propose(amount=1_00)).state == "approved"
    assert (-balance("wallet"), breaches(desk)) == (0, [])
