"""Anyone who tampers with adjustments is found: each breach names the adjustment."""

import pytest
from django.db import connection

from ledger_app.adjustments.proofs import adjustment as adjustment_proofs
from ledger_app.base import proofs
from tests.support import adjusting, kept


@kept.fixture
def desk(_folder):
    desk = adjusting.build()
    desk.decide(desk.propose())
    row = desk.propose(amount=2000)
    desk.decide(row, "endorse")
    desk.decide(row, who=desk.second)
    return desk


def breaches(desk):
    found = {}
    for each in adjustment_proofs.INVARIANTS:
        told = list(each.breaches(proofs.Scope([desk.ledger.book])))
        if told:
            found[each.number] = told
    return found


TAMPERED = [
    (
        "adjustmentdecision",
        "UPDATE {t} SET decided_by_id = (SELECT proposed_by_id FROM ledger_app_adjustment LIMIT 1) WHERE is_sole = 1",
        8,
        "who proposed it",
    ),
    ("adjustmentdecision", "DELETE FROM {t} WHERE is_sole = 0 AND version = 1", 8, "approvals that it needs"),
    ("adjustmentdecision", "UPDATE {t} SET digest = {zero} WHERE is_sole = 1", 9, "is not what finance-1 was shown"),
    ("adjustment", "UPDATE {t} SET amount = 201 WHERE amount = 200", 9, "its entry is not what it says"),
    ("adjustment", "UPDATE {t} SET text = 'Other.' WHERE amount = 200", 9, "is not what finance-1 was shown"),
    ("adjustment", "DELETE FROM {t} WHERE amount = 200", 9, "which is not approved"),
    ("adjustment", "UPDATE {t} SET version = 9 WHERE amount = 200", 12, "after 8 changes"),
]


@pytest.mark.parametrize(("table", "sql", "number", "says"), TAMPERED)
def test_tampering_is_found_and_named(desk, tamper, table, sql, number, says):
    assert breaches(desk) == {}
    name = f"ledger_app_{table}"
    zero = "zeroblob(32)" if connection.vendor == "sqlite" else "REPEAT('\\0', 32)"
    tamper(table, sql.format(t=name, zero=zero))
    found = breaches(desk)
    assert any(says in told for told in found[number]), found
