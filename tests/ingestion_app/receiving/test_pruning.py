"""Old uploads that nothing rests on lose their bytes; what a batch or a proposal refers to never does, no matter who comes in between."""

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from ingestion_app.models import Batch, File, PrunedFile, Receipt
from ingestion_app.receiving.operations import pruning
from ledger_app.base.operations import filing
from ledger_app.errors import Refused
from ledger_app.models import AuditRow
from tests.support import world as worlds
from tests.support.undoing import breaches
from tests.support.world import World

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
OTHER = worlds.card_file(worlds.PURCHASES[:2])


def prune(world: World, days: int = 30) -> pruning.Pruned:
    before = NOW - timedelta(days=days)
    return pruning.prune(
        directory=world.directory, attachments=world.directory / "attachments", before=before, caller=world.caller()
    )


def age(directory: Path, days: int = 60) -> None:
    long_ago = (NOW - timedelta(days=days)).timestamp()
    for path in directory.rglob("*"):
        if path.is_file():
            os.utime(path, (long_ago, long_ago))


@pytest.fixture
def refused(world: World) -> File:
    """A file that met another in its slot, beside a batch; both are old."""
    world.applied()
    with pytest.raises(Refused):
        world.receipt(OTHER)
    age(world.directory)
    return File.objects.latest("id")


def path_of(world: World, file: File) -> Path:
    return filing.path_of(world.directory, bytes(file.sha256))


def test_an_upload_that_never_became_a_batch_goes_and_its_receipt_stays(world: World, refused: File) -> None:
    assert breaches(world) == []
    done = prune(world)
    assert (done.files, done.unknown, done.attachments, done.bytes) == (1, 0, 0, len(OTHER))
    assert not path_of(world, refused).exists()
    assert Receipt.objects.filter(file=refused).count() == 1
    assert PrunedFile.objects.get().file == refused
    assert AuditRow.objects.get(subject_type="file", action="prune").facts["sha256"] == str(refused)
    batch = Batch.objects.get()
    assert path_of(world, batch.file).exists()
    assert breaches(world) == []
    assert prune(world).bytes == 0
    assert AuditRow.objects.filter(action="prune").count() == 1


@pytest.mark.parametrize("state", ["received", "withdrawn", "rejected"])
def test_what_a_batch_refers_to_stays_whatever_became_of_it(world: World, state: str) -> None:
    batch = world.receive() if state != "rejected" else world.validate(world.receive(worlds.card_file(count=99)))
    if state == "withdrawn":
        world.withdraw(batch)
    batch.refresh_from_db()
    assert batch.state == state
    age(world.directory)
    assert prune(world).bytes == 0
    assert path_of(world, batch.file).exists()


def test_what_is_young_stays(world: World, refused: File) -> None:
    assert prune(world, days=90).bytes == 0
    assert path_of(world, refused).exists()


def test_bytes_without_a_row_and_attachments_of_no_proposal_go(world: World) -> None:
    for folder in (world.directory, world.directory / "attachments"):
        filing.store(io.BytesIO(b"left by a kill"), folder)
    age(world.directory)
    done = prune(world)
    assert (done.files, done.unknown, done.attachments) == (0, 1, 1)
    assert [path for path in world.directory.rglob("*") if path.is_file()] == []


def test_bytes_that_come_again_while_they_are_removed_stay(world: World, refused: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored between the look and the removal, with a row that is not committed yet: nothing in the database tells of it."""
    put_aside = filing.put_aside

    def and_before_that_they_come_again(path: Path) -> Path:
        filing.store(io.BytesIO(OTHER), world.directory)
        return put_aside(path)

    monkeypatch.setattr(filing, "put_aside", and_before_that_they_come_again)
    assert prune(world).bytes == 0
    assert world.kept(OTHER)


def test_bytes_that_became_a_batch_meanwhile_stay(world: World, refused: File, monkeypatch: pytest.MonkeyPatch) -> None:
    put_aside = filing.put_aside

    def and_before_that_a_batch_has_them(path: Path) -> Path:
        world.receive(OTHER, name="till-2017-01-31-9.csv")
        age(world.directory)
        return put_aside(path)

    monkeypatch.setattr(filing, "put_aside", and_before_that_a_batch_has_them)
    assert prune(world).bytes == 0
    assert world.kept(OTHER)
    assert breaches(world) == []


def test_what_was_put_aside_by_one_that_was_killed_goes_back(world: World) -> None:
    batch = world.receive()
    age(world.directory)
    filing.put_aside(path_of(world, batch.file))
    assert prune(world).bytes == 0
    assert world.kept(worlds.card_file())


def test_a_file_whose_bytes_are_missing_and_that_a_batch_has_is_named_though_it_says_removed(world: World, refused: File) -> None:
    prune(world)
    batch = world.receive(OTHER, name="till-2017-01-31-9.csv")
    assert breaches(world) == []
    path_of(world, batch.file).unlink()
    assert any("cannot be read" in breach for breach in breaches(world))


def test_the_policy_is_a_setting(world: World, refused: File, settings: object, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prune_uploads")
    assert "kept for ever" in capsys.readouterr().out
    assert path_of(world, refused).exists()
    settings.KAKUTEI_UPLOAD_DAYS = 30  # type: ignore[attr-defined]
    call_command("prune_uploads")
    assert "removed 1 file" in capsys.readouterr().out
    assert not path_of(world, refused).exists()
