"""The commands: exit statuses, one JSON object on standard output, complaints on standard error, safe to run again."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project

from ingestion_app.models import Batch, Receipt, SourceVersion
from ledger_app.models import AuditRow, Entry, Identifier
from tests.support.world import NAME, World, card_file, definition, ledger, set_account

pytestmark = pytest.mark.django_db

Run = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / NAME
    file.write_bytes(card_file())
    return file


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does; for what is refused before the database is asked."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=project.BASE_DIR, capture_output=True, text=True, timeout=60
    )


def test_a_file_goes_from_bytes_to_a_frozen_batch(world: World, path: Path, command: Run) -> None:
    received = command("receive", path, "--source", "till")
    assert received.status == 0
    assert received.data["batch"] == Batch.objects.get().pk
    number = received.data["batch"]

    validated = command("validate", number)
    assert (validated.status, validated.data["state"], validated.data["records"], validated.data["set_aside"]) == (
        0,
        "validated",
        8,
        0,
    )
    approved = command("approve", number, "--user", "fumiko", "--note", "As agreed.", "--plan", validated.data["plan"])
    assert (approved.status, approved.data["state"], approved.data["approved_by"]) == (0, "approved", "fumiko")
    applied = command("apply", number)
    assert (applied.status, applied.data["state"], applied.data["chunks_stopped"]) == (0, "applied", {})
    assert applied.data["posted"]["CARD"]["entries"] == 7
    frozen = command("freeze_batch", number, "--user", "fumiko")
    assert (frozen.status, frozen.data) == (0, {"batch": number, "state": "frozen"})

    row = AuditRow.objects.get(subject_type="batch", subject_id=number, action="approve")
    assert (row.reason, row.door, bool(row.os_user), bool(row.host)) == ("As agreed.", "command", True, True)

    # Once more, all of it: found done, nothing changed.
    before = ledger(), AuditRow.objects.count()
    for name, *arguments in (
        ("validate", number),
        ("approve", number, "--user", "fumiko"),
        ("apply", number),
        ("freeze_batch", number, "--user", "fumiko"),
    ):
        again = command(name, *arguments)
        assert (again.status, again.data["state"]) == (0, "frozen"), name
    assert (ledger(), AuditRow.objects.count()) == before
    again = command("receive", path, "--source", "till")
    assert (again.status, again.data["outcome"], again.data["batch"]) == (0, "duplicate", number)


def test_ingest_receives_and_validates_and_with_a_user_goes_on(world: World, path: Path, command: Run) -> None:
    first = command("ingest", path, "--source", "till")
    assert (first.status, first.data["state"], first.data["outcome"]) == (0, "validated", "accepted")
    assert Entry.objects.count() == 0
    second = command("ingest", path, "--source", "till", "--user", "fumiko")
    assert (second.status, second.data["state"], second.data["outcome"]) == (0, "applied", "duplicate")
    before = ledger()
    third = command("ingest", path, "--source", "till", "--user", "fumiko")
    assert (third.status, third.data["state"], ledger()) == (0, "applied", before)
    assert {row.actor.username for row in AuditRow.objects.exclude(action="approve").filter(subject_type="batch")} == {"system"}


def test_ingest_stops_at_an_approval_that_is_refused(world: World, path: Path, command: Run) -> None:
    said = command("ingest", path, "--source", "till", "--user", "erika")
    assert said.status == 1
    assert said.data["refused"][0]["code"] == "not_permitted"
    assert (Batch.objects.get().state, Entry.objects.count()) == ("validated", 0)


def test_a_chunk_that_stopped_is_status_1_with_its_reasons(world: World, path: Path, command: Run) -> None:
    number = command("ingest", path, "--source", "till").data["batch"]
    command("approve", number, "--user", "fumiko")
    set_account("settlement.32", "suspended")
    stopped = command("apply", number)
    assert (stopped.status, stopped.data["state"]) == (1, "applying")
    assert stopped.data["chunks_stopped"]
    assert "account_not_open: The account settlement.32 is Suspended" in stopped.complaint
    set_account("settlement.32", "open")
    assert command("apply", number).status == 0


def test_a_withdrawal_names_its_user_and_reason(world: World, path: Path, command: Run) -> None:
    number = command("receive", path, "--source", "till").data["batch"]
    refused = command("withdraw", number, "--user", "fumiko", "--reason", "x")
    assert (refused.status, refused.data["refused"][0]["code"]) == (1, "not_permitted")
    refused = command("withdraw", number, "--user", "erika", "--reason", " ")
    assert (refused.status, refused.data["refused"][0]["code"]) == (1, "reason_required")
    for _ in range(2):
        withdrawn = command("withdraw", number, "--user", "erika", "--reason", "Sent twice.")
        assert (withdrawn.status, withdrawn.data["state"]) == (0, "withdrawn")
    assert AuditRow.objects.filter(subject_id=number, action="withdraw", outcome="done").count() == 1
    assert command("validate", number).status == 1


def test_the_same_bytes_under_another_name_are_told_with_the_first_batch(
    world: World, path: Path, tmp_path: Path, command: Run
) -> None:
    number = command("receive", path, "--source", "till").data["batch"]
    renamed = tmp_path / "renamed.csv"
    renamed.write_bytes(path.read_bytes())
    said = command("receive", renamed, "--source", "till", "--user", "emil")
    assert (said.status, said.data["outcome"], said.data["batch"]) == (0, "duplicate", number)


def test_a_conflict_is_status_1_and_its_bytes_are_kept(world: World, path: Path, command: Run) -> None:
    command("receive", path, "--source", "till")
    other = card_file(count=3)
    path.write_bytes(other)
    said = command("receive", path, "--source", "till")
    assert (said.status, said.data["refused"][0]["code"]) == (1, "slot_conflict")
    assert "slot_conflict" in said.complaint
    assert world.kept(other)


def test_a_name_without_a_slot_is_status_1_and_then_taken_with_its_date(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / "purchases.csv"
    path.write_bytes(card_file())
    said = command("receive", path, "--source", "till")
    assert (said.status, said.data["refused"][0]["code"]) == (1, "slot_unknown")
    assert Receipt.objects.get().outcome == "refused"
    said = command("receive", path, "--source", "till", "--business-date", "2017-01-31")
    assert (said.status, said.data["sequence"], said.data["business_date"]) == (0, 1, "2017-01-31")
    assert command("validate", said.data["batch"]).status == 0


def test_a_name_of_bytes_that_are_no_text_is_received(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / b"\x83J\x81[\x83h.csv".decode("utf-8", "surrogateescape")
    path.write_bytes(card_file())
    said = command("receive", path, "--source", "till", "--business-date", "2017-01-31")
    assert (said.status, said.data["outcome"]) == (0, "accepted")


@pytest.mark.parametrize(
    "arguments",
    [
        ("receive", "{path}", "--source", "nobody"),
        ("receive", "{path}", "--source", "till", "--user", "nobody"),
        ("receive", "{path}", "--source", "till", "--user", "system "),
        ("validate", "999"),
        ("approve", "999", "--user", "fumiko"),
        ("apply", "999"),
        ("withdraw", "999", "--user", "erika", "--reason", "x"),
        ("freeze_batch", "999", "--user", "fumiko"),
        ("validate", "9" * 19),
        ("validate", "9" * 30),
    ],
)
def test_what_is_not_there_is_status_1(world: World, path: Path, command: Run, arguments: tuple[str, ...]) -> None:
    said = command(*[argument.format(path=path) for argument in arguments])
    assert (said.status, said.data["refused"][0]["code"]) == (1, "not_found")


@pytest.mark.parametrize("user", ["system", "gone"])
def test_those_who_cannot_log_in_decide_nothing(world: World, path: Path, command: Run, user: str) -> None:
    world.finance.username, world.finance.is_active = "gone", False
    world.finance.save()
    number = command("ingest", path, "--source", "till").data["batch"]
    said = command("approve", number, "--user", user)
    assert (said.status, said.data["refused"][0]["code"]) == (1, "not_found")


def test_deciding_by_command_can_be_switched_off(world: World, path: Path, command: Run, settings: Any) -> None:
    settings.KAKUTEI_DECIDE_BY_COMMAND = False
    number = command("ingest", path, "--source", "till").data["batch"]
    for arguments in (
        ("approve", number, "--user", "fumiko"),
        ("withdraw", number, "--user", "erika", "--reason", "x"),
        ("freeze_batch", number, "--user", "fumiko"),
        ("ingest", path, "--source", "till", "--user", "fumiko"),
    ):
        said = command(*arguments)
        assert (said.status, said.data["refused"][0]["code"]) == (1, "deciding_by_command_off")
    assert Batch.objects.get().state == "validated"


@pytest.mark.serial
@pytest.mark.parametrize(
    "arguments",
    [
        ("receive", "{path}"),
        ("receive", "{missing}", "--source", "till"),
        ("receive", "{folder}", "--source", "till"),
        ("receive", "{path}", "--source", "till", "--business-date", "2017-02-30"),
        ("receive", "{path}", "--source", "till", "--business-date", "2017-W05-2"),
        ("receive", "{path}", "--source", "till", "--sequence", "0"),
        ("validate", "one"),
        ("approve", "1"),
        ("apply", "1", "--workers", "-1"),
        ("withdraw", "1", "--user", "erika"),
        ("load_source", "{missing}"),
    ],
)
def test_wrong_usage_is_status_2(path: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    places = {"path": path, "missing": tmp_path / "missing.csv", "folder": tmp_path}
    said = shell(*[argument.format(**places) for argument in arguments])
    assert (said.returncode, said.stdout) == (2, "")
    assert "Traceback" not in said.stderr
    assert said.stderr


def test_a_source_is_loaded_once_and_again_when_it_changed(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / "till.toml"
    path.write_text(definition(), encoding="utf-8")
    said = command("load_source", path)
    assert (said.status, said.data["version"], said.data["new"]) == (0, 1, False)
    path.write_text(definition(chunk_records=7), encoding="utf-8")
    for is_new in (True, False):
        said = command("load_source", path)
        assert (said.status, said.data["version"], said.data["new"]) == (0, 2, is_new)
    assert SourceVersion.objects.count() == 2


def test_a_source_with_faults_changes_nothing_and_names_each_line(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / "till.toml"
    text = definition().replace('encoding = "utf-8"', 'encoding = "latin-1"').replace("line_bytes = 200", "line_bites = 200")
    path.write_text(text, encoding="utf-8")
    said = command("load_source", path)
    assert said.status == 1
    assert {reason["code"] for reason in said.data["refused"]} == {"definition_invalid"}
    lines = {text.split("\n")[reason["facts"]["line"] - 1] for reason in said.data["refused"]}
    assert {"line_bites = 200", 'encoding = "latin-1"'} <= lines
    path.write_bytes(b"\xff\xfe")
    assert command("load_source", path).status == 2
    assert SourceVersion.objects.count() == 1


def test_loading_a_source_needs_the_right(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / "till.toml"
    path.write_text(definition(chunk_records=9), encoding="utf-8")
    said = command("load_source", path, "--user", "sora")
    assert (said.status, said.data["refused"][0]["code"]) == (1, "not_permitted")
    assert SourceVersion.objects.count() == 1


@pytest.mark.slow
def test_the_demonstration_is_seeded_once(db: None, command: Run) -> None:
    first = command("seed_demo", "--months", 2)
    assert first.status == 0
    assert (first.data["members"], first.data["periods"], first.data["source"]) == (2469, 6, "card-usage v1")
    second = command("seed_demo", "--months", 2)
    assert (second.data["members"], second.data["accounts"], second.data["periods"]) == (0, 0, 0)
    more = command("seed_demo", "--months", 3)
    assert (more.data["members"], more.data["periods"]) == (0, 2)
    assert Identifier.objects.count() == 2469


def test_the_drawings_of_the_states_are_current() -> None:
    from ingestion_app.management.commands.draw_states import drawings

    for name, drawing in drawings().items():
        assert (Path(project.BASE_DIR) / "docs" / name).read_text(encoding="utf-8") == drawing, "run manage.py draw_states"
