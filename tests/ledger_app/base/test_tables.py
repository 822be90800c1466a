"""Cells of tables: no text is a formula, every amount is a number, and each text is had again from its cell."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Figure
from ledger_app.members.rules import member_files

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A", "﹦1", "⁺1", "−1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert tables.harmless(text) == f"'{text}"
    assert tables.harmless(f"'{text}") == f"''{text}"


@pytest.mark.parametrize("text", ["", "1=1", "'s-Hertogenbosch", "a-b", "東京", "''", " =1"])
def test_what_would_not_is_left_as_it_is(text: str) -> None:
    assert tables.harmless(text) == tables.meant(text) == text


@given(some.text(alphabet="'=+-@\t\r＝ab", max_size=6) | some.text(max_size=20))
def test_each_text_is_had_again_from_its_cell(text: str) -> None:
    assert tables.meant(tables.harmless(text)) == text
    assert not tables.harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


def test_amounts_stay_numbers() -> None:
    assert tables.csv_line(("-1", -1, Figure("-1.50"), Figure(""), 'a"b')) == '\'-1,-1,-1.50,,"a""b"'
    with pytest.raises(ValueError, match="number"):
        tables.csv_line((Figure("=1"),))


def test_a_table_of_ours_is_read_as_what_it_was_written_from() -> None:
    row = ["M-1", "=HYPERLINK(1)", "'s-Hertogenbosch", "＠a"]
    line = tables.csv_line(row)
    assert next(csv.reader(io.StringIO(line))) != row
    assert member_files.fields_of(line) == row
