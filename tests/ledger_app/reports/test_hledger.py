"""hledger, a program by others, takes the export and comes to the same balances to the last unit."""

import csv
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.explain.queries import balances
from ledger_app.models import Book
from ledger_app.posting.operations import entries
from ledger_app.posting.queries.journal import JournalLine
from ledger_app.posting.rules.drafts import Draft
from ledger_app.reports import exports
from ledger_app.reports.hledger import account_name
from ledger_app.values.amounts import decimal_text
from tests.support.origins import of_request
from tests.support.samples import MONTHS, SmallLedger

# Where CI runs, hledger is there; its absence would leave unsaid what these tests are for.
needs_hledger = pytest.mark.skipif(
    shutil.which("hledger") is None and os.environ.get("CI") != "true", reason="hledger is not installed"
)

AWKWARD_DESCRIPTIONS = (
    "",
    "; a comment?",
    "payee | note",
    "* (x) ! looks like a head",
    "(in brackets)",
    "two  spaces and = 5 JPY @ 3",
    "2017-01-01=2017-01-02",
    "髙島屋 ﾎﾟｲﾝﾄ",
    "date:2017-13-45, tag:x",
    "trailing \\",
    "no-break\u00a0space",
)
AWKWARD_REFERENCES = ("plain", "card:1/2", "closing)bracket", "closing%29bracket", ";|*!", "date:2017-13-45", "((", '"quoted"')


def hledger(*arguments: str, files: list[Path]) -> str:
    named = [part for path in files for part in ("-f", str(path))]
    done = subprocess.run(
        ["hledger", *named, *arguments], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def balances_of(files: list[Path]) -> dict[str, str]:
    """Return hledger's own balances by account, as it prints them."""
    printed = hledger("balance", "--flat", "--empty", "--no-total", "-O", "csv", files=files)
    return {row["account"]: row["balance"] for row in csv.DictReader(printed.splitlines())}


def expected(book: Book, at: date, shown: Callable[[int], str]) -> dict[str, str]:
    return {
        account_name(JournalLine(row.code, row.role, row.category, 0)): shown(row.amount)
        for row in balances.of_book(book, at=at)
        if row.amount
    }


def export(ledger: SmallLedger, tmp_path: Path, name: str) -> Path:
    path = tmp_path / f"{name}.journal"
    exports.export(period=ledger.periods[name], form="hledger", path=path)
    return path


@needs_hledger
def test_hledger_comes_to_the_balances_of_the_book(ledger: SmallLedger, tmp_path: Path) -> None:
    chance = random.Random(20170131)
    codes = ("cash", "sales", "settlement", "M1-receivable", "M2-receivable")
    drafts = []
    for number in range(300):
        debit, credit = chance.sample(codes, 2)
        amount = chance.choice((1, 99, 100, 123_456_789, 10**12))
        on = date(2017, 1, 1) + timedelta(days=chance.randrange(90))
        drafts.append(ledger.draft(f"r-{number}", (debit, amount), (credit, -amount), on=on))
    ledger.post(*drafts)
    files: list[Path] = []
    for name, (_, ends_on) in MONTHS.items():
        files.append(export(ledger, tmp_path, name))
        hledger("check", "--strict", files=files[-1:])
        found = {account: text for account, text in balances_of(files).items() if text != "0"}
        # The movements of each period, one after another, are the balances at the end of the last.
        assert found == expected(ledger.book, ends_on, lambda amount: f"{amount} JPY")


@needs_hledger
def test_hledger_takes_any_description_and_any_reference(ledger: SmallLedger, tmp_path: Path) -> None:
    drafts = [
        ledger.draft(reference, ("cash", 1 + place), ("sales", -1 - place), description=description)
        for place, (reference, description) in enumerate(
            [(f"d-{place}", text) for place, text in enumerate(AWKWARD_DESCRIPTIONS)]
            + [(text, "A sale") for text in AWKWARD_REFERENCES]
        )
    ]
    ledger.post(*drafts)
    files = [export(ledger, tmp_path, "2017-01")]
    hledger("check", "--strict", files=files)
    printed = list(csv.DictReader(hledger("print", "-O", "csv", files=files).splitlines()))
    codes = {row["code"] for row in printed}
    assert len(codes) == len(drafts)
    assert {"closing%29bracket", "closing%2529bracket", "card:1/2"} <= codes
    said = {row["code"]: row["description"] for row in printed}
    assert said["d-1"] == "\uff1b a comment?"
    assert said["d-2"] == "payee \uff5c note"
    assert said["d-7"] == "髙島屋 ﾎﾟｲﾝﾄ"
    assert balances_of(files) == {
        "assets:cash": f"{sum(range(1, len(drafts) + 1))} JPY",
        "income:sales": f"-{sum(range(1, len(drafts) + 1))} JPY",
    }


@needs_hledger
@pytest.mark.parametrize("unit", ["USD", "points", "pt 2", "$", 'a"b;c', "ポイント", "1/3"])
@pytest.mark.parametrize("exponent", [0, 2, 6])
def test_hledger_takes_any_unit(ledger: SmallLedger, tmp_path: Path, unit: str, exponent: int) -> None:
    caller = ledger.caller
    book = books.open_book(code="OTHER", name="Other", unit=unit, exponent=exponent, time_zone="UTC", caller=caller)
    period = books.open_period(book=book, name="2017", starts_on=date(2017, 1, 1), ends_on=date(2017, 12, 31), caller=caller)
    openings = [books.AccountOpening("a.b.1", "a", "asset"), books.AccountOpening("a..b", "b", "liability")]
    books.open_accounts(book=book, openings=openings, caller=caller)
    first, second = book.accounts.order_by("-code").values_list("id", flat=True)
    draft = Draft(book.pk, date(2017, 5, 5), "x", "", ((first, 1_234_567), (second, -1_234_567)))
    transactions.run(lambda: entries.post(drafts=[draft], origin=of_request(caller), caller=caller))
    path = tmp_path / "j.journal"
    exports.export(period=period, form="hledger", path=path)
    hledger("check", "--strict", files=[path])
    found = balances_of([path])
    assert {account: text.partition(" ")[0] for account, text in found.items()} == {
        "assets:a:b:1": decimal_text(1_234_567, exponent),
        "liabilities:a..b": decimal_text(-1_234_567, exponent),
    }


@needs_hledger
def test_a_file_that_was_cut_off_is_known_by_its_last_line(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> None:
    ledger.sell("s-1", 5)
    last = export(ledger, tmp_path, "2017-01").read_text().splitlines()[-1]
    assert last == "; End: 1 entries, 2 lines, debits 5"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("cash", "assets:cash"),
        ("receivable.1", "assets:receivable:1"),
        ("a.b.c", "assets:a:b:c"),
        ("a..b", "assets:a..b"),
        ("a.", "assets:a."),
    ],
)
def test_full_stops_make_levels(code: str, name: str) -> None:
    assert account_name(JournalLine(code, "", "asset", 0)) == name
