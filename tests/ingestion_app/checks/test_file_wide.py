"""Files in UTF-16: each offset is the byte's, and a character that has the byte of a line feed ends no line."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import DataReader, Row
from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.lines import WIDE_MARKS
from tests.support import definitions
from tests.support.definitions import COLUMNS, DELIMITED

ENCODINGS = tuple(WIDE_MARKS)
MEMO = '{ name = "memo", kind = "text", optional = true },'
# In both orders of bytes: characters with the byte 0A first, or last, and those of two units.
TEXTS = ("《a》", "ઊ", "ਅਊ", "𠮟る", "ab", "", "“”")


def source(encoding: str, *, more: str = "", ending: str = "lf") -> str:
    layout = DELIMITED.replace("utf-8", encoding).replace('"lf"', f'"{ending}"')
    return definitions.text(layout, more_layout=more, columns=COLUMNS + MEMO)


def parsed(encoding: str, ending: str = "lf", more: str = "") -> Definition:
    return toml.parse(source(encoding, more=more, ending=ending))


def examined(content: bytes, using: Definition) -> tuple[list[Row], list[tuple[str, int, int, int]]]:
    examination = Examination(io.BytesIO(content), using, business_date=date(2017, 1, 31), sequence=1)
    rows, seen = [], []
    for each in examination.rows():
        if isinstance(each, Row):
            rows.append(each)
        elif each.rule not in {"control.none", "record.zero_amount"}:
            seen.append((each.rule, each.line, each.column, each.offset))
    return rows, seen


def line(number: int, text: str = "ab") -> str:
    return f"1001,31,s{number},150,2017-01-05,{text}"


def written(encoding: str, *lines: str, ending: str = "\n") -> bytes:
    return WIDE_MARKS[encoding] + "".join(each + ending for each in lines).encode(encoding, "surrogatepass")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ending", ["lf", "crlf"])
def test_each_record_keeps_line_offset_and_length_in_bytes(encoding, ending):
    lines = [line(number, text) for number, text in enumerate(TEXTS)]
    content = written(encoding, *lines, ending={"lf": "\n", "crlf": "\r\n"}[ending])
    rows, seen = examined(content, parsed(encoding, ending))
    assert seen == []
    assert [row.line for row in rows] == list(range(1, len(TEXTS) + 1))
    assert [content[row.offset : row.offset + row.length].decode(encoding) for row in rows] == lines
    assert [row.values[5] for row in rows] == [text or None for text in TEXTS]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_wrong_with_the_bytes_is_told_once_and_by_name(encoding):
    good, using = line(1) + "\n", parsed(encoding)
    whole = WIDE_MARKS[encoding] + good.encode(encoding)
    other = next(each for each in ENCODINGS if each != encoding)
    for content, found in (
        (b"", "file.empty"),
        (whole + b"\0", "file.odd_length"),
        (whole[2:], "file.byte_order_mark_missing"),
        (WIDE_MARKS[other] + good.encode(other), "file.byte_order_mark_differs"),
        (good.encode("utf-8-sig"), "file.byte_order_mark_differs"),
        (good.encode("utf-32"), "file.byte_order_mark_differs"),
        (good.encode(), "file.encoding_foreign"),
        (line(1, "髙島屋の店").encode("cp932") + b"\n", "file.encoding_foreign"),
        (good.encode(other), "file.encoding_foreign"),
        (WIDE_MARKS[encoding] + good.encode(other), "file.encoding_foreign"),
        (b"\x1f\x8b" + bytes(range(60)), "file.not_text"),
        (WIDE_MARKS[encoding] + good.replace("\n", "\r").encode(encoding), "file.cr_endings"),
    ):
        rows, seen = examined(content, using)
        assert ([each[0] for each in seen], rows) == ([found], [])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_fault_is_told_with_its_byte(encoding):
    using = parsed(encoding)
    first = line(1, "《a》")
    at = 2 + 2 * len(first) + 2
    for second, rule, column, offset in (
        (line(2, "\ud842x"), "line.undecodable", 0, 2 * len(line(2, ""))),
        (line(2, "\udf9f"), "line.undecodable", 0, 2 * len(line(2, ""))),
        (line(2, "𠮟\0"), "line.nul_byte", 0, 2 * len(line(2, "")) + 4),
        (line(2, "\u200b"), "record.text_control_character", 6, 0),
        ("9" * 101, "line.too_long", 0, 0),
        (line(2).replace("150", "015"), "record.amount_invalid", 4, 0),
        (line(2, '"a'), "line.unbalanced_quotes", 0, 0),
        ("", "line.blank", 0, 0),
        (line(1, "b"), "", 0, 0),
    ):
        rows, seen = examined(written(encoding, first, second, line(3)), using)
        assert seen == ([(rule, 2, column, at + offset)] if rule else [])
        assert [row.line for row in rows] == [1, *([] if rule else [2]), 3]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_signs_of_a_layout_are_found_in_it(encoding):
    more = 'comment = "#"\nheader_row = "in order"\nquoted_newlines = true\nend_of_file_mark = true\nfinal_ending = "optional"\n'
    source_of = source(encoding, more=more).replace("optional = true }", "optional = true, joins_lines = true }")
    lines = ["# ∢ “ 《", "member,shop,slip,amount,sold_on,memo", line(1, '"∢\n""《"'), "#", line(2), line(3) + "\x1a"]
    content = WIDE_MARKS[encoding] + "\n".join(lines).encode(encoding)
    rows, seen = examined(content, toml.parse(source_of))
    assert seen == []
    assert [(row.line, row.values[5]) for row in rows] == [(3, '∢ "《'), (6, "ab"), (7, "ab")]
    assert [content[row.offset : row.offset + row.length].decode(encoding) for row in rows] == [lines[2], lines[4], line(3)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=8), max_size=6))
def test_lines_end_where_the_text_does(encoding, texts):
    lines = DelimitedFormat(parsed(encoding).layout)
    content = "".join(text + "\n" for text in texts).encode(encoding)
    stream, found, offset = io.BytesIO(content), [], 0
    while piece := lines.reads_on(stream)(lines.piece_bytes):
        each = lines.complete(stream, piece, number=1, offset=offset)
        found.append(each.content.decode(encoding))
        offset += each.size
    assert found == texts
    assert offset == len(content)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.text(max_size=6), ending=st.sampled_from(["\n", "\r\n", ""]))
def test_quick_and_careful_reading_agree(encoding, text, ending):
    using = parsed(encoding)
    lines = DelimitedFormat(using.layout)
    reader = DataReader(lines, using)
    stream = io.BytesIO((line(1, text) + ending).encode(encoding, "surrogatepass"))
    first = lines.reads_on(stream)(lines.piece_bytes)
    quick = reader.quick(first, 5, 70)
    if quick is not None:
        assert reader.careful(lines.complete(stream, first, number=5, offset=70)) == (quick, [], quick.amount)
