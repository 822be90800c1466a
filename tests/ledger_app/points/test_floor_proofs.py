"""Invariant 6 for each day, and invariant 11 for the days of lots: what nobody may post is found, and what was decided is none."""

from datetime import date

import pytest

from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.models import Entry, Line, Lot
from tests.ledger_app.verification.test_proofs import verify
from tests.support import kept, lot_samples, samples
from tests.support.adjusting import NEVER, person
from tests.support.reversing import reverse_entry


@kept.fixture
def points(_folder):
    points = lot_samples.open_points(samples.machine_caller())
    points.gain("g-1", 100, on=date(2017, 1, 10))
    points.gain("s-1", -100, on=date(2017, 1, 20))
    return points


def told(number):
    status, found = verify()
    assert status == 1
    return [breach for breach in found.get(number, []) if "digest" not in breach]


def test_a_day_that_closes_below_its_floor_is_named(points, tamper):
    assert verify() == (0, {})
    tamper("entry", "UPDATE ledger_app_entry SET effective_on = '2017-01-05' WHERE reference = 's-1'")
    assert "Account M1 closes 2017-01-05 at -100, below its floor of 0." in told(6)
    assert any("dated 2017-01-05, uses lot" in breach for breach in told(11))


def test_a_lot_used_after_its_last_day_is_named(points, tamper):
    tamper("lot", "UPDATE ledger_app_lot SET expires_on = '2017-01-19'")
    assert told(11) == [
        f"Entry s-1, dated 2017-01-20, uses lot {Lot.objects.get().pk} of account M1, which is there from 2017-01-10 to 2017-01-19."
    ]


def test_what_came_back_after_its_day_is_used_on_the_day_it_came_back(points):
    points.reverse("s-1", on=date(2017, 2, 20))
    points.gain("s-2", -100, on=date(2017, 2, 20))
    assert verify() == (0, {})


@pytest.mark.parametrize("on", [date(2017, 1, 15), date(2017, 1, 20), date(2017, 2, 1)])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_floor_that_a_decided_adjustment_broke_is_no_breach_and_what_hides_behind_it_is(points, tamper, on, is_reversed):
    finance, support, root = (
        person("finance-1", "finance"),
        person("support-1", "support"),
        person("root", None, is_superuser=True),
    )
    reason_codes.keep(
        code="chargeback", name="Chargeback", contra_accounts={"POINTS": "programme"}, may_waive_floor=True, caller=finance
    )
    reason_codes.set_limit(group="finance", book="POINTS", amount_most=500, two_deciders_above=500, caller=root)
    proposal = Proposal("k-1", "POINTS", "M1", -30, on, "chargeback", "Charged back.", waives_floor=True)
    row = adjustments.propose(proposal=proposal, caller=support, expires_at=NEVER)
    shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
    adjustments.decide(adjustment_id=row.pk, name="approve", digest_shown=shown, caller=finance)
    points.gain("g-2", 10, on=date(2017, 2, 2))
    assert verify() == (0, {})
    # A point more than was decided, and than the reversal gives back.
    entry = Entry.objects.get(posting__origin_kind="adjustment")
    if is_reversed:
        reverse_entry(entry_id=entry.pk, effective_on=date(2017, 2, 3), reason="It was wrong.", caller=samples.machine_caller())
        assert verify() == (0, {})
    line = Line.objects.get(entry__reference="s-1", account=points.accounts["M1"])
    tamper("line", f"UPDATE ledger_app_line SET amount = amount + 1 WHERE id = {line.pk}")
    assert "Account M1 closes 2017-01-20 at -1, below its floor of 0." in told(6)
