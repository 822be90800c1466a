"""Files in UTF-16: each offset is the byte's, and a character that has the byte of a line feed ends no line."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import DataReader, Row
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.lines import WIDE_MARKS
from tests.ingestion_app.formats import definitions
from tests.ingestion_app.formats.definitions import COLUMNS, DELIMITED

ENCODINGS = tuple(WIDE_MARKS)
MEMO = '{ name = "memo", kind = "text", optional = true },'
# In both orders of bytes: characters with the byte 0A first, or last, and those of two units.
TEXTS = ("《a》", "ઊ", "ਅਊ", "𠮟る", "ab", "", "“”")


def source(encoding: str, *, more: str = "", ending: str = "lf") -> str:
    layout = DELIMITED.replace("utf-8", encoding).replace('"lf"', f'"{ending}"')
    return definitions.text(layout, more_layout=more, columns=COLUMNS + MEMO)


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


def parsed(encoding: str, ending: str = "lf", more: str = "") -> Definition:
    from ingestion_app.formats import toml

    return toml.parse(source(encoding, more=more, ending=ending))
