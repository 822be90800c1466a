"""What was proved before the lock, and what came since, are together what a proof of the whole is."""

import random
from datetime import date
from itertools import count

import pytest
from django.db import connection

from ledger_app import errors
from ledger_app.close.queries import proving, seals
from ledger_app.models import Entry, Posting
from tests.ledger_app.close.test_canonical_form import recomputed

NAMES = [f"{head}{number}" for head in "aBz~!_" for number in range(7)]
ENTRY = "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest) VALUES (%s, %s, %s, %s, %s, '', %s)"
LINE = "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after) VALUES (%s, %s, %s, 0, %s, %s, 0)"
numbers = count(1)  # posting makes larger ones


def proved_of(ledger):
    return proving.Proved(ledger.periods["2017-01"])


def commit_late(ledger, reference, on):
    """Write an entry under a number that is lower than any other, as a posting does that is committed after later ones."""
    key = next(numbers)
    with connection.cursor() as cursor:
        cursor.execute(ENTRY, [key, Posting.objects.latest("id").pk, ledger.book.pk, on, reference, b"0" * 32])
        for place, (code, amount) in enumerate((("cash", 3), ("sales", -3))):
            cursor.execute(LINE, [key * 2 + place, key, ledger.accounts[code].pk, 1_000_000 + key, amount])


@pytest.mark.parametrize("placed_most", [0, 500])
@pytest.mark.parametrize("seed", range(4))
def test_what_came_since_is_put_where_it_belongs(ledger, monkeypatch, seed, placed_most):
    monkeypatch.setattr(proving, "PLACED_MOST", placed_most)
    chance = random.Random(seed)
    names = chance.sample(NAMES, len(NAMES))
    days = [date(2017, 1, day) for day in (1, 15, 31)]
    for name in names[:20]:
        ledger.sell(name, chance.randint(1, 99), on=chance.choice(days[:2]))
    ledger.sell("elsewhere", 5, on=date(2017, 2, 1))
    with proved_of(ledger) as proved:
        proved.prove()
        for name in names[20:30]:
            ledger.sell(name, chance.randint(1, 99), on=chance.choice(days))
        for name in names[30:33]:
            commit_late(ledger, name, chance.choice(days))
        found = proved.under_lock()
        again = proved.under_lock()
    whole = seals.prove(ledger.periods["2017-01"])
    assert sorted(found.differing) == sorted(whole.differing) == sorted(names[30:33])
    found.differing, whole.differing = [], []
    assert found == whole
    assert (again.digest, again.entry_count) == (whole.digest, 33)


def test_it_is_the_digest_that_the_document_describes(ledger):
    for name in ("b", "B", "a-10", "a-9"):
        ledger.sell(name, 5)
    with proved_of(ledger) as proved:
        proved.prove()
        ledger.sell("_", 5)
        assert proved.under_lock().digest.hex() == recomputed(ledger, "2017-01", "")


def test_the_highest_number_alone_would_leave_the_late_one_out(ledger):
    ledger.sell("r-1", 5)
    with proved_of(ledger) as proved:
        proved.prove()
        highest = Entry.objects.latest("id").pk
        commit_late(ledger, "late", date(2017, 1, 10))
        assert not Entry.objects.filter(id__gt=highest).exists()
        assert proved.under_lock().entry_count == 2


def test_a_balance_that_the_new_lines_do_not_lead_to_is_named(ledger):
    ledger.sell("r-1", 5)
    with proved_of(ledger) as proved:
        proved.prove()
        ledger.sell("r-2", 5)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE ledger_app_balance SET amount = amount + 1 WHERE account_id = %s", [ledger.accounts["cash"].pk]
            )
        proved.under_lock()
        assert proved.balances_differing == ["cash"]


def test_what_went_is_no_proof(ledger):
    ledger.sell("r-1", 5)
    with proved_of(ledger) as proved:
        proved.prove()
        proved._days[date(2017, 1, 10)] = proved._days[date(2017, 1, 10)]._replace(entries=2)
        with pytest.raises(errors.WrittenDiffers):
            proved.under_lock()


def test_more_than_is_to_be_proved_under_a_lock_is_refused(ledger, monkeypatch):
    monkeypatch.setattr(proving, "UNDER_LOCK_MOST", 1)
    with proved_of(ledger) as proved:
        proved.prove()
        ledger.sell("r-1", 5)
        assert proved.under_lock().entry_count == 1
        ledger.sell("r-2", 5)
        ledger.sell("r-3", 5)
        with pytest.raises(errors.Refused) as refused:
            proved.under_lock()
    assert [reason.code for reason in refused.value.reasons] == ["period_moves"]
