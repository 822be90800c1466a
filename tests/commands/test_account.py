"""account and statement say how an account stands, as its page does: balance, held, overdue, to spend, next to expire."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger_app.management.commands import account as account_command
from ledger_app.management.commands import statement as statement_command
from ledger_app.models import Account
from ledger_app.points.operations import holds
from tests.commands.conftest import Run
from tests.support import adjusting, lot_samples, samples

pytestmark = pytest.mark.django_db
NOON = datetime(2017, 3, 10, 3, tzinfo=UTC)


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> lot_samples.Points:
    """On 10 March: 30 that were due on 6 March, 50 of which 20 are held and that are due on 29 March, 7 from 20 March on."""
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("old", 30, on=date(2017, 2, 14))
    found.gain("new", 50, on=date(2017, 3, 9))
    found.gain("ahead", 7, on=date(2017, 3, 20))
    till = adjusting.person("till-1", "till", at=NOON)
    accounts = found.accounts["M1"].pk, found.accounts["programme"].pk
    holds.place(wanted=holds.Wanted(*accounts, 20, "order-1", NOON + timedelta(days=1), ""), caller=till)
    for module in (account_command, statement_command):
        monkeypatch.setattr(module.doorways, "now", lambda: NOON)
    return found


STANDING = {
    "on": "2017-03-10",
    "balance": 87,
    "held": 20,
    "overdue": 30,
    "upcoming": 7,
    "spendable": 30,
    "next_due_on": "2017-03-29",
    "next_due": 50,
}
SAID = (
    "On 2017-03-10: balance 87 points; 30 points can be spent; 20 points held; 30 points was due and is not expired yet; "
    "7 points granted from a later day; 50 points expires next, on 2017-03-29"
)


def test_an_account_says_how_it_stands(points: lot_samples.Points, run: Run) -> None:
    assert run("account", "POINTS", "M1", "--json").data["standing"] == STANDING
    assert run("account", "POINTS", "M1").out.splitlines() == ["POINTS/M1 is open", SAID]


def test_one_that_nothing_bounds_says_its_balance_alone(points: lot_samples.Points, run: Run) -> None:
    assert run("account", "POINTS", "programme").out.splitlines()[1] == "On 2017-03-10: balance 87 points"
    assert run("account", "POINTS", "programme", "--json").data["standing"]["spendable"] is None


def test_a_statement_says_it_beside_its_table(points: lot_samples.Points, run: Run, tmp_path) -> None:
    said = run("statement", "POINTS/M1")
    assert (said.complaints.strip(), SAID in said.out) == (SAID, False)
    assert json.loads(run("statement", "POINTS/M1", "--format", "json").out)["standing"] == STANDING
    assert run("statement", "POINTS/M1", "--json").data["standing"] == STANDING
    assert run("statement", "POINTS/M1", "--output", tmp_path / "m1.csv", "--json").data["standing"] == STANDING


def test_a_change_of_state_wants_a_user_and_a_reason(points: lot_samples.Points, run: Run) -> None:
    assert run("account", "POINTS", "M1", "suspend", "--user", "x").status == 2
    assert Account.objects.get(code="M1").state == "open"
