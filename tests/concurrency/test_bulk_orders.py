"""Requests of many items over the same accounts in other orders: they lock ahead what all their items will, and none begins anew."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connections
from rest_framework.test import APIClient

from ledger_app.base.operations import measuring, transactions
from ledger_app.books.operations import books
from ledger_app.models import Account, Entry, Hold
from ledger_app.posting.rules.lots import Grant, Named
from ledger_app.programs.operations import ahead
from tests.support import lot_samples, samples

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial, pytest.mark.mariadb]

ACCOUNTS = 12
TIMES = 4


@pytest.fixture
def points(transactional_db):
    found = lot_samples.open_points(samples.machine_caller())
    books.open_period(book=found.book, name="now", starts_on=date(2018, 1, 1), ends_on=date(2099, 12, 31), caller=found.caller)
    openings = [
        books.MemberOpening(f"Q{number}", (("POINTS", books.AccountOpening(f"A{number}", "points", "liability", floor=0)),))
        for number in range(ACCOUNTS)
    ]
    books.open_members(openings=openings, caller=found.caller)
    found.accounts.update({account.code: account for account in Account.objects.filter(book=found.book)})
    last = (datetime.now(UTC) + timedelta(days=90)).date()
    for number in range(ACCOUNTS):
        found.gain(f"g-{number}", 100, who=f"A{number}", lots=Named(grants=(Grant("paid", 100, last),)))
    return found


@pytest.fixture
def counted(monkeypatch):
    found: list[str] = []
    monkeypatch.setattr(measuring, "count", found.append)
    return found


def at_once(user, address, requests):
    """Send each request from a thread of its own, all at once, and return the outcomes of each."""
    gate = threading.Barrier(len(requests))
    said: list[list[str]] = []

    def send(body):
        client = APIClient()
        client.force_authenticate(user)
        try:
            gate.wait(20)
            answer = client.post(f"/api/v1/bulk/{address}/", {"mode": "each", address: body}, format="json")
            said.append([each["outcome"] for each in answer.json().get("outcomes", [])])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(body,)) for body in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def turned(items):
    """Return requests of the same items, every other one in the reverse order."""
    return [items(number)[:: 1 if number % 2 else -1] for number in range(TIMES)]


def holds(number):
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat()
    said = {"book": "POINTS", "target": "programme", "amount": 1, "expires_at": until}
    return [{**said, "account": f"A{each}", "reference": f"h-{number}-{each}"} for each in range(ACCOUNTS)]


def settlements(_number):
    return [{"book": "POINTS", "reference": f"h-0-{each}", "amount": 1} for each in range(ACCOUNTS)]


def test_holds_and_settlements_in_other_orders_do_not_meet(points, make_user, counted):
    till = make_user("till-1", "till")
    assert at_once(till, "holds", turned(holds)) == [["created"] * ACCOUNTS] * TIMES
    assert Hold.objects.count() == ACCOUNTS * TIMES
    assert min(at_once(till, "settlements", turned(settlements))) == ["created"] * ACCOUNTS
    assert Entry.objects.filter(reference__startswith="hold:").count() == ACCOUNTS
    assert "deadlocks" not in counted


def test_without_the_locks_ahead_they_meet(points, make_user, counted, monkeypatch):
    till = make_user("till-1", "till")
    at_once(till, "holds", [holds(0)])
    monkeypatch.setattr(ahead, "for_settlements", lambda *_names, **_more: None)
    monkeypatch.setattr(transactions, "TRIES", 12)
    at_once(till, "settlements", turned(settlements))
    assert "deadlocks" in counted


def test_whoever_may_hold_nothing_locks_nothing(points, make_user, monkeypatch):
    def fail(*_arguments):
        raise AssertionError("locked")

    monkeypatch.setattr("ledger_app.locks._rows", fail)
    auditor = make_user("auditor-1", "auditor")
    assert at_once(auditor, "holds", [holds(0)]) == [["refused"] * ACCOUNTS]
