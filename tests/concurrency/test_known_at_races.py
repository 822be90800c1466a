"""What was known at an instant is told once somebody who was writing then has ended; without the wait, the answer changes afterwards."""

import threading
from datetime import datetime

import pytest

from ledger_app.base.operations import knowing, transactions
from ledger_app.base.queries import clock
from ledger_app.explain.queries.statements import Span
from ledger_app.posting.operations import entries
from ledger_app.reports import balances, statements
from tests.concurrency.test_ledger_races import MEET_SECONDS, WAIT_SECONDS, at_once
from tests.support import samples
from tests.support.origins import of_request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger():
    return samples.open_ledger(samples.machine_caller())


def cash_known(ledger, known_at: datetime) -> tuple[list[str], list[str]]:
    """Return what the two reports say of the cash, as known at an instant."""
    told = balances.csv_lines(ledger.book, known_at=known_at)
    return [line for line in told if line.startswith("cash,")], list(
        statements.csv_lines(Span(ledger.accounts["cash"], known_at=known_at))
    )


def asked_while_somebody_writes(ledger):
    """Return what is told of an instant at which an entry was written and not committed, and what is told of it afterwards."""
    written, told = threading.Event(), threading.Event()
    known: list[datetime] = []

    def post():
        def work():
            draft = ledger.draft("s-1", ("cash", 5), ("sales", -5))
            entries.post(drafts=[draft], origin=of_request(ledger.caller), caller=ledger.caller)
            written.set()
            told.wait(MEET_SECONDS)

        transactions.run(work)

    def report():
        written.wait(WAIT_SECONDS)
        known.append(clock.now())
        found = cash_known(ledger, known[0])
        told.set()
        return found

    _posted, first = at_once(post, report)
    return first, cash_known(ledger, known[0])


def test_a_report_waits_for_whoever_is_writing(ledger):
    first, second = asked_while_somebody_writes(ledger)
    assert first == second
    assert "5" in second[0][0].split(",")


def test_without_the_wait_the_answer_changes(ledger, monkeypatch):
    monkeypatch.setattr(knowing, "settle", lambda **_asked: None)
    first, second = asked_while_somebody_writes(ledger)
    assert first != second
