"""What was written is read back by code that shares nothing with the writer; a file that an importer would misread is found, with its line."""

import ast
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.conf import settings

from ledger_app import errors
from ledger_app.accounting.operations import profiles
from ledger_app.base.operations.audit import Caller
from ledger_app.reports import accounting, read_back
from ledger_app.reports.read_back import Expected
from tests.support.profile_samples import ENCODINGS, TARGETS, small
from tests.support.samples import SmallLedger

LATER = datetime(2017, 4, 1, 9, tzinfo=UTC)


def written(ledger: SmallLedger, checker: Caller, target: str) -> tuple[str, Expected]:
    """Return a file of two days, and what is expected of it."""
    ledger.post(ledger.draft("s-1", ("cash", 30), ("M1-receivable", 70), ("sales", -100)))
    ledger.sell("s-2", 7, on=date(2017, 1, 31))
    profile = profiles.load(text=small(target), caller=replace(checker, at=LATER)).row.profile
    file = io.BytesIO()
    _basis, manifest = accounting.write(period=ledger.periods["2017-01"], profile=profile, file=file)
    expected = Expected(
        target=target,
        encoding=ENCODINGS[target],
        first_on=date(2017, 1, 1),
        last_on=date(2017, 1, 31),
        tax_classes={"対象外", {"yayoi": "課税売上込10%", "moneyforward": "課税売上 10%", "freee": "課税売上10%"}[target]},
        first_slip=1,
        next_slip=3,
        rows=manifest["rows"],
    )
    return file.getvalue().decode(ENCODINGS[target]), expected


def read(text: str, expected: Expected) -> read_back.Totals:
    return read_back.read(io.BytesIO(text.encode(expected.encoding)), expected)


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_written_comes_to_what_the_ledger_says(ledger: SmallLedger, checker: Caller, target: str) -> None:
    found = read(*written(ledger, checker, target))
    wanted = {("現金", "", ""): (37, 0), ("売掛金", "カード会員", ""): (70, 0), ("売上高", "店頭", ""): (0, 107)}
    assert found == wanted
    read_back.compare(found, wanted)
    for other in ({**wanted, ("現金", "", ""): (38, 0)}, {**wanted, ("現金", "本店", ""): (1, 0)}):
        with pytest.raises(errors.Refused) as refused:
            read_back.compare(found, other)
        assert "現金" in refused.value.reasons[0].sentence


# What is changed in each file, as a fault of the writer would; and what is told of it.
SPOILED = {
    "an amount": ({"yayoi": ("70,,", "71,,"), "moneyforward": (",70,", ",71,"), "freee": (",70,", ",71,")}, "not balanced"),
    "a negative amount": (
        {"yayoi": ("70,,", "-70,,"), "moneyforward": (",70,", ",-70,"), "freee": (",70,", ",-70,")},
        "above zero",
    ),
    "no amount": ({"yayoi": ("70,,", "0,,"), "moneyforward": (",70,", ",0,"), "freee": (",70,", ",0,")}, "above zero"),
    "a date of another month": (dict.fromkeys(TARGETS, ("2017/01/31", "2017/02/01")), "none of the period"),
    "a date that is none": (dict.fromkeys(TARGETS, ("2017/01/31", "2017/02/30")), "none of the period"),
    "two dates in a slip": (
        {"yayoi": ('"2101",1,"","2017/01/10"', '"2101",1,"","2017/01/11"')}
        | {"moneyforward": ("1,2017/01/10,現金", "1,2017/01/11,現金"), "freee": ("2017/01/10,1,,現金", "2017/01/11,1,,現金")},
        "two dates",
    ),
    "a number that repeats": (
        {"yayoi": ('"2111",2,', '"2111",1,'), "moneyforward": ("\n2,", "\n1,"), "freee": ("2017/01/31,2,", "2017/01/31,1,")},
        "two dates",
    ),
    "a number that is left out": (
        {"yayoi": ('"2111",2,', '"2111",3,'), "moneyforward": ("\n2,", "\n3,"), "freee": ("2017/01/31,2,", "2017/01/31,3,")},
        "another number",
    ),
    "a tax class of another program": (
        {"yayoi": ("込10%", " 10%"), "moneyforward": ("売上 10%", "売上10%"), "freee": ("売上10%", "売上 10%")},
        "none of the profile",
    ),
    "an account without a name": ({"yayoi": ('"現金"', '""')} | dict.fromkeys(TARGETS[1:], ("現金", "")), "no account"),
    "a column too many": (
        {"yayoi": ('"no"', '"no",""')} | dict.fromkeys(TARGETS[1:], ("売上 2017-01", "売上 2017-01,")),
        "other columns",
    ),
    "a row that is gone": ({}, "other slips or rows"),
    "a quote too many": (
        {"yayoi": ('"売掛金"', '"売"掛金"')} | dict.fromkeys(TARGETS[1:], ("売掛金", '"売掛"金')),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SPOILED)
def test_a_file_that_an_importer_would_misread_is_found(ledger: SmallLedger, checker: Caller, target: str, name: str) -> None:
    changes, told = SPOILED[name]
    text, expected = written(ledger, checker, target)
    if target in changes:
        there, given = changes[target]
        assert there in text
        spoiled = text.replace(there, given, 1)
    else:
        spoiled = "".join(text.splitlines(keepends=True)[:-1])
    with pytest.raises(errors.Refused) as refused:
        read(spoiled, expected)
    assert [each.code for each in refused.value.reasons] == ["read_back_differs"]
    assert told in refused.value.reasons[0].sentence


@pytest.mark.parametrize(
    ("target", "there", "given", "told"),
    [
        ("yayoi", '"2111"', '"2000"', "flags"),
        ("yayoi", '"2110"', '"2111"', "flags"),
        ("moneyforward", "借方税区分,借方インボイス", "借方インボイス,借方税区分", "the head"),
        ("freee", "[明細行]", "明細行", "no mark"),
        ("freee", "[表題行]", "表題行", "the head"),
    ],
)
def test_what_only_one_program_asks_is_asked(
    ledger: SmallLedger, checker: Caller, target: str, there: str, given: str, told: str
) -> None:
    text, expected = written(ledger, checker, target)
    with pytest.raises(errors.Refused) as refused:
        read(text.replace(there, given, 1), expected)
    assert told in refused.value.reasons[0].sentence


def test_bytes_that_the_encoding_has_not_are_not_read_otherwise(ledger: SmallLedger, checker: Caller) -> None:
    text, expected = written(ledger, checker, "yayoi")
    with pytest.raises(errors.Refused) as refused:
        read_back.read(io.BytesIO(text.encode("utf-8")), expected)
    assert [each.code for each in refused.value.reasons] == ["read_back_differs"]


def test_a_slip_of_more_than_a_hundred_rows_is_found(ledger: SmallLedger, checker: Caller) -> None:
    text, expected = written(ledger, checker, "moneyforward")
    head, *rows = text.splitlines(keepends=True)
    with pytest.raises(errors.Refused) as refused:
        read("".join([head, *rows[:1] * 101]), expected._replace(next_slip=2, rows=101))
    assert "too many rows" in refused.value.reasons[0].sentence


def test_a_spoiled_file_is_not_handed_out(
    ledger: SmallLedger, checker: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.sell("s-1", 10)
    profile = profiles.load(text=small("yayoi"), caller=checker).row.profile
    monkeypatch.setattr("ledger_app.reports.accounting_files.ALONE", "2000")
    with pytest.raises(errors.Refused):
        accounting.export(period=ledger.periods["2017-01"], profile=profile, path=tmp_path / "out.csv", caller=checker)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anywhere
def test_the_reader_uses_nothing_of_the_writer() -> None:
    path = Path(settings.BASE_DIR) / "ledger_app" / "reports" / "read_back.py"
    used = {node.module for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)}
    assert {each for each in used if each and each.startswith("ledger_app")} == {
        "ledger_app",
        "ledger_app.errors",
        "ledger_app.errors.words",
    }
