"""status, pause, resume and wake: what a batch stands at, who holds it up, and that nothing waits for nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django_tasks_db.models import DBTaskResult

from ingestion_app import errors
from ingestion_app.batches.operations import attempts, workers
from ingestion_app.management.commands import wake
from ingestion_app.models import Attempt, Batch, Chunk
from ledger_app.base.queries import clock
from ledger_app.errors import TryAgain
from tests.ingestion_app.conftest import Said
from tests.support import world as worlds
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun(world: World) -> Batch:
    world.load(chunk_records=1)
    return world.begin(world.approved())


def test_status_says_in_one_object_what_a_run_would_do(world, begun, command):
    worlds.hold(begun, 0, until=datetime.now(UTC) + timedelta(seconds=30), by="far:4711")
    said = command("status", begun.pk)
    assert said.status == 0
    assert (said.data["state"], said.data["is_paused"], said.data["due"]) == ("applying", False, None)
    assert (said.data["rerun"]["safe"], said.data["rerun"]["verdict"]) == (True, "would_run")
    assert said.data["rerun"]["being_worked_on"]["first"][0]["by"] == "far:4711"
    assert said.data["progress"]["records"] == 7


def test_status_says_it_to_people_too(world, begun, capsys):
    from django.core.management import call_command

    worlds.set_account("receivable.1002", "suspended")
    world.apply(begun)
    world.pause(begun)
    call_command("status", begun.pk)
    text = capsys.readouterr().out
    assert "is applying, paused" in text
    assert "safe to run again: Nothing runs before somebody resumes it." in text
    assert " by erika: The sender called." in text
    assert "done: 6 (chunks 0–1, 3–6)" in text
    assert "account_not_open" in text


def test_status_of_what_has_nothing_to_run_calls_it_neither_safe_nor_unsafe(world, capsys):
    from django.core.management import call_command

    call_command("status", world.withdraw(world.validated()).pk)
    assert "\nnothing to run: Nothing of it is in the ledger, and nothing would run.\n" in capsys.readouterr().out


def test_status_of_what_is_not_there_is_refused(world, command):
    assert command("status", 999).status == 1


def test_pause_and_resume(world, begun, command):
    unsaid = command("pause", begun.pk, "--user", "erika", "--reason", "The sender called.")
    assert (unsaid.status, worlds.codes(unsaid.data["refused"])) == (1, ["version_not_said"])
    assert f"--shown-version {begun.version}" in unsaid.complaint
    paused = command("pause", begun.pk, "--user", "erika", "--reason", "The sender called.", "--shown-version", begun.version)
    told = {"batch": begun.pk, "state": "applying", "version": begun.version + 1, "is_paused": True}
    assert (paused.status, paused.data) == (0, told)
    assert command("pause", begun.pk, "--user", "erika", "--reason", "The sender called.") == paused, "it is paused already"
    refused: Said = command("apply", begun.pk)
    assert (refused.status, worlds.codes(refused.data["refused"])) == (1, ["paused"])
    shown = ("--shown-version", paused.data["version"])
    assert command("resume", begun.pk, "--user", "sora", *shown).status == 1, "support may not"
    unsaid = command("resume", begun.pk, "--user", "erika")
    assert (unsaid.status, worlds.codes(unsaid.data["refused"])) == (1, ["version_not_said"])
    resumed = command("resume", begun.pk, "--user", "erika", *shown)
    assert (resumed.status, resumed.data["state"]) == (0, "applied")
    assert resumed.data["receipt"]["equal"] is True


def test_a_command_that_is_run_again_takes_no_approval_away_and_gives_none(world, command):
    batch = world.approved()
    unsaid = command("validate", batch.pk, "--again")
    assert (unsaid.status, worlds.codes(unsaid.data["refused"])) == (1, ["version_not_said"])
    assert command("validate", batch.pk).data["state"] == "approved"
    again = command("validate", batch.pk, "--again", "--shown-version", batch.version)
    assert (again.status, again.data["state"]) == (0, "validated")
    approve = ("approve", batch.pk, "--user", "fumiko")
    unseen = command(*approve)
    assert (unseen.status, worlds.codes(unseen.data["refused"])) == (1, ["plan_not_said"])
    assert command(*approve, "--plan", again.data["plan"]).data["state"] == "approved"


def test_apply_once_more_gives_the_receipt_of_a_run_that_added_nothing(world, command):
    batch = world.applied()
    said = command("apply", batch.pk)
    receipt: dict[str, Any] = said.data["receipt"]
    assert (receipt["chunks_found"], receipt["records_found"]) == (batch.chunks.count(), 7)
    assert (receipt["chunks_applied"], receipt["new_entries"], receipt["equal"]) == (0, 0, True)
    assert receipt["books"]["POINTS"]["equal"] is True


def test_apply_of_what_the_ledger_does_not_have_whole_says_so_and_exits_1(world, command):
    """An applied batch whose plan has an entry more than its rows: anyone who finds it so, it is told each time."""
    batch = world.applied()
    entries, lines, debits = batch.totals["POINTS"]
    Batch.objects.filter(pk=batch.pk).update(totals={**batch.totals, "POINTS": [entries + 1, lines, debits]})
    said = command("apply", batch.pk)
    assert (said.status, said.data["receipt"]["equal"]) == (1, False)
    assert f"Book POINTS: the plan has {entries + 1}, the ledger {entries} (entries). Run verify." in said.complaint


def test_wake_queues_each_stranded_batch_once(world, begun, command):
    assert command("wake").data == {"woken": [begun.pk], "expired": []}
    (row,) = DBTaskResult.objects.all()
    assert (row.status, row.args_kwargs["kwargs"]) == ("READY", {"batch_id": begun.pk, "user_id": world.system.pk})
    assert command("wake").data == {"woken": [], "expired": []}, "it is in the queue already"
    DBTaskResult.objects.update(status="RUNNING")
    assert command("wake").data == {"woken": [begun.pk], "expired": []}, (
        "a task whose worker was killed is held as running for ever"
    )


def test_wake_again_and_again_outlives_a_database_that_is_away(monkeypatch):
    slept: list[int] = []
    answers = iter([None, [], [3]])

    def woken(**_given: object) -> list[int]:
        answer = next(answers)
        if answer is None:
            raise TryAgain(cause="away")
        return answer

    monkeypatch.setattr("ingestion_app.tasks.wake", woken)
    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    lines = iter(wake.Command().run(every=30).lines)
    assert next(lines) == "queued again: batch 3"
    assert slept == [30, 30]


def test_status_tells_who_works_on_every_host_and_who_has_died(world, begun, command):
    at = clock.read()
    workers.beat(kind="worker", instance="00000000.1.aaaaaaaa", host="far", process=7, at=at)
    workers.beat(kind="waker", instance="00000000.1.bbbbbbbb", host="near", process=8, at=at - timedelta(minutes=2))
    told = {each["host"]: each["dead"] for each in command("status", begun.pk).data["workers"]}
    assert told == {"far": False, "near": True}


def test_status_says_that_a_batch_was_given_up(world, begun, command, capsys):
    for _ in range(3):
        made = attempts.begin(batch=begun, step="apply", caller=world.caller(), host="far", process=7)
        Attempt.objects.filter(pk=made.pk).update(
            outcome="failed", ended_at=worlds.NOW, reasons=[errors.Surprise(what="x").as_dict()]
        )
    assert command("status", begun.pk).data["progress"]["given_up"]
    call_command("status", str(begun.pk))
    assert "given up" in capsys.readouterr().out
    assert command("wake").data["woken"] == []


def test_status_holds_the_rows_against_what_was_approved_where_it_is_asked(world, begun, command):
    Chunk.objects.filter(batch=begun, number=2).update(record_count=99)
    plain = command("status", begun.pk).data["rerun"]
    assert (plain["checked"], plain["safe"]) == (False, True)
    checked = command("status", begun.pk, "--check").data["rerun"]
    assert (checked["checked"], checked["safe"], checked["verdict"]) == (True, False, "cannot_run")


def test_validate_without_again_says_that_it_read_nothing_and_names_the_account_that_is_shut(world, command, capsys):
    batch = world.approved()
    said = command("validate", batch.pk)
    assert (said.status, said.data["read"]) == (0, False)
    call_command("validate", str(batch.pk))
    assert f"validate {batch.pk} --again" in capsys.readouterr().out
    worlds.set_account("receivable.1002", "suspended")
    refused = command("apply", batch.pk)
    for told in (refused, command("validate", batch.pk)):
        assert told.status == 1
        assert "account receivable.1002 in book CARD is Suspended" in told.complaint
        assert f"validate {batch.pk} --again" in told.complaint
    worlds.set_account("receivable.1002", "open")
    assert command("validate", batch.pk, "--again", "--shown-version", batch.version).data["read"]


def test_the_last_line_of_a_rejection_says_how_many_findings_are_kept(world, command, monkeypatch):
    monkeypatch.setattr("ingestion_app.validating.operations.plans.FINDINGS_KEPT", 25)
    unknown = [worlds.Purchase("9999", "31", f"u{number}") for number in range(30)]
    batch = world.receive(worlds.card_file(unknown))
    said = command("validate", batch.pk)
    assert said.status == 3
    assert said.complaint.splitlines()[-1] == f"… and 10 more; 25 of 30 are kept with batch {batch.pk}, the first of each rule."


def test_the_newer_version_of_a_source_is_acknowledged_by_its_number(world, command):
    batch = world.validated()
    world.load(chunk_records=2)
    refused = command("approve", batch.pk, "--user", world.finance.username)
    assert (refused.status, refused.data["refused"][0]["code"]) == (1, "source_version_newer")
    assert command("approve", batch.pk, "--user", world.finance.username, "--acknowledge-version", 2).status == 0


def test_a_line_of_a_batch_that_was_withdrawn_is_never_applied(world, capsys):
    batch = world.withdraw(world.approved())
    call_command("explain", f"{batch.pk}:2")
    assert "Never applied" in capsys.readouterr().out


def test_status_says_that_no_worker_is_there_where_work_waits_for_one(world, begun, capsys):
    call_command("status", str(begun.pk))
    assert "no worker is there" in capsys.readouterr().out
    workers.beat(kind="worker", instance="00000000.1.aaaaaaaa", host="far", process=7, at=clock.read())
    call_command("status", str(begun.pk))
    assert "no worker is there" not in capsys.readouterr().out
