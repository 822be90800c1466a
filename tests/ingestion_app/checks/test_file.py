"""Every way in which the bytes of a file can be wrong ends in a finding, and in no row."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO, cast

import pytest

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from tests.support.file_samples import (
    BUSINESS_DATE,
    END,
    HEADER,
    OTHER_PURCHASE,
    PURCHASE,
    TRAILER,
    codes,
    definition,
    examine,
    whole,
    with_text,
)

GOOD = HEADER + PURCHASE + OTHER_PURCHASE + TRAILER + END


def purchase(amount: str) -> bytes:
    return f"D,1001,31,9001,777,{amount},2017-01-05T10:00:00Z\n".encode()


def test_a_good_file_gives_its_rows_and_nothing_else():
    examination, rows, seen = examine(GOOD)
    assert seen == []
    assert rows[0] == Row(
        line=2,
        offset=len(HEADER),
        length=len(PURCHASE) - 1,
        key="9001/777",
        holder="1001",
        amount=150,
        values=("1001", "31", "9001", "777", 150, datetime(2017, 1, 5, 10, tzinfo=UTC)),
        raw=PURCHASE[:-1],
    )
    assert GOOD[rows[1].offset :][: rows[1].length] == OTHER_PURCHASE[:-1]
    assert (examination.received_count, examination.received_sum) == (2, 400)
    assert (examination.trailer_count, examination.trailer_sum) == (2, 400)
    assert (examination.bad_count, examination.bad_sum, examination.bad_sum_known) == (0, 0, True)
    assert (examination.file_errors, examination.record_errors, examination.zero_count) == (0, 0, 0)


def test_an_empty_file_is_only_that():
    examination, rows, seen = examine(b"")
    assert (rows, codes(seen)) == ([], ["file.empty"])
    assert examination.file_errors == 1


def test_a_day_without_records_is_a_note():
    examination, rows, seen = examine(whole(total=0))
    assert (rows, codes(seen), examination.file_errors) == ([], ["file.no_records"], 0)


def test_a_file_without_a_trailer_and_without_an_end():
    examination, rows, seen = examine(HEADER + PURCHASE)
    assert codes(seen) == ["file.trailer_missing", "file.end_missing"]
    assert (len(rows), examination.trailer_count, examination.trailer_sum, examination.file_errors) == (1, None, None, 2)


def test_an_end_record_is_missed_only_where_the_layout_has_one():
    assert codes(examine(HEADER + PURCHASE + OTHER_PURCHASE + TRAILER)[2]) == ["file.end_missing"]
    assert codes(examine(HEADER + PURCHASE + OTHER_PURCHASE + TRAILER, definition(end=None))[2]) == []


def test_a_file_without_a_header():
    _, rows, seen = examine(PURCHASE + OTHER_PURCHASE + TRAILER + END)
    assert (len(rows), codes(seen), seen[0].line) == (2, ["file.header_missing"], 0)


def test_a_wrong_count_in_the_trailer():
    _, _, seen = examine(whole(PURCHASE, OTHER_PURCHASE, count=3))
    assert [(item.rule, item.line, item.column, item.facts) for item in seen] == [
        ("control.count_differs", 4, 2, {"expected": 3, "found": 2})
    ]


def test_a_wrong_sum_in_the_trailer():
    _, _, seen = examine(whole(PURCHASE, OTHER_PURCHASE, total=401))
    assert [(item.rule, item.line, item.column, item.facts) for item in seen] == [
        ("control.sum_differs", 4, 3, {"expected": 401, "found": 400})
    ]


def test_a_trailer_that_cannot_be_read():
    examination, _, seen = examine(HEADER + PURCHASE + b"T,x,1e3\n" + END)
    assert codes(seen) == ["record.count_invalid", "record.amount_invalid"]
    assert (examination.trailer_count, examination.trailer_sum, examination.file_errors) == (None, None, 2)


def test_records_after_the_end_are_told_once_with_their_number():
    examination, rows, seen = examine(GOOD + PURCHASE + PURCHASE + OTHER_PURCHASE)
    assert [(item.rule, item.line, item.offset, item.facts["lines"]) for item in seen] == [("line.after_end", 6, len(GOOD), 3)]
    assert (len(rows), examination.received_count, examination.file_errors) == (2, 2, 1)


def test_anything_after_the_trailer_where_the_layout_has_no_end():
    assert codes(examine(GOOD, definition(end=None))[2]) == ["line.after_end"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (HEADER + HEADER + PURCHASE + OTHER_PURCHASE + TRAILER + END, 2),
        (HEADER + PURCHASE + OTHER_PURCHASE + TRAILER + PURCHASE + END, 5),
        (HEADER + PURCHASE + OTHER_PURCHASE + TRAILER + TRAILER + END, 5),
        (HEADER + PURCHASE + END + OTHER_PURCHASE + TRAILER + END, 3),
    ],
    ids=["a second header", "data after the trailer", "a second trailer", "an end in the middle"],
)
def test_a_record_out_of_order(content, line):
    examination, rows, seen = examine(content)
    assert [(item.rule, item.line) for item in seen] == [("line.out_of_order", line)]
    assert (len(rows), examination.received_count, examination.file_errors) == (2, 2, 1)


def test_a_trailer_before_the_header():
    _, _, seen = examine(b"T,0,0\n" + HEADER + END)
    assert codes(seen) == ["file.header_missing", "line.out_of_order", "file.no_records"]


@pytest.mark.parametrize("line", [b"X,1,2\n", b" D,1\n", b"d,1\n", b"\x1a\n", b'"D"x,1\n', b"\xff\xff\n"])
def test_a_line_of_no_known_type(line):
    examination, rows, seen = examine(HEADER + PURCHASE + line + OTHER_PURCHASE + TRAILER + END)
    assert [(item.rule, item.line) for item in seen] == [("line.unknown_type", 3)]
    assert (len(rows), examination.file_errors) == (2, 1)


def test_a_line_cut_off_in_the_middle_is_not_read_as_a_smaller_amount():
    examination, rows, seen = examine(HEADER + PURCHASE + b"D,1002,31,9002,778,25")
    assert codes(seen) == ["line.cut_off", "file.trailer_missing", "file.end_missing"]
    assert (len(rows), examination.received_count, examination.bad_count, examination.bad_sum_known) == (1, 2, 1, False)


@pytest.mark.parametrize("kept", range(1, len(GOOD)))
def test_no_file_that_was_cut_short_passes(kept):
    examination, _, _ = examine(GOOD[:kept])
    assert examination.file_errors > 0


def test_an_end_record_without_its_line_ending_is_cut_off():
    assert codes(examine(GOOD[:-1])[2]) == ["line.cut_off"]


def test_a_cut_off_trailer_is_not_believed():
    examination, _, seen = examine(HEADER + PURCHASE + OTHER_PURCHASE + TRAILER[:-1])
    assert codes(seen) == ["line.cut_off", "file.end_missing"]
    assert examination.trailer_sum is None


def test_mixed_line_endings_are_told_once_and_reject_the_file():
    examination, rows, seen = examine(GOOD.replace(PURCHASE, PURCHASE[:-1] + b"\r\n").replace(TRAILER, TRAILER[:-1] + b"\r\n"))
    assert [(item.rule, item.line, item.facts) for item in seen] == [
        ("line.ending", 2, {"found": "CRLF", "expected": "LF", "lines": 2})
    ]
    assert (len(rows), rows[0].length, examination.file_errors) == (2, len(PURCHASE) - 1, 1)


def test_a_file_of_the_other_line_ending_is_told_once():
    crlf = GOOD.replace(b"\n", b"\r\n")
    assert codes(examine(crlf)[2]) == ["line.ending"]
    assert codes(examine(crlf, definition(line_ending=b"\r\n"))[2]) == []
    assert codes(examine(GOOD, definition(line_ending=b"\r\n"))[2]) == ["line.ending"]


def test_a_line_as_long_as_allowed_passes_and_one_byte_more_does_not():
    for ending in (b"\n", b"\r\n"):
        content = GOOD.replace(b"\n", ending)
        assert codes(examine(content, definition(line_ending=ending, line_bytes=len(PURCHASE) - 1))[2]) == []
        examination, rows, seen = examine(content, definition(line_ending=ending, line_bytes=len(PURCHASE) - 2))
        assert codes(seen) == ["line.too_long", "line.too_long", "control.sum_unverifiable"]
        assert (rows, examination.record_errors, examination.received_count) == ([], 2, 2)


class EndlessLine:
    """A stream that holds one line of five gigabytes, and notes the most that was asked for at once."""

    def __init__(self) -> None:
        self.left = 5_000_000_000
        self.most = 0
        self.start = b"D,"

    def tell(self) -> int:
        return 0

    def seek(self, place: int) -> None:
        assert place == 0

    def read(self, size: int) -> bytes:
        self.most = max(self.most, size)
        return (b"D," + b"x" * size)[:size]

    def readline(self, limit: int) -> bytes:
        assert limit > 0, "a line must never be read whole"
        self.most = max(self.most, limit)
        # The line is passed over in leaps, so that the test does not take as long as the line is.
        self.left -= 100_000_000
        piece, self.start = (self.start + b"x" * limit)[:limit], b""
        return piece if self.left > 0 else b""


def test_a_line_of_five_gigabytes_is_never_held():
    stream = EndlessLine()
    examination = Examination(cast("BinaryIO", stream), definition(), business_date=BUSINESS_DATE, sequence=1)
    assert "line.cut_off" in codes(item for item in examination.rows() if not isinstance(item, Row))
    assert stream.most <= 65_536


@pytest.mark.parametrize("fields", [b'"9001', b'9001"', b'90"01', b'"9001"x', b'"90"01"', b'"'])
def test_unbalanced_quotes(fields):
    _, rows, seen = examine(whole(PURCHASE.replace(b"9001", fields), OTHER_PURCHASE))
    assert codes(seen) == ["line.unbalanced_quotes", "control.sum_unverifiable"]
    assert (len(rows), seen[0].facts["field"]) == (1, 4)


def test_quoted_fields_hold_delimiters_and_doubled_quotes():
    line = b'"D","1001",31,"9001",777,"400","a,""b"""\n'
    _, rows, seen = examine(whole(line), with_text())
    assert (seen, rows[0].values) == ([], ("1001", "31", "9001", "777", 400, 'a,"b"'))


def test_quotes_are_ordinary_characters_where_the_layout_has_none():
    _, rows, seen = examine(whole(b'D,1001,31,9001,777,400,"a"\n'), with_text(quote=None))
    assert (seen, rows[0].values[-1]) == ([], '"a"')


@pytest.mark.parametrize(("line", "found"), [(PURCHASE[:-1] + b",\n", 8), (PURCHASE.replace(b",777", b""), 6), (b"D\n", 1)])
def test_a_field_too_many_or_too_few(line, found):
    examination, rows, seen = examine(whole(line, OTHER_PURCHASE))
    assert codes(seen) == ["line.field_count", "control.sum_unverifiable"]
    assert (len(rows), seen[0].facts["found"], seen[0].facts["expected"]) == (1, found, 7)
    assert (examination.record_errors, examination.bad_sum_known) == (1, False)


@pytest.mark.parametrize(
    "amount", ["1e3", "１２３", "٣", "-0", "NaN", "Infinity", " 12", "12 ", "1_000", "+5", "007", "", "-", "1.0", "0x10", "1,0"]
)
def test_what_is_no_amount(amount):
    examination, rows, seen = examine(whole(purchase(f'"{amount}"'), OTHER_PURCHASE))
    assert codes(seen) == ["record.amount_invalid", "control.sum_unverifiable"]
    assert (len(rows), seen[0].line, seen[0].column) == (1, 2, 6)
    assert (examination.bad_count, examination.bad_sum_known, examination.received_sum) == (1, False, 250)


@pytest.mark.parametrize("amount", ["12345678901234567890", "1000000000000001", "9" * 900])
def test_an_amount_beyond_the_limit_is_not_added_up(amount):
    examination, rows, seen = examine(whole(purchase(amount), OTHER_PURCHASE))
    assert codes(seen) == ["record.amount_out_of_range", "control.sum_unverifiable"]
    assert (len(rows), examination.received_sum) == (1, 250)


def test_an_amount_at_the_limit_passes():
    assert examine(whole(purchase("1000000000000000"), total=10**15))[1][0].amount == 10**15


def test_an_amount_below_the_minimum_is_bad_and_yet_added_up():
    examination, rows, seen = examine(whole(purchase("-100"), OTHER_PURCHASE, total=150))
    assert codes(seen) == ["record.amount_out_of_range"]
    assert (len(rows), examination.bad_count, examination.bad_sum, examination.bad_sum_known) == (1, 1, -100, True)
    assert examination.received_sum == 150


def test_a_zero_amount_is_a_row_and_a_note():
    examination, rows, seen = examine(whole(purchase("0"), OTHER_PURCHASE, total=250))
    assert [(item.rule, item.severity, item.line, item.column) for item in seen] == [("record.zero_amount", "note", 2, 6)]
    assert (len(rows), examination.zero_count, examination.file_errors) == (2, 1, 0)


@pytest.mark.parametrize(
    "instant",
    [
        "2017-02-29T00:00:00Z",
        "2017-13-01T00:00:00Z",
        "2017-01-05T24:00:00Z",
        "2017-01-05T10:00:60Z",
        "2017-01-05 10:00:00",
        "2017-01-05T10:00:00",
        "2017-01-05T10:00:00+00:00",
        "２０１７-01-05T10:00:00Z",
        "0017-01-05T10:00:00Z",
        "",
        "2017-W01-1T10:00:00Z",
    ],
)
def test_an_instant_that_does_not_exist_or_is_written_otherwise(instant):
    examination, rows, seen = examine(whole(PURCHASE.replace(b"2017-01-05T10:00:00Z", instant.encode()), OTHER_PURCHASE))
    assert [(item.rule, item.column) for item in seen] == [("record.instant_invalid", 7)]
    assert (len(rows), examination.bad_sum) == (1, 150)


def test_everything_wrong_with_one_record_is_told():
    _, _, seen = examine(whole(b"D,,31,90 01,777,1e3,2017-02-30T00:00:00Z\n", OTHER_PURCHASE))
    assert [(item.rule, item.column) for item in seen[:-1]] == [
        ("record.identifier_invalid", 2),
        ("record.identifier_invalid", 4),
        ("record.amount_invalid", 6),
        ("record.instant_invalid", 7),
    ]


def test_the_header_is_for_another_source_date_and_sequence():
    examination, _, seen = examine(GOOD.replace(HEADER, b"H,card-refunds,2017-02-01,3\n"))
    assert [(item.rule, item.line, item.column) for item in seen] == [
        ("record.constant_differs", 1, 2),
        ("control.header_business_date_differs", 1, 3),
        ("control.header_sequence_differs", 1, 4),
    ]
    assert examination.file_errors == 3


def test_a_header_whose_date_does_not_exist():
    assert codes(examine(GOOD.replace(b"H,card-usage,2017-01-31", b"H,card-usage,2017-01-32"))[2]) == ["record.date_invalid"]


def test_a_bad_record_whose_amount_is_known_leaves_the_sum_to_be_compared():
    using = replace(definition(), set_aside_limit=1)
    examination, rows, seen = examine(whole(PURCHASE.replace(b"9001", b"90 01"), OTHER_PURCHASE), using)
    assert (len(rows), codes(seen)) == (1, ["record.identifier_invalid"])
    assert (examination.file_errors, examination.record_errors, examination.bad_sum) == (0, 1, 150)


def test_a_second_pass_sees_the_same():
    content = GOOD.replace(b"9001", b"90 01") + PURCHASE
    assert examine(content)[1:] == examine(content)[1:]


def test_a_stream_of_the_same_bytes_in_small_reads_gives_the_same():
    class Trickle(BytesIO):
        """Gives at most 7 bytes at a read, as a stream from elsewhere may."""

        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 7, 7))

    examination = Examination(Trickle(GOOD), definition(), business_date=BUSINESS_DATE, sequence=1)
    assert list(examination.rows()) == examine(GOOD)[1]
