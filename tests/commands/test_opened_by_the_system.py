"""What the books begin with is said by the system where it is not there yet; what is there with other content is refused, naming each field."""

import io
from typing import Any

import pytest

from ledger_app.models import AuditRow, HoldRule, LotRule, User
from ledger_app.people.operations import people
from tests.commands.conftest import Run
from tests.support.world import World

pytestmark = pytest.mark.django_db
LOTS = ("set_lot_rule", "POINTS", "gifts", "--expiry", "days", "--validity", "30", "--breakage", "programme.expense")
HOLDS = ("set_hold_rule", "POINTS", "--amount-most", "500", "--target", "programme.expense")
CLOSES = ("set_close_policy", "POINTS", "--months-ahead", "2", "--control", "entries")
REASON = ("keep_reason_code", "goodwill", "--name", "Goodwill", "--contra", "POINTS=programme.expense")
# Command → what differs when it is said again, and how that is named.
SAID: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "set_lot_rule": (
        LOTS,
        ("--validity", "31", "--kind", "paid"),
        ("validity in days or months (30 ≠ 31)", "kind of a grant (Free ≠ Paid)"),
    ),
    "set_hold_rule": (
        HOLDS,
        ("--amount-most", "600", "--hours-most", "5"),
        ("a hold at most (500 points ≠ 600 points)", "hours at most (4392 ≠ 5)"),
    ),
    "set_close_policy": (
        CLOSES,
        ("--provisional-after", "24", "--control", "debits"),
        ("provisional after so many hours (60 ≠ 24)", "control totals that a freeze needs ("),
    ),
    "set_template": (
        ("set_template", "POINTS", "gifts", "--category", "liability", "--floor", "0"),
        ("--category", "asset", "--floor", "-5"),
        ("category (Liability ≠ Asset)", "floor (0 points ≠ −5 points)"),
    ),
    "set_limit": (
        ("set_limit", "finance", "POINTS", "--most", "500", "--two-above", "100"),
        ("--most", "600", "--days", "7"),
        ("decides up to (500 points ≠ 600 points)", "in sum over days (30 ≠ 7)"),
    ),
    "keep_reason_code": (
        REASON,
        ("--may-waive-floor", "--contra", "CARD=settlement.31"),
        ("may break a floor (no ≠ yes)", "contra account (– ≠ CARD:settlement.31)"),
    ),
}


def refused(ended: Any) -> list[str]:
    return [reason["code"] for reason in ended.data["refused"]]


@pytest.mark.parametrize("name", SAID)
def test_the_system_says_the_first_and_changes_none(world: World, run: Run, name: str) -> None:
    first, other, differs = SAID[name]
    assert run(*first, "--json").status == 0
    rows = AuditRow.objects.count()
    assert run(*first, "--json").status == 0
    assert AuditRow.objects.count() == rows
    again = run(*first, *other, "--json")
    assert (again.status, refused(again)) == (1, ["definition_conflict"])
    assert all(each in again.data["refused"][0]["facts"]["differs"] for each in differs), again.data
    assert AuditRow.objects.filter(outcome="done").count() == rows


def test_a_target_that_differs_is_named(world: World, run: Run) -> None:
    assert run(*HOLDS, "--json").status == 0
    ended = run("set_hold_rule", "POINTS", "--amount-most", "500", "--json")
    assert "accounts that take what is held (programme.expense ≠ –)" in ended.data["refused"][0]["facts"]["differs"]


def test_in_the_name_of_who_may_not_even_what_is_so_already_is_refused(world: World, run: Run) -> None:
    for command in (LOTS, HOLDS):
        assert run(*command, "--json").status == 0
        ended = run(*command, "--user", world.support.username, "--json")
        assert (ended.status, refused(ended)) == (1, ["not_permitted"])
        assert run(*command, "--user", world.finance.username, "--json").data["changed"] is False
    assert (LotRule.objects.filter(role="gifts").count(), HoldRule.objects.count()) == (1, 1)


def groups(name: str) -> list[str]:
    return sorted(User.objects.get(username=name).groups.values_list("name", flat=True))


def test_what_is_not_said_of_a_user_stays_as_it_is(world: World, run: Run) -> None:
    root = ("--user", world.superuser.username, "--json")
    told = run("keep_user", "sora", "--administrator", "no", *root)
    assert (told.status, told.data["changed"], told.data["groups"]) == (0, False, ["support"])
    assert groups("sora") == ["support"]
    assert run("keep_user", "sora", "--inactive", *root).data["active"] is False
    assert run("keep_user", "sora", "--group", "support", *root).data["active"] is False, "a group lets nobody in again"
    assert run("keep_user", "sora", "--active", *root).data["active"] is True
    assert groups("sora") == ["support"]
    assert run("keep_user", "sora", "--no-group", *root).data["groups"] == []
    assert groups("sora") == []
    assert run("keep_user", "sora", "--no-group", "--group", "support", *root).status == 2
    # The system finds what is there, whatever the user is in.
    assert run("keep_user", "fumiko", "--json").data["changed"] is False


def test_a_password_takes_no_group_away(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("chalk-and-cheese-in-the-rain\n"))
    told = run("keep_user", "sora", "--password-stdin", "--user", world.superuser.username, "--json")
    assert (told.status, told.data["changed"], told.data["groups"]) == (0, True, ["support"])
    assert groups("sora") == ["support"]
    made = people.keep_user(username="nobody", groups=None, caller=world.caller(world.superuser)).user
    assert (made.is_staff, list(made.groups.all())) == (False, [])
