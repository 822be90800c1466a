"""Amounts, dates and texts in the forms of senders: each column takes one form, to the unit, and nothing beside it."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.formats.amount_styles import AmountStyle, Sign
from ingestion_app.formats.amounts import amount_parser, example
from ingestion_app.formats.computing import computations
from ingestion_app.formats.definition import Column, Kind, Padding, RecordType, Side, SignBy
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import Value, field_reader

CENTS = AmountStyle(2, 2, ".")
GROUPED = AmountStyle(2, 2, ",", thousands=".")
YEN = AmountStyle(2, 0, ".", thousands=",")
ASSUMED = AmountStyle(2, 2, None)
FEWER = AmountStyle(2, 2, ".", has_fewer_decimals=True)
TRAILING = AmountStyle(2, 2, ".", sign=Sign.TRAILING, may_have_plus=True)
BRACKETS = AmountStyle(0, 0, None, thousands=",", sign=Sign.PARENTHESES)
PADDED = AmountStyle(0, 0, None, zero_padded=True, may_have_plus=True)
UNSIGNED = AmountStyle(1, 2, ".", sign=Sign.NONE)


@pytest.mark.parametrize(
    ("style", "good", "bad"),
    [
        (
            CENTS,
            {"0.00": 0, "-0.00": 0, "12.34": 1234, "-1.05": -105, "0.07": 7},
            ["12", "12.3", "12.345", "01.00", ".50", "1,2", "+1.00"],
        ),
        (
            GROUPED,
            {"1.234,50": 123450, "-12,00": -1200, "999,99": 99999},
            ["1234,50", "1.23,00", "12.3456,00", "0.123,00", "1,234.50"],
        ),
        (YEN, {"1,234.00": 1234, "-5.00": -5}, ["1,234.50", "1234.00", "1,234"]),
        (ASSUMED, {"1234": 1234, "05": 5, "005": 5, "0": 0, "-7": -7}, ["0005", "12.34", "00123", ""]),
        (FEWER, {"12": 1200, "12.5": 1250, "12.50": 1250}, ["12.", "12.555", ".5"]),
        (TRAILING, {"12.50-": -1250, "12.50+": 1250, "12.50": 1250}, ["-12.50", "12.50--", "12.50 -"]),
        (BRACKETS, {"(1,234)": -1234, "(0)": 0, "1,234": 1234, "7": 7}, ["(1,234", "1,234)", "-7", "(-7)", "()"]),
        (PADDED, {"0000123": 123, "-0000123": -123, "+01": 1, "000": 0, "-000": 0}, ["", "-", "00 1", "1.0"]),
        (UNSIGNED, {"1.5": 150, "0.1": 10}, ["-1.5", "1", "1.50"]),
    ],
)
def test_an_amount_is_read_in_the_form_of_its_column_alone(style, good, bad):
    parse = amount_parser(style)
    assert {text: parse(text) for text in good} == good
    assert [text for text in [*bad, "１", "1e3", "1_0", "nan", " 1", "1 "] if parse(text) is not None] == []
    assert style.minor_digits > style.decimals or parse(example(style)) is not None


@given(st.integers(-(10**15), 10**15), st.sampled_from([CENTS, GROUPED, ASSUMED, TRAILING, PADDED]))
def test_what_a_form_writes_it_reads_back(amount, style):
    if style.zero_padded:
        text = f"{amount:+020d}"
    else:
        whole, rest = divmod(abs(amount), 100)
        digits = f"{whole:,}".replace(",", style.thousands) if style.thousands else str(whole)
        digits = f"{digits}{style.point or ''}{rest:02d}" if style.point or whole else str(abs(amount))
        minus = "-" if amount < 0 else ""
        text = digits + minus if style.sign is Sign.TRAILING else minus + digits
    assert amount_parser(style)(text) == amount


def test_an_amount_out_of_range_says_so_and_a_long_row_of_digits_is_none():
    reader = field_reader(Column("amount", Kind.AMOUNT, amount=CENTS))
    assert_fault(reader.read("-1.00"), "record.amount_out_of_range")
    assert_fault(reader.read("9" * 18 + ".00"), "record.amount_out_of_range")
    assert_fault(reader.read("9" * 200_000), "record.amount_written_otherwise")


def assert_fault(value: Value | Fault | None, rule: str) -> None:
    assert isinstance(value, Fault)
    assert value.rule == rule


def dated(spelled: str, **more: object) -> Column:
    kind = Kind.INSTANT if "HH" in spelled else Kind.DATE
    return Column("at", kind, format=spelled, **more)  # type: ignore[arg-type]


TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        (
            dated("DD.MM.YYYY"),
            {"31.01.2017": date(2017, 1, 31)},
            ["1.1.2017", "31.02.2017", "2017.01.31", "31.01.3017", "31-01-2017"],
        ),
        (dated("MM/DD/YYYY"), {"01/31/2017": date(2017, 1, 31)}, ["31/01/2017"]),
        (dated("D/M/YYYY"), {"5/1/2017": date(2017, 1, 5), "31/12/2017": date(2017, 12, 31)}, ["05/1/2017", "5/13/2017"]),
        (dated("YYYY年M月D日"), {"2017年1月5日": date(2017, 1, 5)}, ["2017年01月05日"]),
        (dated("DDMMYY", century=2000), {"310117": date(2017, 1, 31), "290200": date(2000, 2, 29)}, ["290217"]),
        (dated("YYYYDDD"), {"2016366": date(2016, 12, 31), "2017001": date(2017, 1, 1)}, ["2017366", "2017000"]),
        (dated("YYMMDD", era="reiwa"), {"060205": date(2024, 2, 5), "010501": date(2019, 5, 1)}, ["010430", "000501"]),
        (dated("YYMMDD", era="heisei"), {"310430": date(2019, 4, 30)}, ["310501"]),
        (
            dated("YYYYMMDDHHMMSS", zone=TOKYO),
            {"20170131090000": datetime(2017, 1, 31, tzinfo=UTC)},
            ["20170131240000", "20170131096000", "2017013109000"],
        ),
        (
            dated("YYYY-MM-DDTHH:MM:SS+HH:MM"),
            {"2017-01-31T09:00:00+09:00": datetime(2017, 1, 31, tzinfo=UTC)},
            ["2017-01-31T09:00:00", "2017-01-31T09:00:00+15:00", "2017-01-31T09:00:00+09:60", "2017-01-31T09:00:00Z"],
        ),
        (
            dated("DD/MM/YYYY HH:MM", zone=NEW_YORK),
            {"31/01/2017 09:05": datetime(2017, 1, 31, 14, 5, tzinfo=UTC)},
            ["12/03/2017 02:30", "05/11/2017 01:30"],
        ),
        (dated("YYYYMMDDHHMMSSfff", zone=TOKYO), {"20170131090000250": datetime(2017, 1, 31, 0, 0, 0, 250_000, tzinfo=UTC)}, []),
    ],
)
def test_a_moment_is_read_in_the_format_of_its_column_alone(column, good, bad):
    reader = field_reader(column)
    assert {text: reader.read(text) for text in good} == good
    assert all(isinstance(reader.read(text), Fault) for text in [*bad, "", "１"])


def test_clocks_that_skip_or_repeat_a_time_are_told_in_any_format():
    reader = field_reader(dated("DD/MM/YYYY HH:MM", zone=NEW_YORK))
    assert_fault(reader.read("12/03/2017 02:30"), "record.instant_skipped")
    assert_fault(reader.read("05/11/2017 01:30"), "record.instant_ambiguous")


def test_padding_is_taken_off_one_side_and_nothing_else_is():
    left = field_reader(Column("id", Kind.IDENTIFIER, padding=Padding(Side.LEFT, "0")))
    assert [left.read(text) for text in ("00120", "120", "000")] == ["120", "120", "0"]
    right = field_reader(Column("shop", Kind.TEXT, padding=Padding(Side.RIGHT, " ")))
    assert [right.read(text) for text in ("a b  ", " a")] == ["a b", " a"]
    assert_fault(right.read("   "), "record.text_empty")
    empty = field_reader(Column("shop", Kind.TEXT, optional=True, padding=Padding(Side.RIGHT, " ")))
    assert empty.read("   ") is None


def test_texts_may_stand_for_an_empty_field():
    reader = field_reader(Column("due", Kind.DATE, format="YYYYMMDD", optional=True, empties=("00000000",)))
    assert [reader.read(text) for text in ("00000000", "", "20170131")] == [None, None, date(2017, 1, 31)]


def test_a_column_may_be_held_to_values_or_to_a_form():
    chosen = field_reader(Column("side", Kind.IDENTIFIER, values=("D", "C")))
    assert chosen.read("D") == "D"
    assert_fault(chosen.read("d"), "record.value_unknown")
    formed = field_reader(Column("slip", Kind.IDENTIFIER, pattern=r"[A-Z]{2}\d{4}"))
    assert formed.read("AB1234") == "AB1234"
    assert_fault(formed.read("AB12345"), "record.form_differs")
    assert_fault(formed.read("AB１２３４"), "record.identifier_invalid")


@pytest.mark.parametrize(
    ("paid_in", "paid_out", "amount"),
    [
        (5, None, 5),
        (None, 5, -5),
        (5, 0, 5),
        (0, 7, -7),
        (0, None, 0),
        (0, 0, 0),
        (None, None, None),
        (5, 5, None),
        (-5, None, -5),
    ],
)
def test_an_amount_of_two_columns_stands_in_one_of_them(paid_in, paid_out, amount):
    columns = tuple(Column(name, Kind.AMOUNT, optional=True) for name in ("paid_in", "paid_out"))
    made = Column("amount", Kind.AMOUNT, plus="paid_in", minus="paid_out")
    (computation,) = computations(RecordType(None, (*columns, made)))
    found = computation.make([paid_in, paid_out])
    assert (found == amount) if amount is not None else isinstance(found, Fault)


@pytest.mark.parametrize(
    ("side", "kind", "amount"),
    [("1", "10", 5), ("2", "10", -5), ("1", "19", -5), ("2", "19", 5), ("3", "10", None), (None, "10", None)],
)
def test_other_columns_say_the_sign_and_a_correction_turns_it_back(side, kind, amount):
    columns = (Column("value", Kind.AMOUNT), Column("side", Kind.IDENTIFIER, optional=True), Column("kind", Kind.IDENTIFIER))
    signs = (SignBy("side", ("1",), ("2",)), SignBy("kind", ("10",), ("19",)))
    made = Column("amount", Kind.AMOUNT, of="value", signs=signs)
    (computation,) = computations(RecordType(None, (*columns, made)))
    found = computation.make([5, side, kind])
    assert (found == amount) if amount is not None else isinstance(found, Fault)


TEXTS = st.text("0123456789.,-+() CD", max_size=12) | st.sampled_from(
    ["1,234.00", "-12.50", "(1,234)", "00120", "12.5", "20170131"]
)
COLUMNS = [
    *(
        Column("a", Kind.AMOUNT, minimum=-(10**9), amount=each)
        for each in (CENTS, GROUPED, YEN, ASSUMED, FEWER, TRAILING, BRACKETS, PADDED)
    ),
    Column("i", Kind.IDENTIFIER, padding=Padding(Side.LEFT, "0")),
    Column("o", Kind.AMOUNT, amount=CENTS, optional=True, default="0.00", empties=("-",)),
    Column("v", Kind.IDENTIFIER, values=("C", "D")),
    dated("DD.MM.YYYY"),
]


@given(st.sampled_from(COLUMNS), TEXTS)
def test_the_quick_reading_takes_only_what_the_careful_one_takes(column, text):
    reader = field_reader(column, never=",")
    if re.fullmatch(reader.pattern, text) is None or reader.convert is None:
        return
    try:
        value = reader.convert(text)
    except ValueError:
        return
    assert value == reader.read(text)
