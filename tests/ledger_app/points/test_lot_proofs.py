"""Invariant 11: who tampers with lots, what is left of them, or what is held, is found, and the breach names the place."""

from datetime import date

import pytest

from ledger_app.models import Hold
from ledger_app.points.operations import holds
from ledger_app.posting.rules.lots import Grant, Named
from tests.ledger_app.verification.test_proofs import verify
from tests.support import lot_samples, samples
from tests.support.lot_samples import at


@pytest.fixture
def points(db, make_user, caller_of):
    """100 granted and 30 of them spent, 20 of the rest held; another hold released."""
    points = lot_samples.open_points(samples.machine_caller())
    points.gain("g-1", 100, lots=Named(grants=(Grant("paid", 60, None), Grant("free", 40, date(2017, 1, 31)))))
    points.gain("s-1", -30)
    till = caller_of(make_user("till-1", "till"), at=at(2017, 1, 12), door="api")
    for reference in ("h-1", "h-2"):
        wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 20, reference, at(2017, 5, 20))
        holds.place(wanted=wanted, caller=till)
    holds.release(hold_id=Hold.objects.get(reference="h-2").pk, reason="Not bought.", caller=till)
    return points


def test_a_clean_book_of_lots_has_no_breach(points):
    assert verify() == (0, {})


@pytest.mark.parametrize(
    ("table", "statement", "numbers", "said"),
    [
        ("openlot", "UPDATE ledger_app_openlot SET remaining = remaining + 1 WHERE remaining = 60", {11}, "Account M1: the balance is 70, its lots have 71 left"),
        ("openlot", "DELETE FROM ledger_app_openlot WHERE remaining = 60", {11}, "of 60, 0 were used, and 0 are said to be left"),
        ("openlot", "UPDATE ledger_app_openlot SET held = held + 1 WHERE held = 0 OR held = 10", {11}, "are said to be held, its open holds have"),
        ("openlot", "UPDATE ledger_app_openlot SET lot_id = 5 WHERE remaining = 60", {11}, "Lot 5 has something left and is not there"),
        ("lot", "UPDATE ledger_app_lot SET amount = 61 WHERE amount = 60", {11}, "of 61, 0 were used, and 60"),
        ("lot", "DELETE FROM ledger_app_lot WHERE amount = 60", {11}, "Entry g-1 changes account M1 by 100, and its lots by 40"),
        ("lotuse", "UPDATE ledger_app_lotuse SET amount = 29 WHERE amount = 30", {11}, "Entry s-1 changes account M1 by -30, and its lots by -29"),
        ("lotuse", "DELETE FROM ledger_app_lotuse WHERE amount = 30", {11}, "of 40, 0 were used, and 10"),
        ("hold", "UPDATE ledger_app_hold SET state = 'released' WHERE reference = 'h-1'", {11, 12}, "its open holds have 0"),
        ("hold", "UPDATE ledger_app_hold SET amount = 21 WHERE reference = 'h-1'", {11}, "The hold h-1 is over 21, its lots over 20"),
        ("holdlot", "DELETE FROM ledger_app_holdlot WHERE hold_id = (SELECT MIN(id) FROM ledger_app_hold)", {11}, "The hold h-1 is over 20, its lots over 0"),
        ("auditrow", "DELETE FROM ledger_app_auditrow WHERE action = 'release'", {12}, "h-2 is released after 1 changes; 0 audit rows lead to –"),
    ],
)  # fmt: skip
def test_tampering_with_lots_is_found_and_named(points, tamper, table, statement, numbers, said):
    tamper(table, statement)
    status, found = verify()
    assert status == 1
    # Besides, the row is not what was written down of it, or what its history says.
    assert numbers <= set(found) <= numbers | {2, 3, 10, 12}, found
    assert any(said in breach for breaches in found.values() for breach in breaches), found
