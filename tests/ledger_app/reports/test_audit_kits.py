"""The audit kit: its program agrees with what was written, in a Python of nothing but itself, and names the row of whatever was changed since."""

import ast
import csv
import hashlib
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.close import rules
from ledger_app.close.operations import periods
from ledger_app.close.queries import audit_kits as queries
from ledger_app.models import AuditRow, Period, Seal, User
from ledger_app.reports import audit_kits, kit_program
from tests.conftest import CallerMaker
from tests.support import kit_changes as changes
from tests.support import samples
from tests.support.reversing import reverse_entry
from tests.support.samples import SmallLedger

JANUARY, FEBRUARY = "2017-01", "2017-02"


def freeze(ledger: SmallLedger, checker: Caller, period: str = JANUARY, **controls: int) -> Seal:
    return periods.freeze(period_id=ledger.periods[period].pk, controls=controls, caller=checker, code_version="test")


def fill(ledger: SmallLedger, checker: Caller) -> None:
    """January with four entries, under odd texts; a reversal and another entry under the same reference."""
    ledger.sell("s-1", 5, on=date(2017, 1, 1))
    ledger.post(
        ledger.draft(
            "=s-2", ("cash", 30), ("M1-receivable", 70), ("sales", -100), on=date(2017, 1, 31), description='=SUM(A1) "x", 牛乳'
        )
    )
    ledger.sell("s-3", 7, on=date(2017, 1, 31))
    ledger.sell("s-4", 9, on=date(2017, 1, 31))
    freeze(ledger, checker, entries=4, debits=121, sales=-121)


@pytest.fixture
def folder(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> Path:
    """The kit of January."""
    fill(ledger, checker)
    return kit_of(ledger, tmp_path / "kit").path


def kit_of(ledger: SmallLedger, path: Path, period: str = JANUARY) -> audit_kits.Kit:
    return audit_kits.write(period=ledger.periods[period], path=path, caller=samples.machine_caller())


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program of a kit in a Python that has nothing installed, with an empty environment."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env={"PYTHONUTF8": "1"}, encoding="utf-8")


def test_its_program_agrees_and_tells_the_seal_and_the_kit(ledger: SmallLedger, checker: Caller, folder: Path) -> None:
    seal = bytes(Seal.objects.get().digest).hex()
    kit = hashlib.sha256((folder / "kit.json").read_bytes()).hexdigest()
    ended = verify(folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "It agrees: 4 entries, 9 lines, 3 accounts, 1 decisions.",
        f"Seal 1 of CARD 2017-01: {seal}",
        f"This kit: {kit}",
        "Hold both against what you were told on another way than this folder.",
    ]
    assert verify(folder, "--seal", seal.upper(), "--kit", kit).returncode == 0
    for name in ("seal", "kit"):
        another = verify(folder, f"--{name}", "ab" * 32)
        assert another.returncode == 1
        assert another.stdout.startswith(f"{name}: is not the one that you gave")
    assert verify(folder, "--language", "ja").stdout.startswith("一致しました: 仕訳 4 件、明細 9 行、勘定 3 件、決裁 1 件。")


def test_the_second_period_opens_with_what_the_first_closed_with(
    ledger: SmallLedger, checker: Caller, caller_of: CallerMaker, finance: User, tmp_path: Path
) -> None:
    fill(ledger, checker)
    ledger.sell("s-5", 11, on=date(2017, 2, 3))
    later = caller_of(finance, at=samples.AFTER_JANUARY.replace(month=3))
    entry = ledger.book.entries.get(reference="s-3")
    reverse_entry(entry_id=entry.pk, effective_on=date(2017, 2, 3), reason="Typed twice.", caller=later)
    freeze(ledger, later, FEBRUARY, debits=18)
    kit = kit_of(ledger, tmp_path / "kit", FEBRUARY)
    assert verify(kit.path).returncode == 0, verify(kit.path).stdout
    counts = {"seals": 2, "trial_balance": 6, "entries": 2, "lines": 4, "balances": 3}
    assert kit.rows == {**counts, "postings": 2, "batches": 0, "decisions": 3}
    with (kit.path / "balances.csv").open() as file:
        assert {row["account"]: (row["opening"], row["closing"]) for row in csv.DictReader(file)} == {
            "M1-receivable": ("70", "70"),
            "cash": ("51", "55"),
            "sales": ("-121", "-125"),
        }
    with (kit.path / "decisions.csv").open() as file:
        freeze_row, propose, approve = csv.DictReader(file)
    assert (freeze_row["subject"], freeze_row["action"], freeze_row["by"]) == ("period", "freeze", "finance-1")
    assert (propose["subject"], propose["action"], approve["action"], approve["by"]) == (
        *("reversal", "propose", "approve", "finance-1"),
    )
    assert propose["by"] not in {"", "finance-1"}


def test_an_empty_period_has_a_kit(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> None:
    freeze(ledger, checker, debits=0)
    assert verify(kit_of(ledger, tmp_path / "kit").path).returncode == 0


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("lines.csv", changes.set_cell(1, "amount", "6")),
        ("lines.csv", changes.set_cell(3, "account", "sales")),
        ("lines.csv", changes.set_cell(3, "role", "sales")),
        ("lines.csv", changes.set_cell(3, "amount", "many")),
        ("lines.csv", changes.without(2)),
        ("lines.csv", changes.without(6, 2)),
        ("lines.csv", changes.doubled(2, "s-9")),
        ("lines.csv", changes.swapped(2, 3)),
        ("lines.csv", changes.cut(7)),
        ("lines.csv", changes.cut(0)),
        ("entries.csv", changes.set_cell(2, "date", "2017-01-30")),
        ("entries.csv", changes.set_cell(2, "description", "milk")),
        ("entries.csv", changes.set_cell(2, "digest", "00" * 32)),
        ("entries.csv", changes.without(1)),
        ("entries.csv", changes.doubled(4, "s-9")),
        ("entries.csv", changes.swapped(2, 3)),
        ("entries.csv", changes.cut(3)),
        ("balances.csv", changes.set_cell(1, "closing", "71")),
        ("balances.csv", changes.set_cell(2, "opening", "1")),
        ("balances.csv", changes.without(3)),
        ("trial_balance.csv", changes.set_cell(1, "closing", "1")),
        ("seals.csv", changes.set_cell(1, "digest", "00" * 32)),
        ("seals.csv", changes.set_cell(1, "controls", "debits=122")),
        ("seals.csv", changes.set_cell(1, "cover", "00" * 32)),
        ("postings.csv", changes.set_cell(2, "posted_by", "nobody")),
        ("postings.csv", changes.cut(2)),
        ("decisions.csv", changes.set_cell(1, "by", "nobody")),
        ("decisions.csv", changes.set_cell(1, "at", "2017-02-01T09:00:01Z")),
        ("decisions.csv", changes.cut(0)),
    ],
)
def test_its_program_names_the_row_that_was_changed(folder: Path, file: str, change: changes.Change) -> None:
    named = changes.rewrite(folder / file, change)
    ended = verify(folder)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert any(line.startswith(f"{file}{named}") for line in ended.stdout.splitlines()), ended.stdout
    assert "It does not agree: " in ended.stdout


def every_cell(folder: Path) -> list[tuple[str, int, str]]:
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            columns, *rows = csv.reader(file)
        found += [(path.name, number, column) for number in range(1, len(rows) + 1) for column in columns]
    return found


@pytest.mark.anywhere
def test_no_cell_of_any_file_can_be_changed_unseen(folder: Path) -> None:
    for name, number, column in every_cell(folder):
        before = (folder / name).read_bytes()
        named = changes.rewrite(folder / name, changes.set_cell(number, column, "71"))
        findings = kit_program.Kit(folder).check()
        assert any(told.startswith(f"{name}{named}") for told in findings.told), (name, number, column, findings.told)
        (folder / name).write_bytes(before)
    assert kit_program.Kit(folder).check().told == []


def chained_anew(folder: Path) -> None:
    """Compute every row's digest again, as somebody would who knows how."""
    said = json.loads((folder / "kit.json").read_text())
    for name, told in said["files"].items():
        with (folder / name).open(encoding="utf-8", newline="") as file:
            columns, *rows = csv.reader(file)
        head = kit_program.row_digest(name, columns)
        for row in rows:
            row[-1] = head = kit_program.row_digest(head, row[:-1])
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([columns, *rows])
        told |= {"rows": len(rows), "head": head}
    (folder / "kit.json").write_text(json.dumps(said))


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("lines.csv", changes.set_cell(1, "amount", "6"), "entries.csv:2 (2017-01-01 s-1): the lines come to 1 and not to zero"),
        ("lines.csv", changes.set_cell(1, "account", "M1-receivable"), "entries.csv:2 (2017-01-01 s-1): its text and lines come"),
        ("lines.csv", changes.without(8, 2), "entries.csv:5 (2017-01-31 s-4): has 0 lines in lines.csv and not 2"),
        ("entries.csv", changes.without(4), "lines.csv:9 (2017-01-31 s-4 1): belongs to no entry of entries.csv"),
        ("entries.csv", changes.swapped(3, 4), "entries.csv:5 (2017-01-31 s-3): does not come after the row before it"),
        (
            "balances.csv",
            changes.set_cell(1, "closing", "71"),
            "balances.csv:2 (M1-receivable): closing is 71, and the rows come to 70",
        ),
        ("balances.csv", changes.without(3), "sales: is moved by lines.csv and is not in balances.csv"),
        ("trial_balance.csv", changes.without(1), "trial_balance.csv: the balances of seal 1 do not sum to zero"),
    ],
)
def test_what_is_recomputed_needs_no_digest_of_a_row(folder: Path, file: str, change: changes.Change, sentence: str) -> None:
    """Anyone who makes all digests of rows fit is found by the books themselves."""
    kit = hashlib.sha256((folder / "kit.json").read_bytes()).hexdigest()
    changes.rewrite(folder / file, change)
    chained_anew(folder)
    assert sentence in verify(folder).stdout
    # And where nothing recomputes it, as who decided, by the digest of the kit that was told elsewhere.
    assert "kit: is not the one that you gave" in verify(folder, "--kit", kit).stdout


def test_what_is_no_kit_is_told(folder: Path, tmp_path: Path) -> None:
    ended = verify(folder, str(tmp_path))
    assert (ended.returncode, ended.stdout) == (2, "")
    (folder / "README.txt").chmod(0o640)
    (folder / "README.txt").write_text("Trust me.")
    (folder / "postings.csv").unlink()
    assert verify(folder).stdout.splitlines()[:2] == [
        "README.txt: is not what kit.json says of it",
        "postings.csv: file is missing",
    ]


def test_the_program_shares_no_code_and_needs_nothing_but_python(folder: Path) -> None:
    program = folder / "verify.py"
    assert program.read_bytes() == Path(kit_program.__file__).read_bytes()
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(program.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def test_every_sentence_of_the_program_is_there_in_japanese() -> None:
    tree = ast.parse(Path(kit_program.__file__).read_text())
    said = {
        node.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in {"add", "say"}
        for node in ast.walk(call.args[-1] if call.func.attr == "say" or len(call.args) == 1 else call.args[1])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert said - {"number", "digest"} <= set(kit_program.JAPANESE)
    assert all(set(changes_in(one)) == set(changes_in(other)) for one, other in kit_program.JAPANESE.items())


def changes_in(sentence: str) -> list[str]:
    return [part.partition("}")[0] for part in sentence.split("{")[1:]]


def test_the_same_kit_is_the_same_bytes_whatever_came_since(
    ledger: SmallLedger, checker: Caller, folder: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ledger.sell("later", 9, on=date(2017, 2, 1))
    again = kit_of(ledger, folder)  # in its own place: a run repeated
    assert {path.name: path.read_bytes() for path in again.path.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["kit"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o640}


def test_nobodys_notes_are_taken_away(ledger: SmallLedger, folder: Path) -> None:
    (folder / "notes.txt").write_text("Asked on Monday.")
    with pytest.raises(OSError, match="not empty"):
        kit_of(ledger, folder)
    assert (folder / "notes.txt").exists()


def test_a_kit_is_of_a_frozen_period(ledger: SmallLedger, tmp_path: Path) -> None:
    with pytest.raises(errors.Refused, match="kit_not_sealed"):
        kit_of(ledger, tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []
    assert not AuditRow.objects.filter(action="take_kit").exists()


def test_a_period_that_is_not_what_was_sealed_has_no_kit(
    ledger: SmallLedger, checker: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ledger, checker)
    balances = queries.balances

    def damaged(period: Period) -> list[queries.Row]:
        return list(balances(period))[1:]

    monkeypatch.setattr(queries, "balances", damaged)
    with pytest.raises(errors.Refused, match="seal_differs") as refused:
        kit_of(ledger, tmp_path / "kit")
    assert "M1-receivable" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_it_is_kept_who_took_which_kit(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> None:
    fill(ledger, checker)
    kit = kit_of(ledger, tmp_path / "kit")
    row = AuditRow.objects.get(action="take_kit")
    assert (row.subject_type, row.subject_id, row.actor.username, row.outcome) == (
        *("period", ledger.periods[JANUARY].pk, "system", "done"),
    )
    assert row.facts == {"kit": kit.digest, "seal": bytes(kit.seal.digest).hex()}


def by_page(caller: Caller) -> Caller:
    return Caller(caller.user, caller.at, "admin")


def test_a_zip_is_given_to_who_may_and_is_the_same_kit(
    ledger: SmallLedger, checker: Caller, maker: Caller, folder: Path, tmp_path: Path
) -> None:
    period = ledger.periods[JANUARY]
    with (tmp_path / "a.zip").open("w+b") as file, pytest.raises(errors.Refused, match="not_permitted"):
        audit_kits.write_zip(period=period, file=file, caller=by_page(maker))
    assert AuditRow.objects.get(action="take_kit", outcome="refused").actor == maker.user
    for name in ("a.zip", "b.zip"):
        with (tmp_path / name).open("w+b") as file:
            audit_kits.write_zip(period=period, file=file, caller=by_page(checker))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        found = {name: packed.read(name) for name in packed.namelist()}
    assert found == {f"CARD-2017-01/{path.name}": path.read_bytes() for path in folder.iterdir()}


def test_a_page_waits_for_no_kit_of_any_size(
    ledger: SmallLedger, checker: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ledger, checker)
    monkeypatch.setattr(audit_kits, "ROWS_MOST", 8)
    with (tmp_path / "a.zip").open("w+b") as file, pytest.raises(errors.Refused, match="kit_too_large"):
        audit_kits.write_zip(period=ledger.periods[JANUARY], file=file, caller=by_page(checker))
    assert rules.ROWS_MOST >= 100_000


def test_what_is_read_for_a_kit_is_counted_from_the_first_period_on_and_with_the_accounts(
    ledger: SmallLedger, checker: Caller
) -> None:
    ledger.sell("s-1", 10)
    freeze(ledger, checker, entries=1)
    later = Caller(checker.user, samples.AFTER_JANUARY.replace(month=3), "command")
    freeze(ledger, later, FEBRUARY, entries=0)
    accounts = ledger.book.accounts.count()
    for period in (JANUARY, FEBRUARY):
        seal = Seal.objects.get(period=ledger.periods[period])
        assert [most for most in range(accounts + 9) if queries.reads_more(seal, most)] == list(range(accounts + 2))


@pytest.mark.parametrize("work", ["write", "verify"])
def test_memory_does_not_grow_with_the_period(
    ledger: SmallLedger, checker: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    from ledger_app.posting.queries import journal

    monkeypatch.setattr(journal, "ENTRIES_A_READ", 20)
    monkeypatch.setattr(queries, "ROWS_A_READ", 20)
    peaks = []
    for number, period in enumerate((JANUARY, FEBRUARY), start=1):
        count = 60 * (1 if number == 1 else 5)
        on = ledger.periods[period].starts_on
        ledger.post(*(ledger.draft(f"{period}-{each}", ("cash", 5), ("sales", -5), on=on) for each in range(count)))
        freeze(ledger, Caller(checker.user, samples.AFTER_JANUARY.replace(month=3), "command"), period, entries=count)
        measured: Callable[[], object] = partial(kit_of, ledger, tmp_path / period, period)
        if work == "verify":
            measured = kit_program.Kit(kit_of(ledger, tmp_path / period, period).path).check
        tracemalloc.start()
        measured()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5, peaks
