"""BAI2: records continued by others, sections of groups, and the totals and numbers of records of each level."""

from dataclasses import replace
from datetime import date

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition, Kind
from tests.support.bai2 import FILE, SOURCE, changed
from tests.support.file_samples import codes, examine


def with_text(using: Definition) -> Definition:
    """The definition, reading the texts that the layout leaves alone."""
    layout = using.layout
    *columns, text = layout.data.columns[:9]
    read = replace(text, kind=Kind.TEXT, width=255, optional=True)
    data = replace(layout.data, columns=(*columns, read, *layout.data.columns[9:]))
    return replace(using, layout=replace(layout, data=data))


USING = with_text(toml.parse(SOURCE))


def test_records_of_all_accounts_are_read_with_sign_account_and_day():
    _examination, rows, seen = examine(FILE, USING)
    assert codes(seen) == []
    places = [USING.layout.data.position(name) for name in ("own_account", "currency", "as_of", "text")]
    found = [(row.line, row.holder, row.amount, *(row.values[place] for place in places)) for row in rows]
    day = date(2017, 1, 31)
    assert found == [
        (5, "1001", 1500, "0012345", "JPY", day, "INVOICE 7, PART 1 AND THE REST OF IT/NOT A SLASH AT THE END"),
        (7, "1002", -250, "0012345", "JPY", day, None),
        (8, "1001", -70, "0012345", "JPY", day, "FEE"),
        (13, "1003", 99, "0067890", "JPY", day, "NEW FIELD,AFTER A SLASH"),
        (20, "1001", 5, "777", "JPY", day, "PAID"),
    ]


def test_a_record_keeps_its_line_its_offset_and_all_of_its_bytes():
    _examination, rows, _seen = examine(FILE, USING)
    for row in rows:
        assert FILE[row.offset : row.offset + row.length] == row.raw
        assert FILE[: row.offset].count(b"\n") + 1 == row.line
    assert rows[0].raw.count(b"\n") == 1


def test_lines_that_end_with_crlf_and_are_filled_up_read_the_same():
    using = toml.parse(SOURCE.replace('line_ending = "lf"', 'line_ending = "crlf"'))
    filled = b"".join(line.ljust(100) + b"\r\n" for line in FILE.splitlines())
    _examination, rows, seen = examine(filled, using)
    assert codes(seen) == []
    assert [(row.line, row.amount) for row in rows] == [(5, 1500), (7, -250), (8, -70), (13, 99), (20, 5)]


# What is written, what stands there instead, and rule and line of all that is told.
BAD = {
    "a changed amount": (
        b"16,195,1500,", b"16,195,1600,",
        [("control.total_differs", 9), ("control.section_total_differs", 17), ("control.end_total_differs", 23)],
    ),
    "a changed summary": (
        b"015,+2180", b"015,+2190",
        [("control.total_differs", 9), ("control.section_total_differs", 17), ("control.end_total_differs", 23)],
    ),
    "a record that was lost": (
        b"16,475,70,Z,ref3,1001,FEE\n", b"",
        [
            ("control.total_differs", 8), ("control.lines_differs", 8), ("control.section_lines_differs", 16),
            ("control.section_total_differs", 16), ("control.end_lines_differs", 22), ("control.end_total_differs", 22),
        ],
    ),
    "a continuation that was lost": (
        b"88,THE REST OF IT/NOT A SLASH AT THE END\n", b"",
        [("control.lines_differs", 8), ("control.section_lines_differs", 16), ("control.end_lines_differs", 22)],
    ),
    "another number of accounts": (b"98,4379,2,16/", b"98,4379,3,16/", [("control.section_groups_differs", 17)]),
    "another number of sections": (b"99,4389,2,23/", b"99,4389,1,23/", [("control.end_sections_differs", 23)]),
    "an account without a trailer": (
        b"49,4100,7/\n", b"",
        [
            ("line.group_trailer_missing", 3), ("control.section_lines_differs", 16), ("control.end_lines_differs", 22),
        ],
    ),
    "an account without a header": (
        b"03,777,JPY,010,5,,/\n", b"",
        [("line.group_header_missing", 20)],
    ),
    "a section without a trailer": (
        b"98,4379,2,16/\n", b"", [("line.section_trailer_missing", 2), ("control.end_lines_differs", 22)],
    ),
    "a section without a header": (
        b"02,RECEIVER,BANK,1,170131,,,/\n", b"", [("line.outside_section", 18), ("line.section_header_missing", 21)],
    ),
    "a record that is cut off": (
        b"16,409,250,V,170131,,ref2,1002,/\n", b"16,409,250,V,170131\n",
        [("line.record_end_missing", 7), ("control.unverifiable", 9)],
    ),
    "a code that says no direction": (b"16,475,70", b"16,700,70", [("record.sign_unknown", 8)]),
    "a deletion": (b",BANK,1,170131,,JPY,", b",BANK,2,170131,,JPY,", [("record.constant_differs", 2)]),
    "another version": (b",,,2/", b",,,3/", [("record.constant_differs", 1)]),
    "funds spread over more days than are there": (
        b"16,475,70,Z,ref3,1001,FEE", b"16,475,70,D,9,ref3,1001,FEE/", [("line.funds_invalid", 8)],
    ),
    "a summary of three fields": (b"010,5,,/", b"010,5,/", [("line.summary_cut", 19)]),
    "a summary that is no number": (b"010,5,,/", b"010,5.0,,/", [("line.summary_amount", 19)]),
    "a continuation of nothing": (b"01,", b"88,x/\n01,", [("file.header_missing", 0), ("line.unknown_type", 1)]),
    "two files in one": (b"99,4389,2,23/\n", b"99,4389,2,23/\n16,195,1,Z,,,/\n", [("line.after_end", 24)]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_with_its_line(name):
    old, new, expected = BAD[name]
    examination, _rows, seen = examine(changed(old, new), USING)
    found = {(each.rule, each.line) for each in seen}
    assert set(expected) <= found, found
    assert examination.file_errors or examination.record_errors


@pytest.mark.parametrize("end", range(0, len(FILE) - 1, 17))
def test_a_file_cut_anywhere_is_refused(end):
    examination, _rows, _seen = examine(FILE[:end], USING)
    assert examination.file_errors + examination.record_errors


def test_a_record_that_goes_on_for_ever_is_one_that_is_too_long():
    long = b"88,and on and on\n" * 10_000
    _examination, rows, seen = examine(changed(b"88,THE REST", long + b"88,THE REST"), USING)
    assert ("line.too_long", 5) in {(each.rule, each.line) for each in seen}
    assert [row.line for row in rows] == [10_007, 10_008, 10_013, 10_020]
