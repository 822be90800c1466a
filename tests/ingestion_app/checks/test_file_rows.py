"""Delimited files as senders write them: header rows, rows alone, preambles, comments, odd ends, empty fields, lines within quotes."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination, NotPlain
from ingestion_app.checks.record import DataReader, Row
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.delimited import DelimitedFormat
from tests.support.definitions import COLUMNS, DELIMITED, NO_CONTROLS, ROLES, definition
from tests.support.file_samples import codes, examine

ROW = b"1001,31,s1,150,2017-01-05\n"
OTHER = b"1002,31,s2,-250,2017-01-06\n"
HEADINGS = b"member,shop,slip,amount,sold_on\n"
TRAILER = '[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "count", kind = "count" }]\n'
QUOTED = DELIMITED + "quoted_newlines = true\n"
MEMO = COLUMNS + '  { name = "memo", kind = "text", optional = true, joins_lines = true },\n'


def read(content: bytes, using: Definition) -> tuple[list[Row], list[str]]:
    _examination, rows, seen = examine(content, using)
    return rows, codes(seen)


def test_rows_alone_are_a_file_and_that_nothing_controls_it_is_noted():
    examination, rows, seen = examine(ROW + OTHER, definition())
    assert [(row.line, row.offset, row.raw, row.key, row.amount) for row in rows] == [
        (1, 0, ROW[:-1], "s1", 150),
        (2, len(ROW), OTHER[:-1], "s2", -250),
    ]
    assert codes(seen) == ["control.none"]
    assert (examination.received_count, examination.received_sum, examination.file_errors) == (2, -100, 0)
    assert (examination.trailer_count, examination.trailer_sum) == (None, None)


def test_a_row_of_another_number_of_fields_is_named_without_a_marker():
    rows, seen = read(ROW + b"1001,31,s2\n", definition())
    assert (len(rows), seen) == (1, ["line.column_count", "control.none"])


def test_fields_of_rows_are_counted_from_one():
    _examination, _rows, seen = examine(b"1001,31,s1,1x,2017-01-05\n", definition())
    assert [(each.rule, each.line, each.column) for each in seen] == [("record.amount_invalid", 1, 4), ("control.none", 0, 0)]


def test_a_file_without_bytes_is_refused_and_one_of_its_header_row_alone_is_a_day_without_records():
    assert read(b"", definition())[1] == ["file.empty"]
    by_row = definition(more_layout='header_row = "in order"')
    assert read(HEADINGS, by_row) == ([], ["control.none", "file.no_records"])


def test_rows_may_end_with_a_trailer_that_begins_with_its_marker():
    using = definition(types=TRAILER, roles=ROLES + 'trailer_count = "count"\n')
    examination, rows, seen = examine(ROW + OTHER + b"T,2\n", using)
    assert (len(rows), codes(seen), examination.trailer_count) == (2, [], 2)
    assert read(ROW + b"T,2\n", using)[1] == ["control.count_differs"]
    assert read(ROW, using)[1] == ["file.trailer_missing"]
    assert read(ROW + b"T,1\n" + OTHER, using)[1] == ["line.after_end"]
    assert read(b'"T",0\n', using)[1] == ["file.no_records"]


def test_a_trailer_is_never_read_as_a_row_that_it_could_be():
    columns = '{ name = "member", kind = "identifier" }, { name = "amount", kind = "amount" },'
    columns += '{ name = "slip", kind = "identifier", optional = true, default = "s" },'
    columns += '{ name = "sold_on", kind = "date", format = "YYYY-MM-DD", optional = true, default = "2017-01-05" }'
    types = TRAILER.replace(
        'kind = "count" }', 'kind = "count" }, { name = "a", kind = "unused" }, { name = "b", kind = "unused" }'
    )
    using = definition(columns=columns, types=types, roles=ROLES + 'trailer_count = "count"\n')
    examination, rows, seen = examine(b"1001,5,,\nT,1,,\n", using)
    assert (len(rows), codes(seen), examination.trailer_count) == (1, [], 1)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (HEADINGS + ROW, []),
        (b'"member",shop,slip,amount,"sold_on"\n' + ROW, []),
        (b"shop,member,slip,amount,sold_on\n" + ROW, [("line.heading_moved", 1, 1)]),
        (ROW, [("file.header_row_missing", 1, 0)]),
        (b"member,shop,slip,amount\n" + ROW, [("line.heading_missing", 1, 0)]),
        (b"member,shop,slip,amount,sold_on,tax\n" + ROW, [("line.heading_unknown", 1, 6)]),
        (b"member,shop,slip,amount,amount\n" + ROW, [("line.heading_twice", 1, 5), ("line.heading_missing", 1, 0)]),
        (b"Member,shop,slip,amount,sold_on\n" + ROW, [("line.heading_unknown", 1, 1), ("line.heading_missing", 1, 0)]),
        (b"member ,shop,slip,amount,sold_on\n" + ROW, [("line.heading_unknown", 1, 1), ("line.heading_missing", 1, 0)]),
        (b'member,"shop,slip,amount,sold_on\n' + ROW, [("line.unbalanced_quotes", 1, 0)]),
    ],
)
def test_a_header_row_names_each_column_in_the_order_of_the_layout(content, found):
    _examination, rows, seen = examine(content, definition(more_layout='header_row = "in order"'))
    assert [(each.rule, each.line, each.column) for each in seen if each.rule != "control.none"] == found
    assert len(rows) == (not found)


def test_where_the_source_says_so_a_header_row_names_the_columns_in_any_order():
    using = definition(more_layout='header_row = "any order"')
    content = b'amount,sold_on,member,slip,shop\n150,2017-01-05,1001,s1,31\n"-250",2017-01-06,1002,s2,31\n'
    _examination, rows, seen = examine(content, using)
    assert [(row.line, row.values) for row in rows] == [
        (2, ("1001", "31", "s1", 150, date(2017, 1, 5))),
        (3, ("1002", "31", "s2", -250, date(2017, 1, 6))),
    ]
    assert codes(seen) == ["control.none"]
    # A column has the number of its place in the layout, whatever its place in this file.
    _examination, _rows, seen = examine(content + b"x,2017-01-05,1001,s3,31\n", using)
    assert [(each.rule, each.line, each.column) for each in seen[:1]] == [("record.amount_invalid", 4, 4)]


def test_headings_are_what_the_sender_calls_the_columns():
    columns = COLUMNS.replace('name = "member",', 'name = "member", heading = "会員番号",')
    using = definition(columns=columns, more_layout='header_row = "in order"')
    assert read("会員番号,shop,slip,amount,sold_on\n".encode() + ROW, using)[1] == ["control.none"]


def test_preamble_and_comments_are_passed_over_and_lines_keep_their_numbers():
    using = definition(more_layout='preamble_lines = 2\ncomment = "#"\nheader_row = "in order"')
    content = b'Bank of "X\n\n# made by hand\n' + HEADINGS + b"# between\n" + ROW + b"#\n" + OTHER
    rows, seen = read(content, using)
    assert ([row.line for row in rows], seen) == ([6, 8], ["control.none"])
    assert [content[row.offset : row.offset + row.length] for row in rows] == [ROW[:-1], OTHER[:-1]]
    assert read(b"one\n", using)[1] == ["file.preamble_short"]
    assert read(b"one\ntwo\n# three\n", using)[1] == ["file.header_row_missing"]


def test_a_comment_is_no_row_even_where_it_reads_as_one():
    columns = COLUMNS.replace('kind = "identifier", width = 20', 'kind = "text"', 1) + '{ name = "who", kind = "identifier" }'
    using = definition(columns=columns, more_layout='comment = "#"', roles=ROLES.replace('"member"', '"who"', 1) + NO_CONTROLS)
    assert read(b"#1001,31,s1,150,2017-01-05,1001\n", using)[0] == []


def test_a_delimiter_may_end_every_line():
    using = definition(more_layout="trailing_delimiter = true")
    rows, seen = read(b"1001,31,s1,150,2017-01-05,\n" + b'"1002",31,s2,1,2017-01-05,\n', using)
    assert ([row.amount for row in rows], seen) == ([150, 1], ["control.none"])
    assert rows[0].raw.endswith(b",")
    assert read(ROW, using)[1] == ["line.trailing_delimiter_missing", "control.none"]
    assert read(b"1001,31,s1,150,2017-01-05,,\n", using)[1] == ["line.column_count", "control.none"]


def test_the_last_line_may_lack_its_ending_where_the_source_says_so():
    cut = ROW + OTHER[:-1]
    assert read(cut, definition())[1] == ["line.cut_off", "control.none"]
    rows, seen = read(cut, definition(more_layout='final_ending = "optional"'))
    assert ([row.raw for row in rows], seen) == ([ROW[:-1], OTHER[:-1]], ["control.none"])
    assert read(ROW + OTHER, definition(more_layout='final_ending = "optional"'))[1] == ["control.none"]


@pytest.mark.parametrize("delimiter", [";", "~", "\x01", "\x1f", "¦", "、", " ", "^", "*"])
def test_any_one_character_may_stand_between_fields(delimiter):
    escaped = "".join(f"\\u{ord(each):04x}" for each in delimiter)
    using = definition(DELIMITED.replace('","', f'"{escaped}"'))
    rows, seen = read(ROW.decode().replace(",", delimiter).encode(), using)
    assert ([row.amount for row in rows], seen) == ([150], ["control.none"])


def test_a_mark_is_taken_where_the_source_says_so():
    marked = b"\xef\xbb\xbf" + ROW
    assert read(marked, definition())[1] == ["file.byte_order_mark", "control.none"]
    for said in ("required", "optional"):
        rows, seen = read(marked, definition(more_layout=f'byte_order_mark = "{said}"'))
        assert ([(row.offset, row.raw) for row in rows], seen) == ([(3, ROW[:-1])], ["control.none"])
    assert read(ROW, definition(more_layout='byte_order_mark = "required"'))[1] == [
        "file.byte_order_mark_missing",
        "control.none",
    ]
    assert read(ROW, definition(more_layout='byte_order_mark = "optional"'))[1] == ["control.none"]


def test_an_empty_field_is_no_value_or_the_default_where_the_column_is_optional():
    columns = COLUMNS.replace("width = 10 }", 'width = 10, optional = true, default = "0" }')
    columns += '{ name = "tax", kind = "amount", optional = true }, { name = "due", kind = "date", format = "YYYYMMDD", optional = true }'
    using = definition(columns=columns)
    rows, seen = read(b'1001,,s1,150,2017-01-05,,\n1001,"",s2,150,2017-01-05,7,20170131\n', using)
    assert [row.values[1] for row in rows] == ["0", "0"]
    assert [row.values[5:] for row in rows] == [(None, None), (7, date(2017, 1, 31))]
    assert seen == ["control.none"]
    assert read(b"1001,,s1,,2017-01-05,,\n", using)[1] == ["record.amount_invalid", "control.none"]


def test_quoted_fields_may_hold_line_endings_where_the_source_says_so():
    using = definition(QUOTED, columns=MEMO)
    content = ROW[:-1] + b',"two\nlines, \r\nor ""three"""\n' + OTHER[:-1] + b",plain\n"
    _examination, rows, seen = examine(content, using)
    assert [(row.line, row.values[5]) for row in rows] == [(1, 'two lines,  or "three"'), (4, "plain")]
    assert [content[row.offset : row.offset + row.length] for row in rows] == [row.raw for row in rows]
    assert codes(seen) == ["control.none"]


def test_line_endings_are_joined_only_where_the_column_says_so():
    using = definition(QUOTED, columns=MEMO.replace(", joins_lines = true", ""))
    assert read(ROW[:-1] + b',"two\nlines"\n', using)[1] == ["record.text_control_character", "control.none"]


@pytest.mark.parametrize("rest", [b"", b"x" * 300 + b"\n", (OTHER[:-1] + b",\n") * 20])
def test_a_quote_that_nothing_closes_is_an_error_of_its_own_line_alone(rest):
    using = definition(QUOTED, columns=MEMO)
    content = ROW[:-1] + b',"open\n' + OTHER[:-1] + b",\n" + rest
    _examination, rows, seen = examine(content, using)
    assert ("line.unbalanced_quotes", 1) in [(each.rule, each.line) for each in seen]
    assert rows[0].line == 2


def test_a_part_of_a_file_is_read_by_the_header_row_of_the_whole():
    using = definition(more_layout='header_row = "any order"')
    head = b"amount,sold_on,member,slip,shop\n"
    content = head + b"150,2017-01-05,1001,s1,31\n"
    part = Examination(io.BytesIO(content), using, business_date=date(2017, 1, 31), sequence=1)
    assert [row.amount for row in part.data_rows(2, len(head), len(content)) if isinstance(row, Row)] == [150]
    bad = Examination(io.BytesIO(content[1:]), using, business_date=date(2017, 1, 31), sequence=1)
    with pytest.raises(NotPlain):
        list(bad.data_rows(2, len(head) - 1, len(content) - 1))


AGREEING = {
    "rows": definition(columns=MEMO.replace(", joins_lines = true", "")),
    "trailing": definition(columns=COLUMNS, more_layout='trailing_delimiter = true\ncomment = "#"'),
    "trailer": definition(types=TRAILER, roles=ROLES + 'trailer_count = "count"\n'),
    "unused": definition(columns=COLUMNS + '{ name = "rest", kind = "unused" }'),
    "quoted": definition(QUOTED, columns=MEMO),
}
FIELDS = ["1001", "31", "s1", "150", "2017-01-05", "memo", "", '"', '""', "#", "T", "-1", "a b", "x\ny", "髙", ",", "0"]


@pytest.mark.parametrize("name", AGREEING)
@given(data=st.data())
def test_quick_and_careful_reading_agree(name, data):
    using = AGREEING[name]
    fields = ["1001", "31", "s1", "150", "2017-01-05"] + (["memo"] if len(using.layout.data.columns) > 5 else [])
    for place in data.draw(st.lists(st.integers(0, len(fields) - 1), max_size=3)):
        fields[place] = data.draw(st.sampled_from(FIELDS))
    if data.draw(st.booleans()):
        fields = [f'"{field}"' if data.draw(st.booleans()) else field for field in fields]
    whole = ",".join(fields).encode() + data.draw(st.sampled_from([b"\n", b",\n", b"\r\n", b""]))
    lines = DelimitedFormat(using.layout)
    reader = DataReader(lines, using)
    stream = io.BytesIO(whole)
    piece = stream.readline(lines.piece_bytes)
    quick = reader.quick(piece, 5, 70)
    if quick is not None:
        line = lines.complete(stream, piece, number=5, offset=70)
        assert not lines.is_comment(line.content)
        assert lines.record_type(line.content) is using.layout.data
        assert reader.careful(line) == (quick, [], quick.amount)
