"""Exports: whole or not there, the same bytes each time, and never of a period that is not what its seal says."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.models import Entry, Period, Seal
from ledger_app.posting.queries import journal
from ledger_app.posting.queries.journal import JournalEntry
from ledger_app.reports import exports, journal_csv
from tests.support import samples
from tests.support.reversing import reverse_entry
from tests.support.samples import SmallLedger

JANUARY = "2017-01"

Blocks = Iterator[list[JournalEntry]]


def write(ledger: SmallLedger, path: Path, form: str = "journal", period: str = JANUARY) -> str:
    exports.export(period=ledger.periods[period], form=form, path=path)
    return path.read_text(encoding="utf-8")


def freeze(ledger: SmallLedger, checker: Caller, **controls: int) -> Seal:
    return periods.freeze(period_id=ledger.periods[JANUARY].pk, controls=controls, caller=checker, code_version="test")


def test_the_journal_has_every_line_of_the_period_and_no_other(ledger: SmallLedger, tmp_path: Path) -> None:
    ledger.post(
        ledger.draft(
            "b", ("cash", 30), ("M1-receivable", 70), ("sales", -100), on=date(2017, 1, 31), description='Cash, "and" credit'
        ),
        at=samples.AFTER_JANUARY,
    )
    ledger.sell("a", 5, on=date(2017, 1, 31))
    ledger.sell("c", 7, on=date(2017, 1, 1))
    ledger.sell("later", 9, on=date(2017, 2, 1))
    found = list(csv.DictReader(write(ledger, tmp_path / "j.csv").splitlines()))
    assert [(row["date"], row["reference"], row["line"], row["account"], row["amount"]) for row in found] == [
        ("2017-01-01", "c", "1", "cash", "7"),
        ("2017-01-01", "c", "2", "sales", "-7"),
        ("2017-01-31", "a", "1", "cash", "5"),
        ("2017-01-31", "a", "2", "sales", "-5"),
        ("2017-01-31", "b", "1", "cash", "30"),
        ("2017-01-31", "b", "2", "M1-receivable", "70"),
        ("2017-01-31", "b", "3", "sales", "-100"),
    ]
    assert tuple(found[0]) == journal_csv.COLUMNS
    assert found[5] == {
        "date": "2017-01-31",
        "reference": "b",
        "line": "2",
        "description": 'Cash, "and" credit',
        "account": "M1-receivable",
        "role": "receivable",
        "category": "asset",
        "amount": "70",
        "debit": "70",
        "credit": "",
        "unit": "JPY",
        "reverses": "",
        "posted_at": "2017-02-01T09:00:00Z",
        "posted_by": "system",
        "seal": "not final",
    }


def test_a_reversal_names_what_it_reverses(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> None:
    ledger.sell("s-1", 5)
    entry = Entry.objects.get(reference="s-1")
    reverse_entry(entry_id=entry.pk, effective_on=date(2017, 2, 3), reason="Typed twice.", caller=checker)
    found = list(csv.DictReader(write(ledger, tmp_path / "j.csv", period="2017-02").splitlines()))
    assert {(row["reverses"], row["posted_by"]) for row in found} == {("s-1", "finance-1")}
    assert "    ; reverses: s-1\n" in write(ledger, tmp_path / "j.journal", "hledger", "2017-02")


@pytest.mark.parametrize("form", sorted(exports.FORMATS))
def test_the_same_period_is_the_same_bytes(ledger: SmallLedger, checker: Caller, tmp_path: Path, form: str) -> None:
    for number in range(5):
        ledger.sell(f"s-{number}", 1 + number)
    first = write(ledger, tmp_path / "one", form)
    assert write(ledger, tmp_path / "one", form) == write(ledger, tmp_path / "two", form) == first
    assert "not final" in first
    seal = freeze(ledger, checker, entries=5)
    frozen = write(ledger, tmp_path / "one", form)
    assert "not final" not in frozen
    assert bytes(seal.digest).hex() in frozen
    # What is posted later into other periods changes nothing in this one.
    ledger.sell("later", 9, on=date(2017, 2, 1))
    assert write(ledger, tmp_path / "one", form) == frozen
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["one", "two"]


def test_what_was_written_is_told(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> None:
    ledger.sell("s-1", 5)
    seal = freeze(ledger, checker, debits=5)
    path = tmp_path / "j.csv"
    told = exports.export(period=ledger.periods[JANUARY], form="journal", path=path)
    assert (told.scope.entry_count, told.scope.line_count, told.scope.debit_total, told.seal) == (1, 2, 5, seal)
    assert told.bytes == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("form", sorted(exports.FORMATS))
def test_an_empty_period_is_exported(ledger: SmallLedger, tmp_path: Path, form: str) -> None:
    assert write(ledger, tmp_path / "empty", form)


def without_the_last(blocks: Blocks) -> Blocks:
    for block in blocks:
        yield block[:-1]


def with_another_word(blocks: Blocks) -> Blocks:
    for block in blocks:
        yield [entry._replace(description="changed") for entry in block]


@pytest.mark.parametrize(("damage", "code"), [(without_the_last, "seal_differs"), (with_another_word, "entry_differs")])
def test_a_period_that_is_not_what_was_sealed_is_refused(
    ledger: SmallLedger,
    checker: Caller,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Blocks], Blocks],
    code: str,
) -> None:
    ledger.sell("s-1", 5)
    ledger.sell("s-2", 6)
    freeze(ledger, checker, debits=11)
    path = tmp_path / "j.csv"
    path.write_text("as it was")
    blocks = journal.blocks

    def damaged(period: Period) -> Blocks:
        return damage(blocks(period))

    monkeypatch.setattr(journal, "blocks", damaged)
    with pytest.raises(errors.Refused) as refusal:
        write(ledger, path)
    assert [reason.code for reason in refusal.value.reasons] == [code]
    assert path.read_text() == "as it was"
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["j.csv"]


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger_app.reports.files import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write("half" * 100_000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_export_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_text("as it was")
    root = Path(__file__).resolve().parents[3]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "as it was"
    assert {each.name.startswith(".j.csv-") for each in tmp_path.iterdir() if each != path} == {True}


@pytest.mark.parametrize("form", sorted(exports.FORMATS))
def test_more_entries_of_a_day_need_no_more_statements(ledger: SmallLedger, tmp_path: Path, form: str) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as made:
            write(ledger, tmp_path / "j", form)
        return len(made)

    for number in range(5):
        ledger.sell(f"s-{number}", 1)
    before = statements()
    for number in range(5, 20):
        ledger.sell(f"s-{number}", 1)
    assert statements() == before


def test_blocks_of_any_size_come_to_the_same(ledger: SmallLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        ledger.sell(f"s-{number}", 1 + number, on=date(2017, 1, 1 + number % 2))
    whole = write(ledger, tmp_path / "j")
    for size in (1, 3):
        monkeypatch.setattr(journal, "ENTRIES_A_READ", size)
        assert write(ledger, tmp_path / "j") == whole
