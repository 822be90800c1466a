"""reverse: a reversal is previewed, proposed once, and taken through the steps of every batch."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from ingestion_app.models import Batch
from ledger_app.models import AuditRow, Entry
from tests.support.world import World, ledger, set_account

pytestmark = pytest.mark.django_db

Run = Callable[..., Any]
REASON = ("--reason", "February's file under January's name.")


def test_a_batch_is_reversed_by_commands(world: World, command: Run) -> None:
    original = world.applied()
    proposed = command("reverse", original.pk, "--user", "erika", *REASON)
    number = proposed.data["reversal"]
    assert (proposed.status, proposed.data["batch"], proposed.data["reversal_state"]) == (0, original.pk, "validated")
    assert proposed.data["totals"]["CARD"] == {"entries": 7, "lines": 14, "debits": 14644}
    assert proposed.data["dates"][0] == {"book": "CARD", "period": "2017-01", "moved_to": None, "entries": 7}
    assert command("approve", number, "--user", "fumiko", "--plan", proposed.data["plan"]).status == 0
    applied = command("apply", number)
    assert (applied.status, applied.data["state"], applied.data["posted"]) == (0, "applied", proposed.data["totals"])
    assert command("freeze_batch", number, "--user", "fumiko").status == 0
    assert command("verify").status == 0
    row = AuditRow.objects.get(action="reverse", outcome="done")
    assert (row.subject_id, row.reason, row.door) == (original.pk, REASON[1], "command")


def test_run_again_it_finds_what_was_proposed(world: World, command: Run) -> None:
    original = world.applied()
    first = command("reverse", original.pk, "--user", "erika", *REASON)
    rows = AuditRow.objects.count()
    assert command("reverse", original.pk, "--user", "erika", *REASON) == first
    assert AuditRow.objects.count() == rows
    world.apply(world.approve(Batch.objects.get(pk=first.data["reversal"])))
    again = command("reverse", original.pk, "--user", "erika", *REASON)
    assert (again.status, again.data["reversal"], again.data["reversal_state"]) == (0, first.data["reversal"], "applied")
    for name, *arguments in (("validate", original.pk), ("approve", original.pk, "--user", "fumiko")):
        said = command(name, *arguments)
        assert (said.status, said.data["state"]) == (0, "reversed"), name


def test_a_preview_writes_nothing_and_needs_no_user(world: World, command: Run, capsys: pytest.CaptureFixture[str]) -> None:
    batch = world.approved()
    before = ledger(), Batch.objects.count(), AuditRow.objects.count()
    said = command("reverse", batch.pk, "--preview")
    assert (said.status, said.data["is_posted"], said.data["reversal"]) == (0, False, None)
    assert said.data["totals"]["POINTS"]["entries"] == 6
    world.apply(batch)
    said = command("reverse", batch.pk, "--preview")
    assert (said.status, said.data["is_posted"], said.data["refusals"]) == (0, True, [])
    call_command("reverse", str(batch.pk), "--preview")
    printed = capsys.readouterr().out
    assert "CARD: 7 entries, 14 lines, debits 146.44 USD" in printed
    assert (Entry.objects.count(), Batch.objects.count()) == (13, before[1])


def test_where_an_account_refuses_it_says_which_and_run_again_it_makes_the_plan(world: World, command: Run) -> None:
    original = world.applied()
    set_account("points.1001", "suspended")
    said = command("reverse", original.pk, "--user", "erika", *REASON)
    assert (said.status, said.data["reversal_state"], said.data["plan"]) == (1, "received", "")
    assert [reason["code"] for reason in said.data["refusals"]] == ["account_not_open"]
    number = said.data["reversal"]
    assert "points.1001" in said.complaint
    assert f"validate {number}" in said.complaint
    set_account("points.1001", "open")
    again = command("reverse", original.pk, "--user", "erika", *REASON)
    assert (again.status, again.data["reversal"], again.data["reversal_state"]) == (0, number, "validated")


@pytest.mark.parametrize("arguments", [(), ("--user", "erika"), REASON])
def test_who_and_why_are_needed_to_propose(world: World, command: Run, arguments: tuple[str, ...]) -> None:
    assert command("reverse", world.applied().pk, *arguments).status == 2
    assert Batch.objects.count() == 1


def test_a_refusal_is_status_1_with_its_reasons(world: World, command: Run) -> None:
    said = command("reverse", world.applied().pk, "--user", "fumiko", *REASON)
    assert (said.status, [reason["code"] for reason in said.data["refused"]]) == (1, ["not_permitted"])
    assert command("reverse", 999, "--user", "erika", *REASON).data["refused"][0]["code"] == "not_found"


def test_where_deciding_by_command_is_off_nothing_is_proposed(world: World, command: Run, settings: Any) -> None:
    settings.KAKUTEI_DECIDE_BY_COMMAND = False
    batch = world.applied()
    said = command("reverse", batch.pk, "--user", "erika", *REASON)
    assert (said.status, said.data["refused"][0]["code"]) == (1, "deciding_by_command_off")
    assert command("reverse", batch.pk, "--preview").status == 0
