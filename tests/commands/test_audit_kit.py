"""audit_kit BOOK PERIOD, as a shell sees it: batches with the hashes of their files, and the decisions that led to the entries."""

import csv
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from ledger_app.models import AuditRow
from tests.commands.conftest import Run
from tests.support import kit_changes as changes
from tests.support.world import World, card_file


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py")], capture_output=True, text=True, env={}, encoding="utf-8"
    )


@pytest.fixture
def frozen(world: World) -> World:
    """January of CARD, frozen with one batch of seven entries."""
    world.freeze(world.applied())
    world.freeze_period(world.opened[0])
    return world


def test_what_was_written_is_told_and_agrees(frozen: World, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    ended = run("audit_kit", "CARD", "2017-01", "--output", folder, "--json")
    seal = bytes(frozen.opened[0].seal.digest).hex()
    kit = hashlib.sha256((folder / "kit.json").read_bytes()).hexdigest()
    assert ended.data == {
        "book": "CARD",
        "period": "2017-01",
        "path": str(folder),
        "rows": ended.data["rows"],
        "seal": seal,
        "kit": kit,
    }
    assert {name: count for name, count in ended.data["rows"].items() if name in {"entries", "lines", "batches", "seals"}} == {
        "entries": 7,
        "lines": 14,
        "batches": 1,
        "seals": 1,
    }
    said = verify(folder)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert f"Seal 1 of CARD 2017-01: {seal}" in said.stdout
    again = run("audit_kit", "CARD", "2017-01", "--output", folder)
    assert again.status == 0
    assert kit in again.out
    row = AuditRow.objects.filter(action="take_kit").order_by("id")[0]
    assert (row.door, row.actor.username, row.facts["kit"]) == ("command", "system", kit)
    assert row.os_user


def test_a_batch_comes_with_the_hash_of_its_file_and_its_people(frozen: World, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    run("audit_kit", "CARD", "2017-01", "--output", folder)
    (batch,) = rows(folder / "batches.csv")
    assert batch["sha256"] == hashlib.sha256(card_file()).hexdigest()
    assert batch["plan_digest"] == batch["approved_digest"] != ""
    assert (batch["source"], batch["received_by"], batch["approved_by"]) == (
        "till",
        frozen.engineer.username,
        frozen.finance.username,
    )
    assert {(row["origin"], row["subject"], row["subject_number"]) for row in rows(folder / "postings.csv")} == {
        ("chunk", "batch", batch["batch"])
    }
    decided = [(row["subject"], row["action"], row["by"]) for row in rows(folder / "decisions.csv")]
    assert ("period", "freeze", frozen.finance.username) in decided
    assert ("batch", "approve", frozen.finance.username) in decided
    assert ("batch", "receive", frozen.engineer.username) in decided


def test_a_changed_decision_is_named(frozen: World, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    run("audit_kit", "CARD", "2017-01", "--output", folder)
    number = next(place for place, row in enumerate(rows(folder / "decisions.csv"), start=1) if row["action"] == "approve")
    named = changes.rewrite(folder / "decisions.csv", changes.set_cell(number, "by", "somebody"))
    ended = verify(folder)
    assert ended.returncode == 1
    assert f"decisions.csv{named}batch {rows(folder / 'batches.csv')[0]['batch']} approve somebody)" in ended.stdout


def test_what_cannot_be_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    assert run("audit_kit", "CARD", "2017-01", "--output", folder).complaints.startswith("kit_not_sealed: ")
    assert run("audit_kit", "CARD", "2017-13", "--output", folder).complaints.startswith("not_found: ")
    assert not folder.exists()


def test_where_nothing_can_be_written_is_wrong_usage(frozen: World, run: Run, tmp_path: Path) -> None:
    ended = run("audit_kit", "CARD", "2017-01", "--output", tmp_path / "away" / "kit")
    assert (ended.status, "No such file" in ended.complaints) == (2, True)
    (tmp_path / "notes.txt").write_text("Mine.")
    ended = run("audit_kit", "CARD", "2017-01", "--output", tmp_path)
    assert (ended.status, "not empty" in ended.complaints) == (2, True)
    assert run("audit_kit", "CARD", "2017-01").status == 2
