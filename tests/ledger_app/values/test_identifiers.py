"""What is a card number, and what is kept of it."""

import pytest

from ledger_app.errors import card_numbers
from ledger_app.values import identifiers
from ledger_app.values.identifiers import CardKey

CARD = "4111111111111111"
KEYS = [CardKey("new", b"n" * 32), CardKey("old", b"o" * 32)]


@pytest.mark.parametrize(
    "text",
    [CARD, "4111 1111 1111 1111", "4111-1111-1111-1111", "４１１１１１１１１１１１１１１１", f" {CARD} ", "378282246310005"],
)
def test_a_card_number_is_read_however_it_is_written(text):
    assert identifiers.card_digits(text) in {CARD, "378282246310005"}


@pytest.mark.parametrize(
    "text", ["4111111111111112", "411111111111", "41111111111111111111", "4111x11111111111", "", "tok_4111111111111111"]
)
def test_what_does_not_check_is_no_card_number(text):
    assert identifiers.card_digits(text) == ""


def test_a_hash_leads_nowhere_without_its_key_and_differs_by_key():
    new, old = identifiers.candidates(CARD, KEYS)
    assert new.value != old.value
    assert len(new.value) == 64
    assert (new.key_name, new.last_four) == ("new", "1111")
    assert CARD not in "".join(new)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"D,4111111111111111,31", b"D,************1111,31"),
        (b"D,4111 1111 1111 1111,31", b"D,**** **** **** 1111,31"),
        (b"D,4111111111111112,31", b"D,4111111111111112,31"),
        (b"14111111111111111111111", b"14111111111111111111111"),
        (b"\x8a\xbf4111111111111111", b"\x8a\xbf************1111"),
        # What stands beside it, parted by a space alone, is none of it.
        (b"2017-01-31 4111111111111111 100", b"2017-01-31 ************1111 100"),
        (b"31 4111 1111 1111 1111 123 4111-1111-1111-1111", b"31 **** **** **** 1111 123 ****-****-****-1111"),
        (b"1 " * 2000, b"1 " * 2000),
    ],
)
def test_card_numbers_are_hidden_wherever_they_stand_and_nothing_else_is(raw, kept):
    assert card_numbers.masked(raw) == kept
    assert len(kept) == len(raw)
