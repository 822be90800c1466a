"""A result of 口座振替 with two groups: from its bytes to frozen entries, exported and read back; and what is told of bad ones."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ingestion_app.batches.queries import record_proofs
from ingestion_app.models import Finding, Record
from ingestion_app.sources import operations as sources
from ingestion_app.status.queries import explain
from ingestion_app.verification.proofs import proofs
from ledger_app.base.operations import filing
from ledger_app.models import Book, Entry
from ledger_app.reports import exports
from tests.support.world import World
from tests.support.zengin import END, RECORDS, data, header, joined, result_source, trailer

pytestmark = pytest.mark.django_db

KEYS = {
    "0000000001/1001/2017-01-27": (2, -150),
    "0000000001/1002/2017-01-27": (3, -50),
    "0000000002/1001/2017-01-31": (7, -99),
}


def breaches(statement: Callable[..., Any]) -> list[str]:
    return list(statement(list(Book.objects.all())))


@pytest.mark.parametrize(("ending", "said"), [(b"", "none"), (b"\r", "cr"), (b"\n", "lf"), (b"\r\n", "crlf")])
def test_a_result_goes_from_its_bytes_to_frozen_entries_and_out_again(
    world: World, tmp_path: Path, ending: bytes, said: str
) -> None:
    sources.load(text=result_source(ending=said), caller=world.caller())
    batch = world.freeze(world.applied(joined(RECORDS, ending)))
    assert (batch.state, batch.record_count, batch.record_sum) == ("frozen", 4, 999)
    assert (batch.trailer_count, batch.trailer_sum, batch.without_effect_count) == (4, 999, 1)

    path = filing.path_of(world.directory, bytes(batch.file.sha256))
    for key, (line, amount) in KEYS.items():
        record = Record.objects.get(batch=batch, key=key)
        assert record.line == line
        assert filing.piece(path, record.offset, record.length) == RECORDS[line - 1]
        (entry,) = explain.line(batch, line).entries
        assert entry.reference == f"till:{key}"
        assert entry.description == f"Collected from 0005-1234567 for {key[:10]}"
        assert str(entry.effective_on) == key[-10:]
        assert entry.lines.get(account__role="receivable").amount == amount
    assert Entry.objects.filter(book__code="CARD").count() == len(KEYS)
    assert breaches(proofs.records_reconcile) == []
    assert breaches(record_proofs.records_are_those_that_were_written) == []

    exported = tmp_path / "journal.csv"
    exports.export(period=world.opened[0], form="journal", path=exported)
    with exported.open(encoding="utf-8", newline="") as file:
        read = [(row["reference"], row["date"], int(row["amount"])) for row in csv.DictReader(file)]
    wanted = [(f"till:{key}", key[-10:], amount) for key, (_line, amount) in KEYS.items()]
    assert sorted(each for each in read if each[2] < 0) == sorted(wanted)
    assert sum(amount for _reference, _day, amount in read) == 0


def test_the_csv_of_the_same_records_posts_the_same(world: World) -> None:
    text = result_source(preset="zengin-account-transfer-result-csv", ending="lf")
    sources.load(text=text, caller=world.caller())
    batch = world.applied(
        b'1,91,0,"0000000001","",0127,0001,"",001,"",1,1234567,""\n'
        b'2,0005,"",001,"",,1,1234567,"",150,1,"1001",0,""\n'
        b'2,0005,"",001,"",,1,1234567,"",700,1,"00000000000000001003",1,""\n'
        b'8,2,850,1,150,1,700,""\n'
        b'9,""\n'
    )
    (entry,) = Entry.objects.filter(book__code="CARD")
    assert entry.reference == "till:0000000001/1001/2017-01-27"
    assert batch.trailer_sum == 850


FIRST, SECOND = RECORDS[:5], RECORDS[5:8]
# Records, the ending between them; rule, line and group of each error.
Bad = tuple[Sequence[bytes], bytes, list[tuple[str, int, int]]]
BAD: dict[str, Bad] = {
    "cut in a record": (
        [joined(RECORDS)[:-300]],
        b"",
        [("line.cut_off", 7, 2), ("line.group_trailer_missing", 6, 2), ("file.end_missing", 0, 0)],
    ),
    "cut between records": (
        RECORDS[:7],
        b"\r\n",
        [("line.group_trailer_missing", 6, 2), ("file.end_missing", 0, 0)],
    ),
    "cut between groups": (FIRST, b"\r\n", [("file.end_missing", 0, 0)]),
    "trailers that changed places": (
        [*FIRST[:-1], SECOND[-1], *SECOND[:-1], FIRST[-1], END],
        b"\r\n",
        [
            *[(f"control.{name}_differs", 5, 1) for name in ("count", "sum")],
            *[(f"control.by_value_{name}_differs", 5, 1) for name in ("count", "sum", "count", "sum")],
            *[(f"control.{name}_differs", 8, 2) for name in ("count", "sum")],
            *[(f"control.by_value_{name}_differs", 8, 2) for name in ("count", "sum", "count", "sum")],
            ("control.trailer_moved", 5, 1),
            ("control.trailer_moved", 8, 2),
        ],
    ),
    "an amount that was changed": (
        [FIRST[0], data(1001, 151), *RECORDS[2:]],
        b"\r\n",
        [("control.sum_differs", 5, 1), ("control.by_value_sum_differs", 5, 1)],
    ),
    "a settled record that says it failed": (
        [FIRST[0], data(1001, 150, 1), *RECORDS[2:]],
        b"\r\n",
        [(f"control.by_value_{name}_differs", 5, 1) for name in ("count", "sum", "count", "sum")],
    ),
    "a request": (
        [header(), data(1001, 150), b"8" + b"000001" + b"%012d" % 150 + b"0" * 36 + b" " * 65, END],
        b"\r\n",
        [("control.by_value_count_differs", 3, 1), ("control.by_value_sum_differs", 3, 1)],
    ),
    "another kind of file": (
        [header(kind="21"), data(1001, 150), trailer([150]), END],
        b"\r\n",
        [("record.constant_differs", 1, 1), ("record.header_unread", 2, 0)],
    ),
    "a code of EBCDIC in the text of JIS": (
        [header(code="1"), data(1001, 150), trailer([150]), END],
        b"\r\n",
        [("record.constant_differs", 1, 1), ("record.header_unread", 2, 0)],
    ),
    "EBCDIC": (
        [joined(RECORDS, b"").decode("cp932").replace("ﾔﾏﾀﾞ ﾀﾛｳ", "YAMADA  ").encode("cp037", "replace")],
        b"",
        [("file.encoding_foreign", 1, 0)],
    ),
    "a result code that there is not": (
        [FIRST[0], data(1001, 150, 7), *RECORDS[2:]],
        b"\r\n",
        [("record.value_unknown", 2, 1), ("control.unverifiable", 5, 1)],
    ),
    "a record one byte short": (
        [FIRST[0], data(1001, 150)[:-1], *RECORDS[2:]],
        b"\r\n",
        [("line.width", 2, 1), ("control.sum_unverifiable", 5, 1), ("control.unverifiable", 5, 1)],
    ),
    "a record one byte long": (
        [FIRST[0], data(1001, 150) + b" ", *RECORDS[2:]],
        b"\r\n",
        [("line.width", 2, 1), ("control.sum_unverifiable", 5, 1), ("control.unverifiable", 5, 1)],
    ),
    "a name filled up by characters of two bytes": (
        [FIRST[0], data(1001, 150, name="山田太郎"), *RECORDS[2:]],
        b"\r\n",
        [("line.width", 2, 1), ("control.sum_unverifiable", 5, 1), ("control.unverifiable", 5, 1)],
    ),
    "half a character at the end of a name": (
        [FIRST[0], data(1001, 150).replace("ﾔﾏﾀﾞ ﾀﾛｳ".encode("cp932") + b" " * 22, b"Y" * 29 + b"\x8e"), *RECORDS[2:]],
        b"\r\n",
        [("line.undecodable", 2, 1), ("control.sum_unverifiable", 5, 1), ("control.unverifiable", 5, 1)],
    ),
    "lines that end with CR": (RECORDS, b"\r", [("file.cr_endings", 1, 0)]),
    "lines that end with LF": (RECORDS, b"\n", [("line.ending", 1, 0)]),
    "no end": ([*FIRST, *SECOND], b"\r\n", [("file.end_missing", 0, 0)]),
    "an end one byte short": ([*FIRST, *SECOND, END[:-1]], b"\r\n", [("line.width", 9, 0)]),
    "a group behind the end": ([*RECORDS, *FIRST], b"\r\n", [("line.after_end", 10, 0)]),
    "a trailer that is no trailer": (
        [*FIRST[:-1], b"7" + FIRST[-1][1:], *SECOND, END],
        b"\r\n",
        [("line.unknown_type", 5, 1), ("line.group_trailer_missing", 1, 1)],
    ),
    "a day that is none in this year": (
        [header(day="0229"), *FIRST[1:], *SECOND, END],
        b"\r\n",
        [("record.date_invalid", 1, 1), ("record.header_unread", 2, 0)],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_result_is_rejected_with_rule_line_and_group(world: World, name: str) -> None:
    records, ending, expected = BAD[name]
    sources.load(text=result_source(), caller=world.caller())
    batch = world.validate(world.receive(joined(records, ending)))
    assert batch.state == "rejected"
    found = [(each.rule, each.line, each.facts.get("group", 0)) for each in Finding.objects.filter(batch=batch, severity="error")]
    assert set(expected) <= set(found), found
    assert {rule for rule, _line, _group in found} == {rule for rule, _line, _group in expected}, found


def test_records_that_stand_without_endings_are_said_to_have_them(world: World) -> None:
    sources.load(text=result_source(ending="none"), caller=world.caller())
    batch = world.validate(world.receive(joined(RECORDS)))
    assert batch.finding_counts == {"file.records_ended": 1}


@pytest.mark.parametrize(("ending", "found"), [(b"\n", "LF"), (b"\r\n", "CRLF")])
def test_records_that_end_otherwise_than_with_cr_are_told_once(world: World, ending: bytes, found: str) -> None:
    sources.load(text=result_source(ending="cr"), caller=world.caller())
    batch = world.validate(world.receive(joined(RECORDS, ending)))
    (finding,) = Finding.objects.filter(batch=batch, severity="error")
    facts = {"found": found, "expected": "CR", "lines": len(RECORDS)}
    assert (finding.rule, finding.line, finding.facts) == ("line.ending", 1, facts)


@pytest.mark.parametrize("end", range(0, 8 * 121, 61))
def test_a_result_with_cr_that_is_cut_anywhere_is_rejected(world: World, end: int) -> None:
    sources.load(text=result_source(ending="cr"), caller=world.caller())
    assert world.validate(world.receive(joined(RECORDS, b"\r")[:end])).state == "rejected"


def test_a_record_one_byte_short_leaves_those_behind_it_as_they_are(world: World) -> None:
    sources.load(text=result_source(ending="cr"), caller=world.caller())
    batch = world.validate(world.receive(joined([RECORDS[0], RECORDS[1][:-1], *RECORDS[2:]], b"\r")))
    told = {(each.rule, each.line) for each in Finding.objects.filter(batch=batch, severity="error")}
    assert told == {("line.width", 2), ("control.sum_unverifiable", 5), ("control.unverifiable", 5)}


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n"])
def test_a_mark_may_end_the_file_and_the_last_ending_be_missing(world: World, ending: bytes) -> None:
    said = {b"\r": "cr", b"\n": "lf", b"\r\n": "crlf"}[ending]
    more = 'final_ending = "optional"\nend_of_file_mark = true'
    sources.load(text=result_source(ending=said, more=more), caller=world.caller())
    whole = joined(RECORDS, ending)
    for content in (whole + b"\x1a", whole.removesuffix(ending), whole.removesuffix(ending) + b"\x1a"):
        batch = world.validated(content)
        assert (batch.finding_counts, batch.record_count) == ({}, 4)
        world.withdraw(batch)


def test_lines_that_end_with_cr_are_explained_by_their_own_bytes(world: World, command: Any, settings: Any) -> None:
    settings.KAKUTEI_FILES_DIR = str(world.directory)
    sources.load(text=result_source(ending="cr"), caller=world.caller())
    batch = world.validated(joined(RECORDS, b"\r"))
    for number, kind in ((1, "header"), (3, "data"), (5, "trailer"), (9, "end")):
        said = command("explain", f"{batch.pk}:{number}").data
        assert (said["raw_hex"], said["type"]) == (RECORDS[number - 1].hex(), kind)


@pytest.mark.parametrize("end", range(0, 8 * 122, 61))
def test_a_result_cut_anywhere_is_rejected(world: World, end: int) -> None:
    sources.load(text=result_source(), caller=world.caller())
    assert world.validate(world.receive(joined(RECORDS)[:end])).state == "rejected"


def test_half_width_kana_are_taken_byte_by_byte(world: World) -> None:
    sources.load(text=result_source(ending="none"), caller=world.caller())
    batch = world.validated(joined([header(), data(1001, 150, name="ｶﾞｷﾞｸﾞｹﾞｺﾞ" * 3), trailer([150]), END], b""))
    assert batch.record_count == 1
