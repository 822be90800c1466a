"""Controls beside count and sum: by direction, without signs, of a column that is no amount, and balances."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from ingestion_app.checks.totals import hashed
from ingestion_app.formats import toml
from ingestion_app.formats.control_totals import HashTotal
from tests.support import definitions
from tests.support.definitions import DELIMITED, ROLES, line_of, problems

TYPES = """
[layout.header]
marker = "H"
columns = [{ name = "opening", kind = "amount", minimum = -1000000000 }]
[layout.trailer]
marker = "T"
columns = [
  { name = "absolute", kind = "amount" },
  { name = "in_sum", kind = "amount" },
  { name = "out_sum", kind = "amount" },
  { name = "in_count", kind = "count" },
  { name = "out_count", kind = "count" },
  { name = "hash", kind = "count", padding = { side = "left", with = "0" } },
  { name = "closing", kind = "amount", minimum = -1000000000 },
]
"""
CONTROLS = """
trailer_absolute_sum = "absolute"
trailer_positive_sum = "in_sum"
trailer_negative_sum = "out_sum"
trailer_positive_count = "in_count"
trailer_negative_count = "out_count"
hash_total = { trailer = "hash", of = "member", digits = 3, modulus = 100 }
header_opening_balance = "opening"
trailer_closing_balance = "closing"
"""
SOURCE = definitions.text(DELIMITED, types=TYPES, roles=ROLES + CONTROLS)
USING = toml.parse(SOURCE)
NAMES = ("absolute_sum", "positive_sum", "negative_sum", "positive_count", "negative_count", "hash", "balance")


def examined(content: str) -> tuple[Examination, list[tuple[str, int, int]]]:
    examination = Examination(io.BytesIO(content.encode()), USING, business_date=date(2017, 1, 31), sequence=1)
    seen = [each for each in examination.rows() if not isinstance(each, Row)]
    assert all(each.sentence() and each.remedy() for each in seen)
    return examination, [(each.rule, each.line, each.column) for each in seen if each.rule != "record.zero_amount"]


def file(amounts: list[int], said: list[int], opening: int = 7, members: str = "1001") -> str:
    rows = "".join(f"{members},31,s{number},{amount},2017-01-05\n" for number, amount in enumerate(amounts))
    return f"H,{opening}\n{rows}T,{','.join(map(str, said))}\n"


def right(amounts: list[int], opening: int = 7) -> list[int]:
    ins, outs = [each for each in amounts if each > 0], [-each for each in amounts if each < 0]
    hashes = 100 * len(amounts) % 100
    return [sum(ins) + sum(outs), sum(ins), sum(outs), len(ins), len(outs), hashes, opening + sum(amounts)]


@given(st.lists(st.integers(-(10**6), 10**6), max_size=8), st.lists(st.integers(0, 2), min_size=7, max_size=7))
def test_each_control_that_is_not_met_is_told_at_its_column(amounts, off):
    said = right(amounts)
    _examination, seen = examined(file(amounts, [each + more for each, more in zip(said, off, strict=True)]))
    wrong = [(f"control.{name}_differs", len(amounts) + 2, 2 + place) for place, name in enumerate(NAMES) if off[place]]
    assert [each for each in seen if each[0] != "file.no_records"] == wrong


def test_what_cannot_be_read_leaves_nothing_proved():
    amounts = [150, -50]
    _examination, seen = examined(file(amounts, right(amounts)).replace(",-50,", ",-5O,"))
    assert seen == [("record.amount_invalid", 3, 4), *[("control.unverifiable", 4, column) for column in range(2, 9)]]
    # An amount that can be read counts, though its record is bad; what else it adds up is not known.
    _examination, seen = examined(file(amounts, right(amounts)).replace("-50,2017-01-05", "-50,2017-13-05"))
    assert seen == [("record.date_invalid", 3, 5), ("control.unverifiable", 4, 7)]
    _examination, seen = examined(file(amounts, right(amounts), members="A001"))
    assert seen == [("control.unverifiable", 4, 7)]


def test_parts_add_up_to_the_whole():
    amounts = [150, -50, 0, 7]
    content = file(amounts, right(amounts)).encode()
    lines = content.splitlines(keepends=True)
    first, last = len(lines[0]), len(content) - len(lines[-1])
    middle = first + len(lines[1]) + len(lines[2])
    parts = []
    for line, begin, end, count in ((2, first, middle, 2), (4, middle, last, 2)):
        part = Examination(io.BytesIO(content), USING, business_date=date(2017, 1, 31), sequence=1)
        list(part.data_rows(line, begin, end))
        parts.append(part.elsewhere(begin, end, count))
    whole = Examination(io.BytesIO(content), USING, business_date=date(2017, 1, 31), sequence=1)
    assert list(whole.rows(parts)) == []


@pytest.mark.parametrize(
    ("total", "value", "number"),
    [
        (HashTotal("t", "c", 8), "091000019", 9100001),
        (HashTotal("t", "c", 8), "0910000", None),
        (HashTotal("t", "c"), 12345, 12345),
        (HashTotal("t", "c"), "12A", None),
        (HashTotal("t", "c", 2), "12A", 12),
        (HashTotal("t", "c"), "١٢", None),
        (HashTotal("t", "c"), None, None),
    ],
)
def test_a_hash_total_adds_digits_alone(total, value, number):
    assert hashed(total)(value) == number


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"absolute"\n', '"in_count"\n', "roles.trailer_absolute_sum"),
        ('trailer_positive_count = "in_count"', 'trailer_positive_count = "in_sum"', "roles.trailer_positive_count"),
        ('of = "member"', 'of = "amount"', "roles.hash_total.of"),
        ("digits = 3, ", "", "roles.hash_total.digits"),
        ("modulus = 100", "modulus = 1", "roles.hash_total.modulus"),
        ("modulus = 100", "width = 2", "roles.hash_total.width"),
        ('header_opening_balance = "opening"', "", "roles.trailer_closing_balance"),
        ('trailer_closing_balance = "closing"', "", "roles.trailer_closing_balance"),
        ('"closing", kind = "amount", minimum = -1000000000', '"closing", kind = "amount"', "roles.trailer_closing_balance"),
        (CONTROLS, CONTROLS + 'controls = "none"\n', "roles.controls"),
        (CONTROLS, "", "roles.trailer_count"),
    ],
)
def test_controls_that_cannot_be_held_are_refused_with_line_and_path(old, new, path):
    source = SOURCE.replace(old, new)
    assert path in [each for _line, each in problems(source)]


def test_the_line_of_a_wrong_control_is_told():
    source = SOURCE.replace('of = "member"', 'of = "nobody"')
    assert problems(source) == [(line_of(source, "hash_total"), "roles.hash_total.of")]


def test_the_controls_of_a_source_are_named():
    assert USING.roles.controls == (*NAMES[:5], "hash_total", "balance")
