"""A kit is what was written to the byte: whatever else is done to its folder is told, in words, and never taken for agreement nor by a trace of Python."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger_app.reports import audit_kits, kit_program
from tests.ledger_app.reports.test_audit_kits import fill, kit_of
from tests.support.samples import SmallLedger

Done = Callable[[Path], object]


@pytest.fixture
def folder(ledger: SmallLedger, checker: Any, tmp_path: Path) -> Path:
    """The kit of January, free to be written to."""
    fill(ledger, checker)
    path = kit_of(ledger, tmp_path / "kit").path
    for each in path.iterdir():
        each.chmod(0o640)
    return path


def program(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Run the program of a kit, and return how it ended and what it said."""
    status = kit_program.main([str(folder), "--language", "en"])
    said = capsys.readouterr()
    return status, (said.out + said.err).splitlines()


def in_bytes(name: str, before: bytes, after: bytes) -> Done:
    """Put other bytes in the place of the first of these."""

    def do(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert before in content
        (folder / name).write_bytes(content.replace(before, after, 1))

    return do


def with_crlf(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def with_folder_for_entries(folder: Path) -> None:
    (folder / "entries.csv").unlink()
    (folder / "entries.csv").mkdir()


def with_added_decision(folder: Path) -> None:
    """Add a decision of which the digest fits the row before it."""
    path = folder / "decisions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        *rows, last = csv.reader(file)
    added = ["mallory" if cell == "finance-1" else cell for cell in last[:-1]]
    added.append(kit_program.row_digest(last[-1], added))
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*rows, last, added])


# What is done to the folder, and the beginning of a line that is said of it.
DONE: dict[str, tuple[Done, str]] = {
    "line ends of another system": (with_crlf, "decisions.csv: is not what kit.json says of it"),
    "quotes that no reader sees": (in_bytes("lines.csv", b",cash,", b',"cash",'), "lines.csv: is not what kit.json says of it"),
    "a byte-order mark": (in_bytes("entries.csv", b"date", b"\xef\xbb\xbfdate"), "entries.csv: the columns are not those"),
    "a byte that is no text": (in_bytes("entries.csv", b"s-3", b"s-\xff"), "entries.csv:4 ("),
    "a byte that is no text among the names": (in_bytes("seals.csv", b"number", b"n\xffmber"), "seals.csv: the columns are not"),
    "a byte of nothing": (in_bytes("decisions.csv", b"finance-1", b"finance\x001"), "decisions.csv:2 ("),
    "a cell without an end": (
        lambda folder: (folder / "entries.csv").write_bytes((folder / "entries.csv").read_bytes() + b"x" * (10**7 + 1)),
        "entries.csv: cannot be read further",
    ),
    "a decision more": (with_added_decision, "decisions.csv:3 (period "),
    "a file more": (lambda folder: (folder / "decisions-2.csv").write_text("x\n"), "decisions-2.csv: is no part of this kit"),
    "a folder more": (lambda folder: (folder / "csv").mkdir(), "csv: is no part of this kit"),
    "an empty file": (lambda folder: (folder / "seals.csv").write_bytes(b""), "seals.csv: is not what kit.json says of it"),
    "a folder in the place of a file": (with_folder_for_entries, "entries.csv: file is missing"),
    "the program itself": (
        lambda folder: (folder / "verify.py").write_text("print('It agrees')"),
        "verify.py: is not what kit.json says of it",
    ),
}


@pytest.mark.anywhere
@pytest.mark.parametrize("name", DONE)
def test_whatever_is_done_to_the_folder_is_told(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    do, sentence = DONE[name]
    assert program(folder, capsys)[0] == 0
    do(folder)
    status, said = program(folder, capsys)
    assert status == 1
    assert any(line.startswith(sentence) for line in said), said


def test_what_a_desktop_leaves_in_every_folder_is_nobodys_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".DS_Store").write_bytes(b"\0")
    assert program(folder, capsys)[0] == 0


def summaries(said: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return kit.json with each of its facts away, and of another kind."""
    found: list[tuple[str, Any]] = []
    values: tuple[Any, ...] = (None, 5, [], {}, "x", {"x": []})
    for name in said:
        found += [(f"{name}={value!r}", {**said, name: value}) for value in values]
        found.append((f"{name} away", {key: value for key, value in said.items() if key != name}))
    for name in said["files"]["entries.csv"]:
        of_entries = {key: value for key, value in said["files"]["entries.csv"].items() if key != name}
        found.append((f"files {name} away", {**said, "files": {**said["files"], "entries.csv": of_entries}}))
    for name in said["files"]["entries.csv"]["columns"]:
        columns = [each for each in said["files"]["entries.csv"]["columns"] if each != name]
        of_entries = {**said["files"]["entries.csv"], "columns": columns}
        found.append((f"column {name} away", {**said, "files": {**said["files"], "entries.csv": of_entries}}))
    return found


# What no row of the kit says: these stand in kit.json alone, and are held by the digest of it that was told on another way.
BY_THE_KIT_ALONE = ("unit", "exponent", "time_zone")


@pytest.mark.anywhere
def test_a_summary_of_any_shape_is_told_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "kit.json").read_text()
    kit = kit_program.Kit(folder).digest
    for name, said in summaries(json.loads(text)):
        (folder / "kit.json").write_text(json.dumps(said))
        status, lines = program(folder, capsys)
        assert status in ((0,) if name.startswith(BY_THE_KIT_ALONE) else (1, 2)), (name, lines)
        if status == 0:
            assert kit_program.main([str(folder), "--kit", kit]) == 1
    for content in (b"", b"[" * 100_000, b"\xff", b"[]", b"5", b'"x"'):
        (folder / "kit.json").write_bytes(content)
        assert program(folder, capsys)[0] == 2


@pytest.mark.anywhere
def test_columns_that_are_away_in_the_summary_too_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Anyone who takes a column out of a file, and of what kit.json says of it, finds the program still speaking."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, columns in audit_kits.COLUMNS.items():
        for place in range(len(columns)):
            said = json.loads(before["kit.json"])
            del said["files"][name]["columns"][place]
            (folder / "kit.json").write_text(json.dumps(said))
            rows = list(csv.reader(before[name].decode().splitlines()))
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([*row[:place], *row[place + 1 :]] for row in rows)
            assert program(folder, capsys)[0] == 1
        (folder / name).write_bytes(before[name])


def test_a_role_may_be_called_as_what_is_counted(ledger: SmallLedger, checker: Any, tmp_path: Path) -> None:
    """What finance gave for such a role is held against the role, and what it gave for a count against the count."""
    from ledger_app.books.operations import books
    from tests.ledger_app.reports.test_audit_kits import freeze

    books.open_accounts(
        book=ledger.book,
        openings=[books.AccountOpening(name, name, "income") for name in ("lines", "digest")],
        caller=ledger.caller,
    )
    ledger.accounts.update({row.code: row for row in ledger.book.accounts.filter(code__in=("lines", "digest"))})
    ledger.post(ledger.draft("s-1", ("cash", 30), ("lines", -20), ("digest", -10)))
    freeze(ledger, checker, entries=1, debits=30, lines=-20, digest=-10)
    assert kit_program.Kit(kit_of(ledger, tmp_path / "kit").path).check().told == []


def test_a_kit_that_cannot_take_its_place_leaves_the_older_one(
    ledger: SmallLedger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if target == folder and path.name != "kit":
            raise OSError(5, "no")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="no"):
        kit_of(ledger, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["kit"]
