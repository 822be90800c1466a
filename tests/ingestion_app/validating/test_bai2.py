"""A bank's report in BAI2: from its bytes to frozen entries that show them, exported and read back."""

import csv
from pathlib import Path
from typing import Any

import pytest

from ingestion_app.batches.queries import record_proofs
from ingestion_app.models import Finding, Record
from ingestion_app.sources import operations as sources
from ingestion_app.status.queries import explain
from ingestion_app.verification.proofs import proofs
from ledger_app.base.operations import filing
from ledger_app.base.proofs import Scope
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.models import Book, Entry
from ledger_app.reports import exports
from tests.support.bai2 import FILE, SAMPLE, changed
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def source(world: World) -> None:
    """The sample's source, and the account of the bank that it posts to."""
    card = Book.objects.get(code="CARD")
    books.open_accounts(book=card, openings=[AccountOpening("bank.JPY", "bank", "asset")], caller=world.caller())
    sources.load(text=SAMPLE, caller=world.caller())


LINES = FILE.splitlines(keepends=True)
# Key, first line, how many lines, and what it puts on the member's account: less owed where the bank took money in.
POSTED = {
    "0012345/2017-01-31/1500/ref1/1": (5, 2, -1500),
    "0012345/2017-01-31/-250/ref2/1": (7, 1, 250),
    "0012345/2017-01-31/-70/ref3/1": (8, 1, 70),
    "0067890/2017-01-31/99/ref4/1": (13, 3, -99),
    "777/2017-01-31/5/0/1": (20, 1, -5),
}


def test_a_report_goes_from_its_bytes_to_frozen_entries_and_out_again(world: World, tmp_path: Path) -> None:
    batch = world.freeze(world.applied(FILE))
    assert (batch.state, batch.record_count, batch.record_sum) == ("frozen", 5, 1284)

    path = filing.path_of(world.directory, bytes(batch.file.sha256))
    for key, (line, lines, amount) in POSTED.items():
        record = Record.objects.get(batch=batch, key=key)
        assert record.line == line
        assert filing.piece(path, record.offset, record.length) == b"".join(LINES[line - 1 : line + lines - 1])[:-1]
        (entry,) = explain.line(batch, line).entries
        assert entry.reference == f"till:{key}"
        assert entry.lines.get(account__role="receivable").amount == amount
        assert str(entry.effective_on) == "2017-01-31"
    everything = Scope(Book.objects.all())
    assert list(proofs.records_reconcile(everything)) == []
    assert list(record_proofs.records_are_those_that_were_written(everything)) == []

    exported = tmp_path / "journal.csv"
    exports.export(period=world.opened[0], form="journal", path=exported)
    with exported.open(encoding="utf-8", newline="") as file:
        read = [(row["reference"], int(row["amount"])) for row in csv.DictReader(file)]
    wanted = {(f"till:{key}", amount) for key, (_line, _lines, amount) in POSTED.items()}
    assert wanted <= set(read)
    assert sum(amount for _reference, amount in read) == 0
    assert Entry.objects.filter(book__code="CARD").count() == len(POSTED)


def test_each_record_is_explained_by_its_own_bytes(world: World, command: Any, settings: Any) -> None:
    settings.KAKUTEI_FILES_DIR = str(world.directory)
    batch = world.validated(FILE)
    kinds = {1: "file header", 2: "section header", 3: "header", 7: "data", 9: "trailer", 17: "section trailer", 23: "end"}
    for number, kind in kinds.items():
        said = command("explain", f"{batch.pk}:{number}").data
        assert (said["raw_hex"], said["type"]) == (LINES[number - 1][:-1].hex(), kind)
    assert bytes.fromhex(command("explain", f"{batch.pk}:5").data["raw_hex"]) == b"".join(LINES[4:6])[:-1]


def test_its_controls_are_said(world: World, command: Any, settings: Any) -> None:
    settings.KAKUTEI_FILES_DIR = str(world.directory)
    batch = world.validated(FILE)
    assert command("validate", batch.pk).data["controls"] == ["groups", "lines", "nested_sum"]


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        (
            b"16,195,1500,",
            b"16,195,1600,",
            {"control.total_differs", "control.section_total_differs", "control.end_total_differs"},
        ),
        (b"99,4389,2,23/\n", b"", {"file.end_missing"}),
        (b"03,777,JPY,", b"03,777,USD,", {"ledger.account_unknown"}),
    ],
)
def test_a_bad_report_is_rejected(world: World, old: bytes, new: bytes, rules: set[str]) -> None:
    batch = world.validate(world.receive(changed(old, new)))
    assert batch.state == "rejected"
    assert {each.rule for each in Finding.objects.filter(batch=batch, severity="error")} == rules
