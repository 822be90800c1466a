"""A file that was cut off is never taken for a whole one, and what is not read takes nothing of what is read."""

from datetime import date
from pathlib import Path

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from tests.support.definitions import DELIMITED, ROLES, definition
from tests.support.file_samples import codes, examine

HEADINGS = b"member,shop,slip,amount,sold_on\n"
ROWS = b"1001,31,s1,150,2017-01-05\n1002,31,s2,-250,2017-01-06\n"
TRAILER = '[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "count", kind = "count" }]\n'
QUOTED = DELIMITED + "quoted_newlines = true\n"
TRANSFERS = (Path(__file__).parents[3] / "ingestion_app/demo/transfers.toml").read_text(encoding="utf-8")
TRANSFER = f"20000001001{'':15}290105{150:010}000000001{'':9}"

# Files that are whole, and at which bytes they may also end: where no layout could tell that something is missing.
WHOLE: dict[str, tuple[Definition, bytes]] = {
    "rows": (definition(), ROWS),
    "a header row": (definition(more_layout='header_row = "in order"'), HEADINGS + ROWS),
    "a header row in any order": (definition(more_layout='header_row = "any order"'), HEADINGS + ROWS),
    "a preamble": (definition(more_layout='preamble_lines = 2\nheader_row = "in order"'), b"Bank\n\n" + HEADINGS + ROWS),
    "a preamble and rows": (definition(more_layout="preamble_lines = 2"), b"Bank\n\n" + ROWS),
    "comments": (definition(more_layout='comment = "#"'), b"# one\n" + ROWS + b"# two\n"),
    "a mark": (definition(more_layout='byte_order_mark = "optional"'), b"\xef\xbb\xbf" + ROWS),
    "a delimiter behind": (definition(more_layout="trailing_delimiter = true"), ROWS.replace(b"\n", b",\n")),
    "crlf": (definition(DELIMITED.replace('"lf"', '"crlf"')), ROWS.replace(b"\n", b"\r\n")),
    "lines in quotes": (definition(QUOTED), ROWS.replace(b"s1", b'"s1"')),
    "a trailer": (definition(types=TRAILER, roles=ROLES + 'trailer_count = "count"\n'), ROWS + b"T,2\n"),
    "fixed width without endings": (
        toml.parse(TRANSFERS.replace("reiwa", "heisei")),
        f"1290131{'':53}{TRANSFER}8{1:06}{150:012}{'':41}9{'':59}".encode("cp932"),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_was_cut_at_any_byte_is_refused_but_behind_a_whole_record_that_nothing_counts(name):
    using, content = WHOLE[name]
    examination, rows, _seen = examine(content, using)
    assert examination.file_errors + examination.bad_count == 0
    starts = {row.offset for row in rows}
    is_counted = using.layout.trailer is not None
    for end in range(len(content)):
        examination, _rows, seen = examine(content[:end], using)
        is_told = examination.file_errors + examination.bad_count > 0
        lines_end = content[:end].endswith(using.layout.line_ending)
        if is_counted or not lines_end or end < max(starts):
            may_be_whole = not is_counted and lines_end and any(start < end for start in starts)
            is_empty_day = using.layout.header_row is not None and content[:end].endswith(HEADINGS)
            assert is_told or may_be_whole or is_empty_day, (end, codes(seen))


@pytest.mark.parametrize("name", [name for name, (using, _content) in WHOLE.items() if len(using.layout.record_types) == 1])
def test_a_file_without_records_in_which_nothing_says_so_is_refused(name):
    using, content = WHOLE[name]
    before = content[: content.index(b"1001")]
    expected = ["file.no_records"] if using.layout.header_row else ["file.nothing_said" if before else "file.empty"]
    _examination, rows, seen = examine(before, using)
    assert (rows, [each for each in codes(seen) if each != "control.none"]) == ([], expected)


@pytest.mark.parametrize("passed", [b'Bank "of X\n', b'"\n', b'a"b"c"\n', b'""\n', b'"Bank\n'])
@pytest.mark.parametrize(
    "behind", [ROWS, ROWS.replace(b"s1", b's"1'), ROWS.replace(b"s1", b'"s1"'), b'1001,"31\n",s1,150,2017-01-05\n']
)
def test_lines_that_are_not_read_take_in_nothing_of_those_that_are(passed, behind):
    alone, _rows, seen_alone = examine(behind, definition(QUOTED))
    under, _rows, seen = examine(passed + behind, definition(QUOTED + "preamble_lines = 1\n"))
    assert (under.received_count, under.bad_count) == (alone.received_count, alone.bad_count)
    assert [(each.rule, each.line - (each.line > 0)) for each in seen] == [(each.rule, each.line) for each in seen_alone]


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_a_header_row_ends_as_every_line_does(ending):
    using = definition(
        DELIMITED.replace('"lf"', '"lf"' if ending == b"\r\n" else '"crlf"'), more_layout='header_row = "in order"'
    )
    right = using.layout.line_ending
    content = HEADINGS.replace(b"\n", ending) + ROWS.replace(b"\n", right)
    _examination, rows, seen = examine(content, using)
    assert ([(each.rule, each.line) for each in seen[:1]], len(rows)) == ([("line.ending", 1)], 2)
    other = (HEADINGS + ROWS).replace(b"\n", ending)
    (told,) = [each for each in examine(other, using)[2] if each.rule == "line.ending"]
    assert told.facts["lines"] == 3


@pytest.mark.parametrize(("ending", "called"), [(b"\n", "LF"), (b"\r\n", "CRLF")])
def test_records_that_end_where_the_layout_has_nothing_between_them_are_told_once(ending, called):
    using, content = WHOLE["fixed width without endings"]
    records = [content[start : start + 60] for start in range(0, len(content), 60)]
    _examination, rows, seen = examine(ending.join([*records, b""]), using)
    assert (rows, [(each.rule, each.facts) for each in seen]) == ([], [("file.records_ended", {"found": called})])


def test_an_amount_that_cannot_be_taken_counts_as_what_it_says_or_not_at_all():
    columns = '{ name = "member", kind = "identifier" }, { name = "slip", kind = "identifier" },'
    columns += '{ name = "amount", kind = "amount", STYLE }, { name = "sold_on", kind = "date", format = "YYYY-MM-DD" }'
    for style, written, counted in (
        ('decimals = 2, point = "."', "-5.00", -500),
        ('decimals = 2, point = "."', "5", None),
        ('decimals = 2, minor_digits = 0, point = "none"', "1234", None),
        ('decimals = 2, point = ",", thousands = ".", fewer_decimals = true', "1234", None),
        ('sign = "trailing"', "5-", -5),
        ('sign = "trailing"', "-5", None),
        ('padding = { side = "left", with = " " }', "  -5", -5),
        ("minimum = 10", "7", 7),
    ):
        using = definition(columns=columns.replace("STYLE", style))
        examination, rows, _seen = examine(f'1001,s1,"{written}",2017-01-05\n'.encode(), using)
        assert (rows, examination.bad_count) == ([], 1)
        assert (examination.bad_sum_known, examination.received_sum) == (counted is not None, counted or 0), style


def test_the_day_of_a_file_is_never_that_of_a_text_as_long_as_a_line():
    columns = (
        '{ name = "member", kind = "identifier" }, { name = "slip", kind = "identifier" }, { name = "amount", kind = "amount" },'
    )
    columns += '{ name = "sold_on", kind = "date", format = "DD.MM.YYYY" }'
    _examination, rows, seen = examine(
        b"1001,s1,5,05.01.2017\n1001,s2,5,05.01." + b"0" * 150 + b"2017\n", definition(columns=columns)
    )
    assert [row.values[3] for row in rows] == [date(2017, 1, 5)]
    assert codes(seen) == ["record.date_invalid", "control.none"]
