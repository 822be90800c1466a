"""A reference names the entry that stands: once it is reversed, the next may bear it, and both stay to be found."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.close.queries import seals
from ledger_app.explain.queries import explain
from ledger_app.models import Entry
from ledger_app.posting.queries import journal
from ledger_app.posting.rules.drafts import Reversed
from ledger_app.verification.operations import verification
from tests.support import samples
from tests.support.reversing import reverse_entry

JANUARY, FEBRUARY = date(2017, 1, 10), date(2017, 2, 10)


def reverse(ledger, entry, on=JANUARY):
    return reverse_entry(entry_id=entry.pk, effective_on=on, reason="Booked twice", caller=ledger.caller)


def under(reference):
    return list(Entry.objects.filter(reference=reference).order_by("turn"))


def breaches(ledger):
    found = verification.verify(books=[ledger.book], at=samples.AFTER_JANUARY, now=lambda: samples.AFTER_JANUARY)
    return [breach for each in found.results for breach in each["breaches"]]


def balance(ledger):
    return {code: sum(row.amount for row in account.balances.all()) for code, account in ledger.accounts.items()}


@pytest.mark.parametrize("amount", [100, 70])
def test_a_reversed_entry_gives_its_reference_to_the_next_whatever_that_says(ledger, amount):
    ledger.sell("r-1", 100)
    (first,) = under("r-1")
    reverse(ledger, first)
    posted = ledger.sell("r-1", amount)
    assert (posted.entry_count, posted.replayed_count) == (1, 0)
    first, second = under("r-1")
    assert (first.turn, second.turn) == (0, 1)
    assert balance(ledger)["cash"] == amount
    assert breaches(ledger) == []


def test_the_one_that_stands_is_found_again_and_another_content_is_refused(ledger):
    ledger.sell("r-1", 100)
    reverse(ledger, under("r-1")[0])
    ledger.sell("r-1", 70)
    assert ledger.sell("r-1", 70).replayed_count == 1
    with pytest.raises(errors.Refused) as refused:
        ledger.sell("r-1", 100)  # what the reversed one said
    (reason,) = refused.value.reasons
    assert reason.code == "reference_conflict"
    assert "70" in str(reason)


def test_a_reference_is_given_on_as_often_as_its_entry_is_reversed(ledger):
    for amount in (10, 20, 30):
        ledger.sell("r-1", amount)
        reverse(ledger, under("r-1")[-1])
    ledger.sell("r-1", 40)
    assert [entry.turn for entry in under("r-1")] == [0, 1, 2, 3]
    assert balance(ledger)["cash"] == 40
    assert breaches(ledger) == []


def test_reversed_and_posted_anew_in_one_call(ledger):
    ledger.sell("r-1", 100)
    (first,) = under("r-1")
    undoing = ledger.draft("undo", ("cash", -100), ("sales", 100))._replace(reverses=Reversed(first.pk, "r-1"))
    posted = ledger.post(undoing, ledger.draft("r-1", ("cash", 100), ("sales", -100)))
    assert (posted.entry_count, posted.replayed_count) == (2, 0)
    assert [entry.turn for entry in under("r-1")] == [0, 1]
    assert breaches(ledger) == []


def test_a_look_up_by_reference_finds_the_one_that_stands_and_from_there_the_others(ledger):
    ledger.sell("r-1", 100)
    (first,) = under("r-1")
    assert explain.find_entry(book="CARD", reference="r-1") == first
    reverse(ledger, first)
    assert explain.find_entry(book="CARD", reference="r-1") == first  # nothing stands: the last that did
    ledger.sell("r-1", 70)
    second = under("r-1")[1]
    found = explain.find_entry(book="CARD", reference="r-1")
    assert found is not None
    assert found == second
    told = explain.entry(found)
    assert (told.replaces, told.replaced_by) == (first.pk, None)
    assert explain.entry(first).replaced_by == second.pk


def raw(entry, turn, reference="r-1"):
    """Write an entry by SQL, past the program."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, turn, description, digest)"
            " VALUES (%s, %s, %s, '2017-01-10', %s, %s, '', %s)",
            [10**15 + turn, entry.posting_id, entry.book_id, reference, turn, bytes(32)],
        )


def test_the_database_lets_no_second_one_stand(ledger):
    ledger.sell("r-1", 100)
    (first,) = under("r-1")
    for turn in (0, 1, 2):
        with pytest.raises(DatabaseError):
            raw(first, turn)
    with pytest.raises(DatabaseError):
        raw(first, 1, reference="r-2")
    reverse(ledger, first)
    with pytest.raises(DatabaseError):
        raw(first, 2)
    raw(first, 1)  # the control: what the program itself would write


def test_verify_names_a_second_one_that_stands(ledger):
    ledger.sell("r-1", 100)
    if connection.vendor == "mysql":
        pytest.skip("MariaDB commits where a trigger is dropped; SQLite shows the same statements")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER kakutei_entry_turn_follows")
    raw(under("r-1")[0], 1)
    assert any("r-1" in each and "not reversed" in each for each in breaches(ledger))


def test_the_seal_takes_both_in_the_order_of_their_turns_and_no_digest_changes(ledger, checker):
    """The same entries under other references that sort alike seal to what they always did; two under one reference follow each other."""
    ledger.sell("a", 1)
    ledger.sell("r-1", 100)
    reverse(ledger, under("r-1")[0])
    ledger.sell("r-1", 70)
    ledger.sell("z", 2)
    period = ledger.periods["2017-01"]
    first, second = under("r-1")
    told = [(each.reference, each.lines[0].amount) for each in journal.entries(period)]
    assert [each for each in told if not each[0].startswith("reversal")] == [("a", 1), ("r-1", 100), ("r-1", 70), ("z", 2)]
    assert bytes(first.digest) != bytes(second.digest)
    proof = seals.prove(period)
    sealed = periods.freeze(period_id=period.pk, controls={"entries": 5}, caller=checker, code_version="test")
    assert bytes(sealed.digest) == proof.digest
    assert breaches(ledger) == []


def test_the_same_content_again_has_the_same_digest(ledger):
    ledger.sell("r-1", 100)
    reverse(ledger, under("r-1")[0])
    ledger.sell("r-1", 100)
    first, second = under("r-1")
    assert bytes(first.digest) == bytes(second.digest)


def test_the_references_of_another_book_are_its_own(ledger):
    other = samples.open_ledger(Caller(ledger.caller.user, ledger.caller.at, "test"), code="OTHER")
    ledger.sell("r-1", 100)
    reverse(ledger, under("r-1")[0])
    other.sell("r-1", 100)
    assert [entry.turn for entry in under("r-1")] == [0, 0]
