"""The report of balances: complete, in order, of one moment, and refused where it cannot be right."""

import csv
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger_app import errors
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.books.operations import books
from ledger_app.explain.queries import balances as queries
from ledger_app.models import Balance, Entry
from ledger_app.reports import balances
from tests.support import samples
from tests.support.samples import SmallLedger

JANUARY_9, JANUARY_20 = date(2017, 1, 9), date(2017, 1, 20)


def rows(ledger: SmallLedger, **asked: Any) -> dict[str, dict[str, str]]:
    return {row["account"]: row for row in csv.DictReader(balances.csv_lines(ledger.book, **asked))}


def test_every_account_has_one_row_in_the_order_of_its_code(ledger: SmallLedger) -> None:
    ledger.sell("s-1", 500)
    found = list(csv.DictReader(balances.csv_lines(ledger.book)))
    assert [row["account"] for row in found] == sorted(ledger.accounts)
    assert tuple(found[0]) == balances.COLUMNS


def test_a_row_says_both_directions_and_the_member(ledger: SmallLedger) -> None:
    ledger.post(ledger.draft("r-1", ("M1-receivable", 1234), ("settlement", -1234)))
    found = rows(ledger)
    assert found["M1-receivable"] == {
        "account": "M1-receivable",
        "role": "receivable",
        "category": "asset",
        "member_number": "CARD-M1",
        "amount": "1234",
        "natural_amount": "1234",
        "balance": "1234",
        "unit": "JPY",
    }
    assert (found["settlement"]["amount"], found["settlement"]["natural_amount"]) == ("-1234", "1234")
    assert found["settlement"]["member_number"] == ""


def test_decimals_are_those_of_the_unit(ledger: SmallLedger) -> None:
    caller = ledger.caller
    book = books.open_book(code="USD", name="Dollars", unit="USD", exponent=2, time_zone="UTC", caller=caller)
    books.open_accounts(book=book, openings=[books.AccountOpening("cash", "cash", "asset")], caller=caller)
    assert list(balances.csv_lines(book)) == [",".join(balances.COLUMNS), "cash,cash,asset,,0,0,0.00,USD"]


def test_stripes_are_summed(ledger: SmallLedger) -> None:
    for lane in range(6):
        ledger.post(ledger.draft(f"p-{lane}", ("cash", 10), ("settlement", -10)), lane=lane)
    assert rows(ledger)["settlement"]["amount"] == "-60"


def test_the_object_says_the_same_as_the_csv(ledger: SmallLedger) -> None:
    ledger.sell("s-1", 500)
    found = json.loads("\n".join(balances.json_lines(ledger.book, at=JANUARY_20)))
    assert {name: found[name] for name in ("book", "unit", "exponent", "at", "known_at", "count", "total")} == {
        "book": "CARD",
        "unit": "JPY",
        "exponent": 0,
        "at": "2017-01-20",
        "known_at": None,
        "count": len(ledger.accounts),
        "total": 0,
    }
    assert [{name: str(value) for name, value in row.items()} for row in found["accounts"]] == list(
        rows(ledger, at=JANUARY_20).values()
    )


def test_an_empty_book_is_an_empty_report(ledger: SmallLedger) -> None:
    book = books.open_book(code="NEW", name="New", unit="JPY", exponent=0, time_zone="UTC", caller=ledger.caller)
    assert list(balances.csv_lines(book)) == [",".join(balances.COLUMNS)]
    assert json.loads("".join(balances.json_lines(book)))["accounts"] == []


def test_at_takes_entries_dated_up_to_and_on_the_day(ledger: SmallLedger) -> None:
    ledger.sell("s-1", 100, on=date(2017, 1, 9))
    ledger.sell("s-2", 20, on=date(2017, 1, 10))
    ledger.sell("s-3", 3, on=date(2017, 2, 1))
    assert [rows(ledger, at=day)["cash"]["amount"] for day in (date(2017, 1, 8), JANUARY_9, JANUARY_20, date(2017, 3, 31))] == [
        *("0", "100", "120", "123")
    ]


def test_known_at_takes_entries_posted_up_to_and_at_the_instant(ledger: SmallLedger) -> None:
    first, second = datetime(2017, 2, 1, 9, tzinfo=UTC), datetime(2017, 2, 2, 9, 0, 0, 5, tzinfo=UTC)
    ledger.post(ledger.draft("s-1", ("cash", 100), ("sales", -100)), at=first)
    ledger.post(ledger.draft("s-2", ("cash", 20), ("sales", -20)), at=second)
    known = [datetime(2017, 2, 1, 8, 59, 59, 999999, tzinfo=UTC), first, datetime(2017, 2, 2, 9, 0, 0, 4, tzinfo=UTC), second]
    assert [rows(ledger, known_at=instant)["cash"]["amount"] for instant in known] == ["0", "100", "100", "120"]
    assert rows(ledger, at=JANUARY_9, known_at=second)["cash"]["amount"] == "0"


def test_the_claims_are_what_the_lines_come_to(ledger: SmallLedger) -> None:
    for number in range(5):
        ledger.sell(f"s-{number}", 10**number)
    assert rows(ledger) == rows(ledger, at=date(2017, 12, 31))


def test_a_book_whose_balances_do_not_sum_to_zero_is_refused_before_the_first_line(ledger: SmallLedger) -> None:
    ledger.sell("s-1", 100)
    Balance.objects.filter(account__code="cash").update(amount=101)
    for lines in (balances.csv_lines(ledger.book), balances.json_lines(ledger.book)):
        with pytest.raises(errors.Refused) as refusal:
            next(lines)
        assert [reason.as_dict()["facts"] for reason in refusal.value.reasons] == [{"book": "CARD", "sum": 1}]
        assert refusal.value.reasons[0].code == "balances_not_zero"


@pytest.mark.parametrize("asked", [{}, {"at": JANUARY_20}])
def test_pages_of_any_size_come_to_the_same(ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]) -> None:
    ledger.sell("s-1", 100)
    whole = list(balances.csv_lines(ledger.book, **asked))
    for size in (1, 2, len(ledger.accounts)):
        monkeypatch.setattr(queries, "ACCOUNTS_A_READ", size)
        assert list(balances.csv_lines(ledger.book, **asked)) == whole


@pytest.mark.parametrize("asked", [{}, {"at": JANUARY_20}])
def test_more_accounts_and_lines_need_no_more_statements(ledger: SmallLedger, asked: dict[str, Any]) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries_made:
            list(balances.csv_lines(ledger.book, **asked))
        return len(queries_made)

    ledger.sell("s-0", 1)
    before = statements()
    books.open_accounts(
        book=ledger.book, openings=[books.AccountOpening(f"more-{n}", "more", "asset") for n in range(20)], caller=ledger.caller
    )
    for number in range(1, 10):
        ledger.sell(f"s-{number}", 1)
    assert statements() == before == 3  # the accounts, the numbers of their members, the total


@pytest.mark.django_db(transaction=True)
def test_a_report_is_of_one_moment_while_others_post() -> None:
    # A connection of its own posts between two reads of the report.
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    ledger = samples.open_ledger(samples.machine_caller())

    def sell() -> None:
        try:
            ledger.sell("s-between", 100)
        finally:
            connections.close_all()

    with snapshot(), ThreadPoolExecutor(1) as other:
        before = Entry.objects.count()
        other.submit(sell).result(timeout=60)
        assert Entry.objects.count() == before == 0
    assert Entry.objects.count() == 1
