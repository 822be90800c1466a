"""The quick reading of a data record takes only what the careful one takes, and makes the same row of it."""

import io
import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import DataReader
from ingestion_app.formats.definition import Column, DateFormat, Definition, InstantFormat, Kind
from ingestion_app.formats.delimited import DelimitedFormat
from ledger_app.errors import printable
from tests.support.file_samples import BUSINESS_DATE, END, HEADER, OTHER_PURCHASE, PURCHASE, TRAILER, definition

GOOD = HEADER + PURCHASE + OTHER_PURCHASE + TRAILER + END
ODD_BYTES = st.binary(max_size=2) | st.sampled_from(
    [b'"', b"'", b",", b"|", b"\0", b"\r", b"\xee\xe0", b"\xfb\xfc", b"\x80", b"\xa0"]
)
COLUMNS = (
    Column("amount", Kind.AMOUNT, minimum=-500),
    Column("fee", Kind.AMOUNT, minimum=3),
    Column("pieces", Kind.COUNT),
    Column("member", Kind.IDENTIFIER, width=5),
    Column("slip", Kind.IDENTIFIER, width=5),
    Column("product", Kind.IDENTIFIER, width=5),
    Column("shop", Kind.TEXT, width=4),
    Column("branch", Kind.TEXT, constant="a-1"),
    Column("sold_on", Kind.DATE, format=DateFormat.COMPACT),
    Column("paid_on", Kind.DATE, format=DateFormat.DASHED),
    Column("paid_at", Kind.INSTANT, format=InstantFormat.UTC),
    Column("shown_at", Kind.INSTANT, format=InstantFormat.LOCAL, zone=ZoneInfo("America/New_York")),
)
INTERESTING = {
    Kind.AMOUNT: [
        "0",
        "1",
        "-1",
        "-500",
        "-501",
        "2",
        "3",
        "-0",
        "007",
        "+5",
        "1e3",
        "999999999999999",
        "1000000000000000",
        "1" * 17,
        "１",
    ],
    Kind.COUNT: ["0", "1", "01", "-1", "1000000000000000", "1000000000000001", "٣"],
    Kind.IDENTIFIER: ["a", "A-1", "a_b.c", "abcdef", "", "a b", "é", "a/b", '"'],
    Kind.TEXT: [
        "a-1",
        "髙",
        "髙髙髙髙",
        "abcde",
        "",
        "a,b",
        'a"b',
        '"',
        "\t",
        "\x7f",
        "\u00a0",
        "\ufeff",
        "\u2028",
        "\ufffd",
        "ｱｲ",
        "😀",
    ],
    Kind.DATE: [
        "20170131",
        "20170229",
        "20171301",
        "2017-01-31",
        "2017-02-29",
        "2017131",
        "18991231",
        "2017-W01-1",
        "3000-01-01",
    ],
    Kind.INSTANT: [
        "2017-01-31T23:59:59Z",
        "2017-01-31T24:00:00Z",
        "2017-02-29T00:00:00Z",
        "2017-01-31T10:00:60Z",
        "2017-01-31 10:00:00",
        "2017-03-12 02:30:00",
        "2017-03-12 01:59:59",
        "2017-11-05 01:30:00",
        "2017-11-05 02:00:00",
        "1900-01-01 00:00:00",
    ],
}


def made(**layout: object) -> Definition:
    read = definition(**layout)
    return replace(read, layout=replace(read.layout, data=replace(read.layout.data, columns=COLUMNS)))


DEFINITIONS = [
    made(),
    made(encoding="cp932", delimiter="|", line_ending=b"\r\n"),
    made(delimiter="\t", quote=None),
    made(delimiter=";", quote="'", line_bytes=120),
]


def usual_fields() -> list[str]:
    usual = {Kind.AMOUNT: "42", Kind.COUNT: "7", Kind.IDENTIFIER: "ab1", Kind.TEXT: "髙a"}
    dated: dict[str, str] = {
        DateFormat.COMPACT: "20170131",
        DateFormat.DASHED: "2017-01-31",
        InstantFormat.UTC: "2017-01-31T10:00:00Z",
        InstantFormat.LOCAL: "2017-07-31 10:00:00",
    }
    return ["D"] + [column.constant or (dated[column.format] if column.format else usual[column.kind]) for column in COLUMNS]


@st.composite
def lines(draw: st.DrawFn, using: Definition) -> bytes:
    """A data line that is often well formed: some fields odd, some quoted, and then perhaps some bytes changed."""
    layout = using.layout
    fields = usual_fields()
    for place, column in enumerate(COLUMNS, start=1):
        if draw(st.integers(0, 14)) == 0:
            fields[place] = draw(st.sampled_from(INTERESTING[column.kind]) | st.text(max_size=6))
    if layout.quote:
        quote = layout.quote
        quoted = draw(st.lists(st.integers(0, len(fields) - 1), max_size=4, unique=True))
        fields = [
            quote + field.replace(quote, quote * 2) + quote if place in quoted else field for place, field in enumerate(fields)
        ]
    content = bytearray(layout.delimiter.join(fields).encode(layout.encoding, "replace"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(content)))
        piece = draw(ODD_BYTES)
        content[place : place + draw(st.integers(0, 2))] = piece
    return bytes(content).replace(b"\n", b"") + draw(st.sampled_from([layout.line_ending] * 8 + [b"\n", b"\r\n"]))


@pytest.mark.parametrize("using", DEFINITIONS, ids=["utf-8", "cp932", "no quotes", "short lines"])
@given(data=st.data())
def test_quick_and_careful_reading_agree(using, data):
    assert_agreement(using, data.draw(lines(using)))


def assert_agreement(using: Definition, whole: bytes) -> None:
    lines_format = DelimitedFormat(using.layout)
    reader = DataReader(lines_format, using)
    stream = io.BytesIO(whole)
    piece = stream.readline(lines_format.piece_bytes)
    line = lines_format.complete(stream, piece, number=5, offset=70)
    row, faults, amount = reader.careful(line)
    quick = reader.quick(piece, 5, 70)
    is_data = lines_format.record_type(line.content) is using.layout.data
    if quick is not None:
        assert is_data
        assert line.ending == using.layout.line_ending
        assert (row, faults, amount) == (quick, [], quick.amount)
    elif row is not None and is_data and line.ending == using.layout.line_ending:
        # Only what is rare is left to the careful way: a doubled quote or delimiter inside quotes, the limit itself, a day of two clocks,
        # as many digits as a card number has, and a character of a block in which some cannot be seen.
        text = line.content.decode(using.layout.encoding)
        rare = (using.layout.quote or "\0", "1000000000000000", "2017-03-12", "2017-11-05")
        doubtful = re.search(f"[{printable.DOUBTFUL}]", text.replace(using.layout.delimiter, ""))
        assert any(piece in text for piece in rare) or doubtful or re.search("[0-9](?:[ -]?[0-9]){12}", text)


@pytest.mark.parametrize("using", DEFINITIONS, ids=["utf-8", "cp932", "no quotes", "short lines"])
@pytest.mark.parametrize("place", range(len(COLUMNS)), ids=[column.name for column in COLUMNS])
def test_quick_and_careful_reading_agree_on_each_odd_field(using, place):
    for odd in INTERESTING[COLUMNS[place].kind]:
        fields = usual_fields()
        fields[place + 1] = odd
        assert_agreement(
            using, using.layout.delimiter.join(fields).encode(using.layout.encoding, "replace") + using.layout.line_ending
        )


@pytest.mark.parametrize("using", DEFINITIONS, ids=["utf-8", "cp932", "no quotes", "short lines"])
def test_the_usual_line_is_read_quickly(using):
    fields = usual_fields()
    whole = using.layout.delimiter.join(fields).encode(using.layout.encoding) + using.layout.line_ending
    assert DataReader(DelimitedFormat(using.layout), using).quick(whole, 1, 0) is not None


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 2), ODD_BYTES), max_size=4))
def test_a_damaged_file_gets_the_same_verdict_with_and_without_the_quick_reading(damages):
    content = bytearray(GOOD)
    for place, lost, put in damages:
        content[place : place + lost] = put
    answers = []
    for is_quick in (True, False):
        examination = Examination(io.BytesIO(bytes(content)), definition(), business_date=BUSINESS_DATE, sequence=1)
        if not is_quick:
            examination._data.quick = lambda whole, number, offset: None
        yielded = list(examination.rows())
        totals = (examination.received_count, examination.received_sum, examination.bad_count, examination.bad_sum)
        answers.append((yielded, totals, examination.bad_sum_known, examination.zero_count, examination.file_errors))
    assert answers[0] == answers[1]
