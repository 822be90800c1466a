"""Sums past sixty-four bits: turnovers of accounts, periods and entries, on every database."""

from datetime import date

import pytest
from django.db import connection

from ledger_app.base.queries import totals
from ledger_app.base.queries.totals import Total
from ledger_app.close.queries import seals
from ledger_app.explain.queries import balances, explain, statements
from ledger_app.explain.queries.statements import Span
from ledger_app.models import Book, Line
from ledger_app.values.most import AMOUNT_MOST
from ledger_app.verification.proofs import ledger as ledger_proofs

SIDES = 12_000  # of the largest amount there is: more than sixty-four bits hold


@pytest.fixture
def turnover(ledger):
    """A balanced entry whose debits come to more than sixty-four bits hold, and back again."""
    ups = tuple(("cash", AMOUNT_MOST) for _ in range(SIDES // 2))
    downs = tuple(("cash", -AMOUNT_MOST) for _ in range(SIDES // 2))
    # Up and down in turn, so that no balance passes what a balance holds; twice, so that the debits do.
    for number in range(4):
        pairs = [side for pair in zip(ups, downs, strict=True) for side in pair]
        ledger.post(ledger.draft(f"up-{number}", *pairs))
    return ledger


def test_nothing_that_sums_a_turnover_fails(turnover):
    whole = AMOUNT_MOST * SIDES * 2
    assert whole > 2**63
    account = turnover.accounts["cash"]
    sums = statements.sums(Span(account))
    assert (sums.debit, sums.credit, sums.closing) == (whole, -whole, 0)
    assert Line.objects.aggregate(debit=Total("amount", filter=None), none=Total("sequence"))["debit"] == 0
    assert explain.account(account, last=5).complaints == []
    (row,) = seals.trial_balance(turnover.periods["2017-01"])
    assert (row["debit"], row["credit"], row["closing"]) == (whole, whole, 0)
    assert seals.prove(turnover.periods["2017-01"]).debit_total == whole
    assert balances.total(turnover.book, at=date(2017, 1, 31)) == 0
    assert list(ledger_proofs.lines_sum_to_zero(list(Book.objects.all()))) == []


def test_an_entry_that_does_not_sum_is_found_however_large(turnover, tamper):
    key = Line.objects.order_by("id").values_list("id", flat=True)[0]
    tamper("line", f"UPDATE ledger_app_line SET amount = amount - 1 WHERE id = {key}")
    (said,) = ledger_proofs.lines_sum_to_zero(list(Book.objects.all()))
    assert said.endswith("sum to -1.")


@pytest.mark.parametrize("values", [(), (1,), (-1, 1), (10**15,) * 3, (999_999_999, 1), (-(10**18) - 7, 5 * 10**17), (-3, 2)])
@pytest.mark.django_db
def test_a_sum_of_parts_is_the_sum(values):
    rows = " UNION ALL ".join(f"SELECT {value} AS amount" for value in values) or "SELECT 0 AS amount WHERE 1 = 0"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {totals.of('amount')} FROM ({rows}) AS given", [])
        assert totals.whole(cursor.fetchone()[0]) == sum(values)


@pytest.mark.parametrize(
    ("values", "floor", "is_below"),
    [
        ((-(2**62),) * 3, 0, 1),
        ((2**62,) * 3, 0, 0),
        ((-1,), 0, 1),
        ((0,), 0, 0),
        ((-(2**62),) * 2, -(2**63), 0),
        ((5,), None, None),
    ],
)
@pytest.mark.django_db
def test_a_sum_is_held_against_a_bound_however_large(values, floor, is_below):
    rows = " UNION ALL ".join(f"SELECT {value} AS amount" for value in values)
    below = totals.sql(
        f"SELECT EXACT_BELOW(summed, floor) FROM (SELECT EXACT_SUM(amount) AS summed, %s AS floor FROM ({rows}) AS given) AS asked"
    )
    with connection.cursor() as cursor:
        cursor.execute(below, [floor])
        assert cursor.fetchone()[0] == is_below


def test_a_turnover_that_no_seal_holds_is_refused_by_name(turnover, checker):
    from ledger_app import errors
    from ledger_app.close.operations import periods

    with pytest.raises(errors.Refused) as refused:
        periods.freeze(period_id=turnover.periods["2017-01"].pk, controls={"entries": 4}, caller=checker, code_version="t")
    assert [each.code for each in refused.value.reasons] == ["turnover_too_large"]
