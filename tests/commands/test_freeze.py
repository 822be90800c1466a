"""``freeze``: no control total that was given is passed over."""

from ledger_app.models import Period
from tests.commands.conftest import Run
from tests.support.world import World


def test_a_control_total_given_twice_is_wrong_usage_and_freezes_nothing(world: World, run: Run) -> None:
    twice = ("--control", "entries=6", "--control", "entries=0")
    ended = run("freeze", "CARD", "2017-01", "--user", world.finance.username, *twice)
    assert (ended.status, ended.out) == (2, "")
    assert "more than once" in ended.complaints
    assert set(Period.objects.values_list("state", flat=True)) == {"open"}
