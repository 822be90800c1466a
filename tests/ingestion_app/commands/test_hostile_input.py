"""What a sender or a shell may give: pipes, full disks, names that act on a terminal, definitions that exhaust their reader."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from ingestion_app.models import Batch, Receipt
from ingestion_app.receiving.operations import receiving
from ledger_app.base.operations import filing
from ledger_app.errors.printable import escaped, escaped_within
from ledger_app.models import User
from tests.support.world import NAME, World, card_file

pytestmark = pytest.mark.django_db

Run = Callable[..., Any]
HOSTILE = "a\nposted by: nobody\x1b[2J\u202etxt.csv"
SHOWN = r"a\nposted by: nobody\x1b[2J\u202etxt.csv"
DEFINITION = (Path(__file__).parents[3] / "ingestion_app/demo/card-usage.toml").read_text(encoding="utf-8")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, and return all that it printed for people."""

    def run(name: str, *arguments: object) -> str:
        capsys.readouterr()
        with suppress(SystemExit):
            call_command(name, *[str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


COMMANDS_WITH_PATHS = {
    "receive": lambda path: ("receive", path, "--source", "till"),
    "ingest": lambda path: ("ingest", path, "--source", "till"),
    "load_source": lambda path: ("load_source", path),
    "export": lambda path: ("export", "CARD", "--period", "2017-01", "--format", "journal", "--output", path),
    "statement": lambda path: ("statement", "CARD/receivable.1001", "--output", path),
    "propose": lambda path: (
        *("propose", "CARD", "receivable.1001", "5", "--date", "2017-01-31"),
        *("--reason", "goodwill", "--text", "x", "--key", "k-1", "--user", "fumiko", "--attach", path),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS_WITH_PATHS)
def test_a_pipe_is_refused_and_never_waited_for(world: World, pipe: Path, command: Run, name: str) -> None:
    ended = command(*COMMANDS_WITH_PATHS[name](pipe))
    assert ended.status == 1
    assert [each["code"] for each in ended.data["refused"]] == ["file_not_regular"]
    assert pipe.is_fifo()


def test_a_device_is_no_file_either_and_a_folder_is_wrong_usage(world: World, tmp_path: Path, command: Run) -> None:
    assert [each["code"] for each in command("load_source", "/dev/zero").data["refused"]] == ["file_not_regular"]
    assert command("load_source", tmp_path).status == 2


def test_a_full_disk_is_told_as_something_to_try_again(world: World, tmp_path: Path, command: Run, monkeypatch) -> None:
    path = tmp_path / NAME
    path.write_bytes(card_file())

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = command("receive", path, "--source", "till")
    assert (ended.status, [each["code"] for each in ended.data["refused"]]) == (75, ["disk_full"])
    assert list(filing.path_of(world.directory, b"\0" * 32).parent.parent.glob("incoming-*")) == []
    assert not Receipt.objects.exists()
    exported = command("export", "CARD", "--period", "2017-01", "--format", "journal", "--output", tmp_path / "out.csv")
    assert (exported.status, [each["code"] for each in exported.data["refused"]]) == (75, ["disk_full"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\ufeff" + DEFINITION, 1),
        (DEFINITION.replace("set_aside = 0", "set_aside = " + "9" * 5000), None),
        (DEFINITION.replace("set_aside = 0", "set_aside = 0x" + "f" * 9000), None),
        (DEFINITION + "\nx = " + "[" * 2000 + "]" * 2000 + "\n", None),
        (DEFINITION + "\nx = " + "{a=" * 2000 + "1" + "}" * 2000 + "\n", None),
        ("a." * 3000 + "b = 1\n" + DEFINITION, None),
    ],
    ids=["bom", "digits", "hexadecimal", "arrays", "tables", "dots"],
)
def test_no_definition_is_more_than_its_reader_can_take(world, tmp_path: Path, command: Run, text: str, line: int | None) -> None:
    path = tmp_path / "given.toml"
    path.write_text(text, encoding="utf-8")
    ended = command("load_source", path)
    assert ended.status == 1
    assert {each["code"] for each in ended.data["refused"]} == {"definition_invalid"}
    assert line in {None, *(each["facts"]["line"] for each in ended.data["refused"])}


def test_a_definition_of_any_size_is_not_read_whole(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / "given.toml"
    path.write_bytes(b"#" * 2_000_000)
    assert [each["code"] for each in command("load_source", path).data["refused"]] == ["file_too_large"]


def test_a_name_that_acts_is_printed_as_escapes_wherever_it_is_printed(
    world: World, tmp_path: Path, said: Run, client: Client
) -> None:
    path = tmp_path / HOSTILE
    path.write_bytes(card_file())
    ended = said("receive", path, "--source", "till", "--business-date", "2017-01-31")
    batch = Batch.objects.get()
    printed = [ended, *(said(*each) for each in (("explain", f"{batch.pk}:2"), ("status", batch.pk), ("validate", batch.pk)))]
    assert SHOWN in printed[1]
    for text in printed:
        assert escaped_within(text) == text
        assert not any(line.startswith("posted by") for line in text.splitlines())
    User.objects.filter(username="fumiko").update(is_superuser=True)
    client.force_login(User.objects.get(username="fumiko"))
    receipt = batch.receipt
    assert receipt is not None
    pages = [
        f"/admin/ingestion_app/batch/{batch.pk}/change/",
        f"/admin/ingestion_app/receipt/{receipt.pk}/change/",
        "/admin/ingestion_app/receipt/",
    ]
    for page in pages:
        text = client.get(page).content.decode()
        assert escaped_within(text) == text
        assert "a\nposted by" not in text
    assert SHOWN in client.get(pages[1]).content.decode()


def test_the_sentence_of_a_refusal_quotes_a_name_as_escapes(world: World, tmp_path: Path, command: Run) -> None:
    path = tmp_path / HOSTILE
    path.write_bytes(card_file())
    refused = command("receive", path, "--source", "till").data["refused"]
    assert [each["code"] for each in refused] == ["slot_unknown"]
    assert SHOWN in refused[0]["sentence"]
    assert refused[0]["facts"]["name"] == SHOWN == Receipt.objects.get().name


def test_texts_are_escaped_character_by_character() -> None:
    assert escaped("日本 a\tb\r\n\x00\x7f\x85\u2028\u2066\ud800\ufeff") == r"日本 a\tb\r\n\x00\x7f\x85\u2028\u2066\ud800\ufeff"
    assert escaped_within("a\tb\n\x1b") == "a\tb\n\\x1b"
    assert receiving.NAME_CHARACTERS == 255
