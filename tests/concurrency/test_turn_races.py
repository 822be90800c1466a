"""Two at once under a reference that a reversed entry has given on: one stands, whatever they share; without the locks they collide on the key."""

from datetime import date

import pytest

from ledger_app.base.operations import transactions
from ledger_app.models import Entry
from ledger_app.posting.rules import posting
from tests.concurrency.test_ledger_races import Meeting, at_once, breaches, code_of, without_locks
from tests.support import samples
from tests.support.reversing import reverse_entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger():
    made = samples.open_ledger(samples.machine_caller())
    made.sell("r-1", 10)
    entry = Entry.objects.get()
    reverse_entry(entry_id=entry.pk, effective_on=date(2017, 1, 10), reason="Twice.", caller=made.caller)
    return made


def two_anew(ledger, monkeypatch, *lines):
    """Have two post the next entry under the reference at once, each with its own lines."""
    monkeypatch.setattr(posting, "decide", Meeting().before(posting.decide))
    outcomes = at_once(*(lambda each=each: ledger.post(ledger.draft("r-1", *each)) for each in lines))
    monkeypatch.undo()
    return sorted(code_of(outcome) for outcome in outcomes)


SALE, SETTLED = (("cash", 10), ("sales", -10)), (("purse", 7), ("M1-receivable", -7))


def stands_once(ledger):
    assert [*Entry.objects.filter(reference="r-1").order_by("turn").values_list("turn", flat=True)] == [0, 1]
    assert breaches(ledger) == []


def test_the_same_anew_at_once_is_one_entry_and_one_replay(ledger, monkeypatch):
    assert two_anew(ledger, monkeypatch, SALE, SALE) == ["Posted", "Posted"]
    stands_once(ledger)


def test_two_that_share_no_account_meet_on_the_key_and_the_second_is_refused_by_name(ledger, monkeypatch):
    assert two_anew(ledger, monkeypatch, SALE, SETTLED) == ["Posted", "reference_conflict"]
    stands_once(ledger)


@pytest.mark.mariadb
def test_without_a_second_try_and_locks_the_key_alone_lets_one_stand(ledger, monkeypatch):
    monkeypatch.setattr(transactions, "TRIES", 1)
    without_locks(monkeypatch)
    outcomes = two_anew(ledger, monkeypatch, SALE, SETTLED)
    assert outcomes[0] == "Posted"
    assert outcomes[1] != "Posted"
    stands_once(ledger)
