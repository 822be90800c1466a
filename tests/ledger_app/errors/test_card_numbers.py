"""What is a card number, in whatever writing, and what only looks like one."""

import json
import random
import time
import uuid

import pytest

from ledger_app.errors import card_bytes, card_numbers
from ledger_app.models.entries import PLACES

ISSUED = [
    "4111111111111111",
    "4222222222222",
    "4000000000000000006",
    "5105105105105100",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "3530111333300000",
    "6011111111111117",
    "6212345678901232",
    "6759649826438453",
]
ENCODINGS = ("utf-8", "cp932", "euc-jp", "iso-2022-jp")


@pytest.mark.parametrize("digits", ISSUED)
@pytest.mark.parametrize(
    "way", ["{}", "a{}b", "R-{}", "カード番号{}です", "x {} y", '{{"a": "{}"}}', "2017-01-31 {} 100", "31,{},1.50", "({})"]
)
def test_the_number_of_a_known_issuer_is_found_wherever_it_stands(digits: str, way: str) -> None:
    text = way.format(digits)
    hidden = card_numbers.masked_text(text)
    assert hidden == text.replace(digits[:-4], "*" * (len(digits) - 4))
    assert card_numbers.masked_text(hidden) == hidden
    for encoding in ENCODINGS:
        assert card_bytes.masked_in(text.encode(encoding), encoding) == hidden.encode(encoding)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111\u20101111\u20101111\u20101111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111 - 1111 - 1111 - 1111",
        "４１１１１１１１１１１１１１１１",
        "４１１１－１１１１－１１１１－１１１１",
        "٤١١١١١١١١١١١١١١١",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "3782 822463 10005",
        "4111%201111%201111%201111",
        "4111+1111+1111+1111",
        "%EF%BC%94111111111111111",
    ],
)
def test_it_is_found_however_it_is_written(text: str) -> None:
    assert card_numbers.holds(text)
    assert card_numbers.kept_holds(json.dumps([{"a": text}]))
    hidden = card_numbers.masked_text(text)
    assert not card_numbers.holds(hidden)
    assert sum(each.isdecimal() for each in hidden) == 4


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("cvv 123", "cvv ***"),
        ("CVC: 123", "CVC: ***"),
        ("Cvv2=1234", "Cvv2=****"),
        ("the security code is 123", "the security code is ***"),
        ('{"cvv": "123"}', '{"cvv": "***"}'),
        ("セキュリティコード 123", "セキュリティコード ***"),
        ("セキュリティーコード：１２３", "セキュリティーコード：***"),
        ("cvv 12345", "cvv 12345"),
        ("cv 123", "cv 123"),
        ("mcvv 123", "mcvv 123"),
    ],
)
def test_the_code_beside_it_is_hidden_whole(text: str, hidden: str) -> None:
    assert card_numbers.masked_text(text) == hidden
    for encoding in ENCODINGS:
        read = card_bytes.masked_in(text.encode(encoding), encoding).decode(encoding)
        assert read.replace("＊", "*") == hidden


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # does not check
        "9999999999999995",  # of no issuer
        "411111111111",  # too short
        "41111111111111111111",  # a part of a longer number
        "1234567890123456789012",
        "0.4111111111111111",
        "sha256 " + "4111111111111111" + "ab" * 24,
        "ef9e3907-7970-4674-9809-837d065cd30e",
        "asked as DFDD5145-3833-4869-8204-22EC279944B9, twice",
        "2017-01-31T10:00:00.000000Z",
        "20170131100000123",
        "1485825600000",
        "1485825600000000",
        "41111111 20170131",
        "4111 2017-01-31 1111",
        "2017-01-31 2017-02-28 2017-03-31",
        "+81 3-1234-5678",
        "0120-444-111",
        "090-1234-5678 / 090-8765-4321",
        "4901234567894",  # articles
        "4512345678906",
        "4911234567894",
        "〒100-0001",
        "till:2017-01-05/31198570044/940996",
        "Purchase at store 367, slip 31198570044",
        "1,234,567,890,123",
        "12-34-56",
        "0000 1111",
        "4 1 1",
        "32000000000000000",
        "CVV",
        "security codes 2017",
    ],
)
def test_what_only_looks_like_one_is_left(text: str) -> None:
    assert not card_numbers.holds(text)
    assert not card_numbers.kept_holds(json.dumps({"a": text}))
    assert card_numbers.masked_text(text) is text
    raw = text.encode()
    assert card_numbers.masked(raw) is raw


def test_our_own_keys_and_digests_are_none() -> None:
    chance = random.Random(20170131)
    for _ in range(3000):
        key = chance.randrange(3_000_000, 5_000_000) * PLACES + chance.randrange(5000)
        assert not card_numbers.holds(f"/admin/ledger_app/entry/{key}/")
        assert not card_numbers.holds(str(uuid.UUID(int=chance.getrandbits(128), version=4)))
        assert not card_numbers.holds(chance.randbytes(32).hex())
    assert not card_numbers.kept_holds(json.dumps({"id": 4111111111111111, "ids": [5105105105105100]}))


# What a sender may fill a line with: rows of digits, of words with numbers in them, of marks, and of what parts them.
FILLING = [
    "1",
    "1 ",
    "12 1 ",
    "1" + " " * 20,
    "a" + ISSUED[0],
    "-" + ISSUED[0],
    "#",
    "# ",
    "### ",
    "cvv ",
    "cvv" + "#" * 11,
    "%34",
    "１",
]


@pytest.mark.parametrize("filling", FILLING)
def test_how_long_a_line_takes_grows_with_its_length_and_not_with_its_square(filling: str) -> None:
    line = filling * (20_000 // len(filling))
    for look in (card_numbers.holds, card_numbers.is_masked_on_arrival, card_numbers.masked_text):
        began = time.process_time()
        look(line)
        assert time.process_time() - began < 1, look
    began = time.process_time()
    card_bytes.masked_in(line.encode("utf-16-le"), "utf-16-le")
    assert time.process_time() - began < 1


def test_a_digest_is_told_from_a_number_wherever_it_stands_in_a_line() -> None:
    digest = f"ab{ISSUED[0]}cdef01"
    words = [ISSUED[0], digest, f"{ISSUED[0]} {digest}", f"x{ISSUED[0]}", digest.upper(), f"{digest}x", " ".join([digest] * 3)]
    hidden = ISSUED[0].replace(ISSUED[0][:-4], "*" * 12)
    for word, wanted in zip(
        words, [hidden, digest, f"{hidden} {digest}", f"x{hidden}", digest.upper(), None, words[-1]], strict=True
    ):
        assert card_numbers.masked_text(f"of {word} and") == f"of {wanted or digest.replace(ISSUED[0], hidden) + 'x'} and"
