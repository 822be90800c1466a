"""``propose`` and ``decide``: the same operations from the command line, safe to run again."""

import pytest

from ledger_app.models import Adjustment
from tests.support import adjusting, kept


@kept.fixture
def desk(_folder):
    return adjusting.build()


def said(amount="200", **changes):
    given = {
        "--user": "support-1",
        "--key": "k-1",
        "--reason": "goodwill",
        "--text": "Till down.",
        "--date": "2017-02-01",
        **changes,
    }
    return ("propose", "CARD", "wallet", amount, *(part for pair in given.items() for part in pair), "--json")


def test_a_proposal_is_made_once_and_decided_once(desk, run, tmp_path):
    slip = tmp_path / "slip.txt"
    slip.write_text("one")
    first, again = (run(*said(), "--attach", slip) for _ in range(2))
    assert (first.status, again.status, first.data["adjustment"]) == (0, 0, again.data["adjustment"])
    number = first.data["adjustment"]
    assert set(first.data) == {"adjustment", "state", "version", "amount", "shown", "expires_at"}
    for _ in range(2):
        ended = run("decide", number, "approve", "--user", "finance-1", "--shown", first.data["shown"], "--json")
        assert ended.status == 0
        assert ended.data == {"adjustment": number, "state": "approved", "version": 2, "entry": f"adjustment:{number}"}


def test_a_preview_says_what_would_be_and_sends_nothing(desk, run):
    told = run(*said(), "--preview")
    assert told.data["balances"] == [{"account": "wallet", "before": 700, "after": 900}]
    refused = run(*said("5001"), "--preview")
    assert (refused.status, [reason["code"] for reason in refused.data["refused"]]) == (1, ["over_every_limit"])
    assert Adjustment.objects.count() == 0


@pytest.mark.parametrize("amount", ["12x", "１２", "1.5", "1e3", "+5", "007", "1_000", "-0"])
def test_an_amount_that_is_no_integer_of_minor_units_is_refused_by_name(desk, run, amount):
    arguments = ("propose", *said()[4:], "--", "CARD", "wallet", amount)
    refused = run(*arguments)
    assert (refused.status, [reason["code"] for reason in refused.data["refused"]]) == (1, ["amount_invalid"])


def test_an_amount_below_zero_is_given_after_two_dashes(desk, run):
    taken = run("propose", *said()[4:], "--", "CARD", "wallet", "-100")
    assert taken.data["amount"] == -100


def test_the_first_of_two_approvals_is_given_and_the_second_posts(desk, run):
    number = run(*said("2000")).data["adjustment"]
    for _ in range(2):
        assert run("decide", number, "approve", "--user", "finance-1", "--json").data["state"] == "endorsed"
    assert run("decide", number, "approve", "--user", "finance-2", "--json").data["state"] == "approved"


def test_a_decision_is_refused_where_deciding_by_command_is_off(desk, run, settings):
    number = run(*said()).data["adjustment"]
    settings.KAKUTEI_DECIDE_BY_COMMAND = False
    refused = run("decide", number, "reject", "--user", "finance-1", "--reason", "No.", "--json")
    assert (refused.status, refused.data["refused"][0]["code"]) == (1, "deciding_by_command_off")


def test_an_attachment_that_is_not_there_is_wrong_usage(desk, run, tmp_path):
    assert run(*said(), "--attach", tmp_path / "nowhere.txt").status == 2
