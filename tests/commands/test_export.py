"""export BOOK, as a shell sees it."""

from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.support.world import World


@pytest.mark.parametrize("form", ["journal", "hledger"])
def test_what_was_written_is_told(world: World, run: Run, tmp_path: Path, form: str) -> None:
    batch = world.applied()
    path = tmp_path / "out"
    arguments = ("export", "CARD", "--period", "2017-01", "--format", form, "--output", path)
    assert "not final" in run(*arguments).out
    world.freeze(batch)
    seal = world.freeze_period(world.opened[0])
    data = run(*arguments, "--json").data
    assert data == {
        "book": "CARD",
        "period": "2017-01",
        "format": form,
        "path": str(path),
        "bytes": path.stat().st_size,
        "entries": 7,
        "lines": 14,
        "debits": 14644,
        "final": True,
        "seal": bytes(seal.digest).hex(),
    }
    assert bytes(seal.digest).hex() in path.read_text()


@pytest.mark.parametrize(("book", "period"), [("NONE", "2017-01"), ("CARD", "2017-13")])
def test_what_is_not_there_is_refused(world: World, run: Run, tmp_path: Path, book: str, period: str) -> None:
    ended = run("export", book, "--period", period, "--format", "journal", "--output", tmp_path / "out")
    assert ended.status == 1
    assert ended.complaints.startswith("not_found: ")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_wrong_usage(world: World, run: Run, tmp_path: Path) -> None:
    ended = run("export", "CARD", "--period", "2017-01", "--format", "journal", "--output", tmp_path / "away" / "out")
    assert ended.status == 2
    assert "No such file or directory" in ended.complaints


@pytest.mark.parametrize(
    "arguments",
    [
        ("CARD", "--period", "2017-01", "--format", "parquet", "--output", "x"),
        ("CARD", "--period", "2017-01", "--output", "x"),
        ("CARD", "--format", "journal", "--output", "x"),
        ("CARD", "--period", "2017-01", "--format", "journal"),
    ],
)
def test_wrong_usage_is_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("export", *arguments).status == 2
