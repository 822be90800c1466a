"""``post``: all or nothing, each reference once, and nothing written that was not planned."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger_app import errors
from ledger_app.base import proofs
from ledger_app.base.operations import bulk, transactions
from ledger_app.models import Account, Balance, Entry, Line, Period, Posting
from ledger_app.posting.operations import entries
from ledger_app.posting.rules import drafts
from ledger_app.values.balances import balance_id
from ledger_app.values.most import AMOUNT_MOST
from tests.support.origins import of_request
from tests.support.reversing import reverse_entry

FEBRUARY = date(2017, 2, 10)


def breaches(ledger):
    return [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([ledger.book]))]


def signed(ledger, code):
    return sum(Balance.objects.filter(account=ledger.accounts[code]).values_list("amount", flat=True))


def test_posting_writes_entries_lines_balances_and_who_did_it(ledger):
    written_at = datetime(2017, 2, 1, 9, 0, 7, 5, tzinfo=UTC)
    posted = ledger.post(
        ledger.draft("r-1", ("cash", 100), ("sales", -100), description="売上"),
        ledger.draft("r-2", ("cash", 50), ("wallet", -30), ("sales", -20)),
        at=written_at,
    )
    assert (posted.entry_count, posted.line_count, posted.replayed_count) == (2, 5, 0)
    row = Posting.objects.get(pk=posted.posting_id)
    assert (row.posted_by, row.posted_at, row.entry_count, row.line_count) == (ledger.caller.user, written_at, 2, 5)
    first, second = Entry.objects.order_by("id")
    assert (first.reference, first.description, first.effective_on) == ("r-1", "売上", date(2017, 1, 10))
    lines = Line.objects.filter(account=ledger.accounts["cash"]).order_by("sequence")
    assert list(lines.values_list("entry_id", "sequence", "amount", "balance_after")) == [
        (first.pk, 1, 100, 100),
        (second.pk, 2, 50, 150),
    ]
    assert {code: signed(ledger, code) for code in ("cash", "sales", "wallet")} == {"cash": 150, "sales": -120, "wallet": -30}
    assert breaches(ledger) == []


def test_lines_keep_the_order_in_which_they_were_given(ledger):
    given = [("sales", -5), ("cash", 9), ("wallet", -3), ("sales", -1)]
    ledger.post(ledger.draft("r-1", *given))
    assert list(Line.objects.order_by("id").values_list("account__code", "amount")) == given


def test_an_empty_call_does_nothing(ledger):
    assert ledger.post() == entries.Posted(None, 0, 0, 0)
    assert not Posting.objects.exists()


def test_a_refusal_leaves_nothing_behind(ledger):
    with pytest.raises(errors.Refused) as refused:
        ledger.post(
            ledger.draft("r-1", ("cash", 100), ("sales", -100)),
            ledger.draft("r-2", ("cash", 100), ("sales", -99)),
            ledger.draft("r-3", ("wallet", 1), ("sales", -1)),
        )
    assert [reason.code for reason in refused.value.reasons] == ["unbalanced", "floor_broken"]
    assert not Posting.objects.exists()
    assert not Entry.objects.exists()
    assert signed(ledger, "cash") == 0


def test_a_draft_for_a_book_or_an_account_that_does_not_exist_is_refused(ledger):
    nowhere = ledger.draft("r-1", ("cash", 1), ("sales", -1))._replace(book_id=10**9)
    nobody = ledger.draft("r-2")._replace(lines=((10**9, 1), (ledger.accounts["sales"].pk, -1)))
    with pytest.raises(errors.Refused) as refused:
        ledger.post(nowhere, nobody)
    assert [reason.code for reason in refused.value.reasons] == ["book_unknown", "account_unknown"]


def test_a_closed_account_a_missing_period_and_a_merged_member_are_refused(ledger):
    Account.objects.filter(pk=ledger.accounts["purse"].pk).update(state="suspended")
    merged, survivor = ledger.accounts["M1-receivable"].holder, ledger.accounts["M2-receivable"].holder
    type(merged).objects.filter(pk=merged.pk).update(merged_into=survivor)
    with pytest.raises(errors.Refused) as refused:
        ledger.post(
            ledger.draft("r-1", ("purse", 1), ("sales", -1)),
            ledger.draft("r-2", ("cash", 1), ("sales", -1), on=date(2018, 1, 1)),
            ledger.draft("r-3", ("M1-receivable", 1), ("sales", -1)),
        )
    assert [reason.code for reason in refused.value.reasons] == ["account_not_open", "period_missing", "holder_merged"]
    assert refused.value.reasons[2].facts["into"] == survivor.pk


def test_a_provisional_period_takes_no_batches(ledger):
    Period.objects.filter(pk=ledger.periods["2017-01"].pk).update(state="provisional", version=2)
    with pytest.raises(errors.Refused) as refused:
        ledger.post(ledger.draft("r-1", ("cash", 1), ("sales", -1)), by_chunk=True)
    assert [reason.code for reason in refused.value.reasons] == ["period_provisional"]
    assert ledger.sell("r-1", 1).entry_count == 1


def test_the_same_again_is_replayed_and_writes_nothing(ledger):
    ledger.sell("r-1", 100)
    again = ledger.post(ledger.draft("r-1", ("cash", 100), ("sales", -100)))
    assert again == entries.Posted(None, 0, 0, 1)
    assert (Entry.objects.count(), Posting.objects.count(), signed(ledger, "cash")) == (1, 1, 100)


def test_old_and_new_in_one_call_post_the_new_alone(ledger):
    ledger.sell("r-1", 100)
    posted = ledger.post(ledger.draft("r-1", ("cash", 100), ("sales", -100)), ledger.draft("r-2", ("cash", 1), ("sales", -1)))
    assert (posted.entry_count, posted.replayed_count) == (1, 1)
    assert breaches(ledger) == []


def test_the_same_draft_twice_in_one_call_is_one_entry(ledger):
    draft = ledger.draft("r-1", ("cash", 100), ("sales", -100))
    posted = ledger.post(draft, draft)
    assert (posted.entry_count, posted.replayed_count, signed(ledger, "cash")) == (1, 1, 100)


def test_a_reference_with_other_content_is_refused_and_each_field_named(ledger):
    ledger.sell("r-1", 100)
    other = ledger.draft("r-1", ("cash", 90), ("sales", -90), on=date(2017, 1, 11), description="x")
    with pytest.raises(errors.Refused) as refused:
        ledger.post(other)
    (reason,) = refused.value.reasons
    assert reason.code == "reference_conflict"
    for part in ("date (2017-01-10 ≠ 2017-01-11)", "description ( ≠ x)", "cash (100 JPY ≠ 90 JPY)"):
        assert part in reason.sentence
    assert signed(ledger, "cash") == 100


def test_references_that_differ_in_case_alone_are_two(ledger):
    ledger.sell("Ref", 1)
    assert ledger.sell("rEF", 1).entry_count == 1


def test_one_origin_is_posted_once(ledger):
    origin = entries.Origin(Posting.Origin.CHUNK, 10**6)
    first, second = (ledger.draft(name, ("cash", 1), ("sales", -1)) for name in ("r-1", "r-2"))
    transactions.run(lambda: entries.post(drafts=[first], origin=origin, caller=ledger.caller))
    with pytest.raises(errors.Refused) as refused:
        transactions.run(lambda: entries.post(drafts=[second], origin=origin, caller=ledger.caller))
    # To try it again would never help.
    assert [reason.code for reason in refused.value.reasons] == ["not_unique"]
    assert Entry.objects.count() == 1


def test_lanes_write_stripes_of_their_own_that_sum_to_the_balance(ledger):
    for lane in range(8):
        ledger.post(ledger.draft(f"r-{lane}", ("cash", 10), ("settlement", -10)), lane=lane)
    stripes = Balance.objects.filter(account=ledger.accounts["settlement"]).order_by("stripe")
    assert list(stripes.values_list("stripe", "amount", "sequence")) == [(stripe, -20, 2) for stripe in range(4)]
    assert signed(ledger, "settlement") == -80
    assert breaches(ledger) == []


def test_balances_far_beyond_floating_point_stay_exact(ledger):
    most = AMOUNT_MOST
    odd = most - 1
    ledger.post(*(ledger.draft(f"r-{number}", ("cash", odd), ("sales", -odd)) for number in range(20)))
    assert signed(ledger, "cash") == 20 * odd
    key = balance_id(ledger.accounts["cash"].pk, 0)
    huge = 8 * 10**18 + 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_app_balance SET amount = %s WHERE id = %s", [huge, key])
    ledger.sell("r-last", 2)
    assert Balance.objects.get(pk=key).amount == huge + 2
    assert Line.objects.get(account=ledger.accounts["cash"], entry__reference="r-last").balance_after == huge + 2


def test_the_count_of_queries_does_not_grow_with_the_count_of_drafts(ledger):
    numbers = count()

    def queries(size):
        drafts = [ledger.draft(f"q-{next(numbers)}", ("cash", 1), ("settlement", -1)) for _ in range(size)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert ledger.post(*drafts).entry_count == size
        return len(captured)

    assert queries(100) == queries(200)


EXTRA_LINE = """
    INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)
    SELECT MAX(id) + 1, MAX(entry_id), MAX(account_id), 0, 99, 5, 5 FROM ledger_app_line
"""
OTHER_BALANCE = "UPDATE ledger_app_balance SET amount = amount + 1 WHERE sequence > 0"


@pytest.mark.parametrize(("what", "statement"), [("lines", EXTRA_LINE), ("balance", OTHER_BALANCE)])
def test_what_was_written_is_held_against_the_plan(ledger, monkeypatch, what, statement):
    whole = entries._set_balances

    def set_and_tamper(plan):
        whole(plan)
        with connection.cursor() as cursor:
            cursor.execute(statement)

    monkeypatch.setattr(entries, "_set_balances", set_and_tamper)
    with pytest.raises(errors.WrittenDiffers, match=what):
        ledger.sell("r-1", 100)
    assert not Entry.objects.exists()
    assert signed(ledger, "cash") == 0


def test_a_line_that_was_not_written_is_missed(ledger, monkeypatch):
    whole = bulk.insert

    def insert(table: str, columns: Mapping[str, bulk.Kind], rows: Sequence[tuple[Any, ...]]) -> int:
        return whole(table, columns, rows[:-1] if table == "ledger_app_line" else rows)

    monkeypatch.setattr(bulk, "insert", insert)
    with pytest.raises(errors.WrittenDiffers, match="lines"):
        ledger.sell("r-1", 100)
    assert not Entry.objects.exists()


def test_a_balance_row_that_is_gone_is_missed(ledger, monkeypatch):
    whole = entries._set_balances

    def remove_and_set(plan):
        Balance.objects.filter(account=ledger.accounts["sales"]).delete()
        whole(plan)

    monkeypatch.setattr(entries, "_set_balances", remove_and_set)
    with pytest.raises(errors.WrittenDiffers, match="balances set"):
        ledger.sell("r-1", 100)


def test_posting_outside_the_outermost_transaction_is_a_fault_of_the_program(ledger):
    draft = ledger.draft("r-1", ("cash", 1), ("sales", -1))
    with pytest.raises(AssertionError, match="outside the outermost transaction"), transaction.atomic():
        entries.post(drafts=[draft], origin=of_request(ledger.caller), caller=ledger.caller)


def reverse(ledger, reference, *, on=FEBRUARY, reason="Booked twice"):
    return reverse_entry(entry_id=Entry.objects.get(reference=reference).pk, effective_on=on, reason=reason, caller=ledger.caller)


def test_a_reversal_undoes_the_entry_and_names_it(ledger):
    ledger.sell("r-1", 100)
    posted = reverse(ledger, "r-1")
    entry = Entry.objects.get(posting_id=posted.posting_id)
    assert (entry.reverses, entry.effective_on) == (Entry.objects.get(reference="r-1"), FEBRUARY)
    assert Posting.objects.get(pk=posted.posting_id).reason == "Booked twice"
    assert (signed(ledger, "cash"), signed(ledger, "sales")) == (0, 0)
    assert breaches(ledger) == []


def test_an_entry_is_reversed_once(ledger):
    ledger.sell("r-1", 100)
    reverse(ledger, "r-1")
    assert reverse(ledger, "r-1").replayed_count == 1
    with pytest.raises(errors.Refused) as refused:
        reverse(ledger, "r-1", on=date(2017, 2, 11))
    assert "already_reversed" in [reason.code for reason in refused.value.reasons]
    assert signed(ledger, "cash") == 0


def test_a_reversal_under_another_reference_is_refused_too(ledger):
    ledger.sell("r-1", 100)
    reverse(ledger, "r-1")
    entry = Entry.objects.get(reference="r-1")
    other = ledger.draft("mine", ("cash", -100), ("sales", 100))._replace(reverses=drafts.Reversed(entry.pk, "r-1"))
    with pytest.raises(errors.Refused) as refused:
        ledger.post(other)
    assert [reason.code for reason in refused.value.reasons] == ["already_reversed"]


def test_a_reversal_is_not_reversed(ledger):
    ledger.sell("r-1", 100)
    reverse(ledger, "r-1")
    entry = Entry.objects.get(reverses__reference="r-1")
    with pytest.raises(errors.Refused) as refused:
        reverse(ledger, entry.reference)
    assert [reason.code for reason in refused.value.reasons] == ["reversal_of_reversal"]


def test_a_reversal_breaks_no_floor(ledger):
    ledger.post(ledger.draft("r-1", ("cash", 100), ("wallet", -100)))
    ledger.post(ledger.draft("r-2", ("wallet", 80), ("sales", -80)))
    with pytest.raises(errors.Refused) as refused:
        reverse(ledger, "r-1")
    assert [reason.code for reason in refused.value.reasons] == ["floor_broken"]
