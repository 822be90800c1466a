"""Files of fixed width are cut by bytes, and encodings that senders use are read as they are, or named."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.record import DataReader
from ingestion_app.formats import toml
from ingestion_app.formats.fixed import FixedFormat
from ingestion_app.receiving.operations.arriving import MaskedStream
from tests.support.definitions import DELIMITED, HEAD, NO_CONTROLS, POSTING, ROLES, definition, line_of, problems
from tests.support.file_samples import codes, examine

TRANSFERS = toml.parse((Path(__file__).parents[3] / "ingestion_app/demo/transfers.toml").read_text(encoding="utf-8"))
HEADER = b"1290131" + b" " * 53
FIXED = """
[layout]
format = "fixed"
encoding = "cp932"
line_ending = "crlf"

[layout.data]
columns = [
  { name = "member", kind = "identifier", bytes = 6, padding = { side = "right", with = " " } },
  { name = "text", kind = "text", bytes = 4, padding = { side = "right", with = " " }, optional = true },
  { name = "slip", kind = "identifier", bytes = 2 },
  { name = "amount", kind = "amount", bytes = 5, padding = { side = "left", with = "0" } },
  { name = "sold_on", kind = "date", bytes = 8, format = "YYYYMMDD" },
]
"""
SOURCE = HEAD + FIXED + ROLES + NO_CONTROLS + POSTING
USING = toml.parse(SOURCE)


def line(text: str = "ab", member: str = "1001") -> bytes:
    return b"%-6s%-4s%s%s%s" % (member.encode(), text.encode("cp932"), b"s1", b"00150", b"20170105")


def transfer(
    member: str = "1001", payer: str = "ﾔﾏﾀﾞ", amount: int = 150, back: str = "0", number: str = "00000001", note: str = ""
) -> bytes:
    return b"2%s%-15s010505%010d%s%s%-9s" % (
        member.zfill(10).encode(),
        payer.encode("cp932"),
        amount,
        back.encode(),
        number.encode(),
        note.encode("cp932"),
    )


def trailer(count: int, total: int) -> bytes:
    return b"8%06d%012d" % (count, total) + b" " * 41


END = b"9" + b" " * 59


def test_records_without_line_endings_are_cut_by_bytes():
    content = (
        HEADER.replace(b"290131", b"010531")
        + transfer()
        + transfer(amount=50, back="1", number="00000002", note="ﾓﾄﾞｼ")
        + trailer(2, 100)
        + END
    )
    for end in (b"", b"\x1a"):
        _examination, rows, seen = examine(content + end, TRANSFERS)
        assert codes(seen) == ["control.header_business_date_differs"], "the samples' business date is before the era"
        assert [(row.line, row.offset, row.length, row.key, row.amount) for row in rows] == [
            (2, 60, 60, "00000001/2019-05-05", 150),
            (3, 120, 60, "00000002/2019-05-05", -50),
        ]
        assert rows[1].values[-2:] == ("ﾓﾄﾞｼ", -50)


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (HEADER + transfer()[:-1] + trailer(1, 150) + END, {"file.trailer_missing"}),
        (HEADER + transfer() + trailer(1, 150) + END[:-3], {"line.width"}),
        (HEADER + transfer() + END, {"line.out_of_order", "file.trailer_missing"}),
        (HEADER + transfer() + trailer(2, 150) + END, {"control.count_differs"}),
        (HEADER + transfer(back="2") + trailer(1, 150) + END, {"record.value_unknown"}),
        (HEADER + transfer() + b"7" + END[1:] + trailer(1, 150) + END, {"line.unknown_type"}),
    ],
)
def test_what_is_not_as_the_layout_has_it_is_named(content, rules):
    _examination, _rows, seen = examine(content, TRANSFERS)
    assert rules <= set(codes(seen))


def test_columns_of_lines_are_bytes_and_not_characters():
    _examination, rows, seen = examine(line("髙ｱ") + b"\r\n" + line("") + b"\r\n", USING)
    assert [row.values[1] for row in rows] == ["髙ｱ", None]
    assert codes(seen) == ["control.none"]


@pytest.mark.parametrize("text", ["abc髙", "ｱｲｳ表", "a髙髙"])
def test_a_character_that_stands_in_two_columns_is_refused(text):
    cut = b"1001  %ss00150" % text.encode("cp932") + b"20170105"
    content = cut + b"\r\n"
    _examination, rows, seen = examine(content, USING)
    assert (rows, [(each.rule, each.offset) for each in seen][:1]) == ([], [("line.character_cut", 10)])


def test_a_line_of_another_length_is_refused():
    assert codes(examine(line() + b" \r\n", USING)[2]) == ["line.width", "control.none"]
    assert codes(examine(line(), USING)[2]) == ["line.cut_off", "control.none"]


def test_a_card_number_is_seen_behind_what_fills_its_column_up():
    text = SOURCE.replace(
        'bytes = 6, padding = { side = "right", with = " " }', 'bytes = 24, padding = { side = "left", with = "0" }'
    )
    content = b"00000000" + b"4111111111111111" + line()[6:] + b"\r\n"
    assert "record.card_number" in codes(examine(content, toml.parse(text))[2])


PIECES = st.sampled_from(["ab", "髙", "ｱｲ", "", "表表", "\x80"])


@given(
    PIECES,
    st.sampled_from(["1001", "10 1", "", "髙"]),
    st.integers(0, 33),
    st.sampled_from([b"\r\n", b"\n", b""]),
    st.binary(max_size=1),
)
def test_quick_and_careful_reading_agree(text, member, place, ending, put):
    whole = bytearray(b"%-6s%-4s%s" % (member.encode("cp932"), text.encode("cp932", "replace"), line()[10:]))
    whole[place : place + len(put)] = put
    piece = bytes(whole).replace(b"\n", b"x") + ending
    lines = FixedFormat(USING.layout)
    reader = DataReader(lines, USING)
    stream = io.BytesIO(piece)
    first = lines.reads_on(stream)(lines.piece_bytes)
    quick = reader.quick(first, 5, 70)
    if quick is not None:
        assert reader.careful(lines.complete(stream, first, number=5, offset=70)) == (quick, [], quick.amount)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('encoding = "cp932"', 'encoding = "iso-2022-jp"', "layout.encoding"),
        ('line_ending = "crlf"', 'line_ending = "crlf"\ndelimiter = ","', "layout.delimiter"),
        ("bytes = 2 }", "width = 2 }", "layout.data.columns[2].bytes"),
        ("bytes = 2 }", "bytes = 65 }", "layout.data.columns[2].bytes"),
        ("bytes = 4,", "bytes = 255,", "layout.data.columns"),
        ("[layout.data]", '[layout.data]\nmarker = "D"', "layout.marker_byte"),
        ('line_ending = "crlf"', 'line_ending = "none"\nmarker_byte = 1', "layout.trailer.columns"),
        ('line_ending = "crlf"', 'line_ending = "lf"\nmarker_byte = 9', "layout.marker_byte"),
    ],
)
def test_a_layout_of_fixed_width_is_refused_with_every_reason(old, new, path):
    source = SOURCE.replace(old, new)
    if "marker_byte = " in new:
        types = '[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "t", kind = "unused", bytes = 3 }]\n'
        source = source.replace("[roles]", types + "[roles]")
    assert path in [each for _line, each in problems(source)]


def test_the_line_of_what_is_wrong_is_told():
    source = SOURCE.replace("bytes = 2 }", "bytes = 0 }")
    assert problems(source) == [(line_of(source, '"slip"'), "layout.data.columns[2].bytes")]


ROW = "1001,31,髙島屋,s1,150,2017-01-05\n"
NAMED = '{ name = "member", kind = "identifier" }, { name = "shop", kind = "identifier" }, { name = "text", kind = "text" },'
NAMED += '{ name = "slip", kind = "identifier" }, { name = "amount", kind = "amount" }, { name = "sold_on", kind = "date", format = "YYYY-MM-DD" }'


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc-jp", "iso-2022-jp"])
@pytest.mark.parametrize("written", ["utf-8", "cp932", "euc-jp", "iso-2022-jp"])
def test_a_file_is_read_in_its_encoding_and_told_to_be_in_another(encoding, written):
    row = ROW.replace("髙島屋", "高島屋デパート")
    using = definition(DELIMITED.replace("utf-8", encoding), columns=NAMED)
    _examination, rows, seen = examine(row.encode(written) * 9, using)
    if encoding == written:
        assert rows[0].values[2] == "高島屋デパート"
        assert rows[0].raw == row.encode(written)[:-1]
    else:
        # EUC-JP is text in cp932, too: of odd half-width katakana, at which a person has to look.
        doubtful = (encoding, written) == ("cp932", "euc-jp")
        assert codes(seen)[0] == ("file.encoding_doubtful" if doubtful else "file.encoding_foreign")
        assert doubtful or rows == []


def test_bytes_between_shifts_are_no_digits_of_a_card():
    row = "1001,\u533b".encode("iso-2022-jp") + b"\x1b$B" + b"4111111111111111" + b"\x1b(B,4111111111111111\n"
    stream = MaskedStream(io.BytesIO(row), "iso-2022-jp")
    assert stream.read() == row[:-17] + b"############1111\n"
    assert stream.count == 12
