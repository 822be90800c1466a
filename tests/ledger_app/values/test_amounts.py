"""Amounts as decimal text, by whole-number arithmetic alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_app.values.amounts import decimal_text


@pytest.mark.parametrize(
    ("amount", "exponent", "text"),
    [
        (0, 0, "0"),
        (0, 2, "0.00"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (-1234, 2, "-12.34"),
        (1234, 0, "1234"),
        (-7, 0, "-7"),
        (1, 6, "0.000001"),
        (9 * 10**18, 2, "90000000000000000.00"),
    ],
)
def test_the_point_stands_where_the_unit_says(amount: int, exponent: int, text: str) -> None:
    assert decimal_text(amount, exponent) == text


@given(amount=st.integers(-(10**20), 10**20), exponent=st.integers(0, 6))
def test_the_digits_are_the_minor_units(amount: int, exponent: int) -> None:
    text = decimal_text(amount, exponent)
    assert int(text.replace(".", "")) == amount
    assert len(text.partition(".")[2]) == exponent
