"""propose_setting and decide_setting: a setting is changed by two people at the shell as it is on the pages."""

import pytest

from ledger_app.management.commands import propose_setting
from ledger_app.models import HoldRule, SettingChange, User
from ledger_app.setting_changes.operations import SETTERS
from tests.commands.conftest import Run
from tests.conftest import UserMaker
from tests.support import profile_samples
from tests.support.world import World

SAID = ("--reason", "As agreed.", "--json")
EACH = {
    "limit": ("group=finance", "book=POINTS", "amount_most=500", "two_deciders_above=100", "day_most=none"),
    "reason_code": ("code=gifts", "name=Gifts", "contra_accounts=POINTS:programme.expense", "may_waive_floor=true"),
    "template": ("book=POINTS", "role=wallet", "category=liability", "floor=0"),
    "lot_rule": ("book=POINTS", "role=gifts", "expiry=days", "validity=20", "breakage=programme.expense"),
    "hold_rule": ("book=POINTS", "amount_most=700", "hours_most=24", "targets=programme.expense"),
    "close_policy": ("book=POINTS", "provisional_after_hours=24", "months_ahead=2", "controls=entries,debits"),
    "profile": (f"text={profile_samples.DEMO / 'yayoi.toml'}",),
}


@pytest.fixture
def two(world: World, make_user: UserMaker) -> tuple[User, User]:
    return tuple(make_user(f"administrator-{number}", "finance", is_superuser=True) for number in (1, 2))  # type: ignore[return-value]


@pytest.mark.parametrize("kind", EACH)
def test_each_kind_is_proposed_by_one_and_decided_by_another(run: Run, two: tuple[User, User], kind: str) -> None:
    first, second = (user.username for user in two)
    made = run("propose_setting", kind, *EACH[kind], "--user", first, *SAID)
    assert (made.status, made.data["state"], made.data["before"]) == (0, "proposed", None), made
    again = run("propose_setting", kind, *EACH[kind], "--user", first, *SAID)
    assert (again.data["change"], SettingChange.objects.count()) == (made.data["change"], 1)
    own = run("decide_setting", made.data["change"], "approve", "--user", first, "--json")
    assert [reason["code"] for reason in own.data["refused"]] == ["own_setting_change"]
    for _time in range(2):
        done = run("decide_setting", made.data["change"], "approve", "--user", second, "--json")
        assert (done.status, done.data["state"]) == (0, "applied"), done
    assert run("decide_setting", made.data["change"], "reject", "--user", second, *SAID).status == 1


def test_every_kind_has_a_command() -> None:
    assert propose_setting.NEEDED.keys() == propose_setting.ALLOWED.keys() == SETTERS.keys() == {*EACH, "rights"}


@pytest.mark.parametrize(
    "values",
    [
        ("book=POINTS", "amount=7"),
        ("book=POINTS", "book=CARD"),
        ("book=POINTS", "amount_most=many"),
        ("book=POINTS", "amount_most"),
        ("amount_most=7",),
    ],
)
def test_what_cannot_be_read_is_wrong_usage(run: Run, two: tuple[User, User], values: tuple[str, ...]) -> None:
    assert run("propose_setting", "hold_rule", *values, "--user", two[0].username, *SAID).status == 2
    assert not SettingChange.objects.exists()


def test_deciding_by_command_can_be_off_while_proposing_is_not(run: Run, two: tuple[User, User], settings: object) -> None:
    settings.KAKUTEI_DECIDE_BY_COMMAND = False  # type: ignore[attr-defined]
    made = run("propose_setting", "hold_rule", *EACH["hold_rule"], "--user", two[0].username, *SAID)
    refused = run("decide_setting", made.data["change"], "approve", "--user", two[1].username, "--json")
    assert [reason["code"] for reason in refused.data["refused"]] == ["deciding_by_command_off"]
    assert not HoldRule.objects.exists()
