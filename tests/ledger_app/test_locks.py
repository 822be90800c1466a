"""Locks are taken in one order, once, inside the outermost transaction; each way of breaking that is refused."""

import re
from datetime import date

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger_app import locks, sql
from ledger_app.base.operations import transactions
from ledger_app.models import Balance, Period
from ledger_app.values.balances import balance_id

DAY = date(2017, 1, 10)


def take_ledger(ledger, *codes, alone=False):
    accounts = [ledger.accounts[code] for code in codes or ("cash", "M1-receivable")]
    wanted = locks.Wanted(frozenset([ledger.book.pk]), DAY, DAY, frozenset(account.pk for account in accounts))
    return locks.ledger(wanted, alone=alone)


def own(ledger):
    return locks.own_row(Period, ledger.periods["2017-01"].pk)


def test_what_is_held_is_returned(ledger):
    ledger.sell("r-1", 7)
    held = transactions.run(lambda: take_ledger(ledger))
    assert [period.name for period in held.periods[ledger.book.pk]] == ["2017-01"]
    assert held.book_codes == {ledger.book.pk: ledger.book.code}
    assert {account.code for account in held.accounts.values()} == {"cash", "M1-receivable"}
    assert held.balances[balance_id(ledger.accounts["cash"].pk, 0)] == (7, 1)


def test_the_documented_order_is_free(ledger):
    transactions.run(lambda: (own(ledger), take_ledger(ledger)))


@pytest.mark.parametrize(
    "steps",
    [(own, own), (take_ledger, own), (take_ledger, take_ledger), (own, take_ledger, take_ledger)],
    ids=["own row twice", "own row after the ledger", "the ledger twice", "the ledger again"],
)
def test_a_lock_out_of_order_or_twice_is_refused(ledger, steps):
    with pytest.raises(locks.LockOrderBroken, match="was asked for after"):
        transactions.run(lambda: [step(ledger) for step in steps])
    assert not locks.is_counting()


@pytest.mark.parametrize("step", [own, take_ledger])
def test_a_lock_outside_the_outermost_transaction_is_refused(ledger, step):
    with pytest.raises(locks.LockOrderBroken, match="outside"), transaction.atomic():
        step(ledger)


def test_a_new_transaction_counts_afresh(ledger):
    for _ in range(2):
        transactions.run(lambda: take_ledger(ledger))
    with pytest.raises(ZeroDivisionError):
        transactions.run(lambda: (take_ledger(ledger), 1 // 0))
    transactions.run(lambda: own(ledger))


@pytest.mark.mariadb
def test_rows_are_locked_in_the_one_order_by_their_keys(ledger):
    with CaptureQueriesContext(connection) as captured:
        transactions.run(
            lambda: (own(ledger), take_ledger(ledger, "sales", "cash", "M2-receivable", "M1-receivable", alone=True))
        )
    locking = [query["sql"] for query in captured if "FOR UPDATE" in query["sql"] or "SHARE MODE" in query["sql"]]
    tables = [re.findall(r"FROM `?ledger_app_(\w+)", sql)[0] for sql in locking]
    assert tables == ["period", "period", "account", "account", "balance"]
    assert all("ORDER BY" in sql for sql in locking[1:])
    assert ["FOR UPDATE" in sql for sql in locking] == [True, False, True, False, True]


def test_the_order_of_balance_keys_is_that_of_account_and_stripe(ledger):
    keys = list(Balance.objects.order_by("account_id", "stripe").values_list("id", flat=True))
    assert keys == sorted(keys)
    assert len(keys) > len(ledger.accounts)


def test_a_list_longer_than_one_statement_takes_is_cut(ledger, monkeypatch):
    monkeypatch.setattr(sql, "LIST_MOST", 2)
    held = transactions.run(lambda: take_ledger(ledger, "cash", "sales", "wallet", "purse", "settlement"))
    assert len(held.balances) == 5
