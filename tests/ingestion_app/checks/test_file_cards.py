"""Card numbers in the fields of a file: refused where an entry would say them, and not repeated."""

import io
from unicodedata import normalize

import pytest

from ingestion_app.formats.definition import Column, Definition, Kind
from ingestion_app.formats.lines import WIDE_MARKS
from ingestion_app.operations.arriving import MaskedStream
from tests.ingestion_app.checks.samples import (
    OTHER_PURCHASE,
    PURCHASE,
    codes,
    examine,
    whole,
    with_data_column,
)
from tests.ingestion_app.formats.definitions import COLUMNS, DELIMITED, definition


@pytest.mark.parametrize("text", ["to 4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111x", "a 378282246310005 b"])
def test_a_card_number_that_would_reach_an_entry_is_refused_and_not_repeated(text):
    line = f"D,1001,31,9001,777,150,{text}\n".encode()
    examination, rows, seen = examine(whole(line, OTHER_PURCHASE.replace(b"2017-01-06T11:30:00Z", b"shop")), with_wide_text())
    assert [(item.rule, item.line, item.column) for item in seen] == [("record.card_number", 2, 7)]
    assert (len(rows), examination.bad_count, examination.bad_sum) == (1, 1, 150)
    assert "1111 1111" not in str(seen[0].facts)
    assert "41111111" not in str(seen[0].facts)


def test_a_card_number_as_a_key_is_refused_as_it_would_be_the_reference():
    assert codes(examine(whole(PURCHASE.replace(b"9001", b"4111111111111111"), total=150))[2]) == ["record.card_number"]


@pytest.mark.parametrize("text", ["4111111111111112", "20170105100000", "12-34-56", "0000 1111"])
def test_a_number_that_is_no_card_is_taken(text):
    assert codes(examine(whole(f"D,1001,31,9001,777,400,{text}\n".encode()), with_wide_text())[2]) == []


def test_a_column_may_be_said_to_hold_numbers_that_pass_for_cards():
    content = whole(b"D,1001,31,9001,777,400,4111111111111111\n")
    assert codes(examine(content, with_wide_text(may_look_like_card=True))[2]) == []


def with_wide_text(**column: object) -> Definition:
    return with_data_column(Column("shop", Kind.TEXT, width=40, **column))  # type: ignore[arg-type]


NAMED = COLUMNS.replace("  { name", '  { name = "text", kind = "text" },\n  { name', 1)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
CARD = "4111111111111111"
SHOWN = (
    CARD,
    CARD.translate(WIDE),
    "4111 1111 1111 1111".translate(WIDE).replace(" ", "\u3000"),
    CARD[:8] + CARD[8:].translate(WIDE),
    f"高島屋{CARD.translate(WIDE)}番",
    "セキュリティコード１２３",
    "高島屋 CVV 123",
)


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc-jp", "iso-2022-jp", "utf-16-le", "utf-16-be"])
def test_a_card_number_is_refused_in_every_encoding_whether_it_was_masked_on_the_way_or_not(encoding, shown):
    using = definition(DELIMITED.replace("utf-8", encoding), columns=NAMED)
    line = WIDE_MARKS.get(encoding, b"") + f"{shown},1001,31,s1,150,2017-01-05\n".encode(encoding)
    for content in (line, MaskedStream(io.BytesIO(line), encoding).read()):
        _examination, rows, seen = examine(content, using)
        assert (rows, [(each.rule, each.column) for each in seen[:1]]) == ([], [("record.card_number", 1)])
        assert CARD[:-4] not in normalize("NFKC", str(seen[0].facts))


@pytest.mark.parametrize("encoding", WIDE_MARKS)
def test_a_card_number_is_hidden_in_utf_16_as_it_comes_in_and_nothing_beside_it(encoding):
    text = f"《,髙,{CARD},%34111111111111111,1001\n" * 40_000
    content = WIDE_MARKS[encoding] + text.encode(encoding)
    stream = MaskedStream(io.BytesIO(content), encoding)
    found = b"".join(iter(stream.read, b""))
    hidden = "#" * 12 + "1111"
    assert found.decode("utf-16") == text.replace("%34111111111111111", "#" * 14 + "1111").replace(CARD, hidden)
    assert stream.count == sum(one != other for one, other in zip(found, content, strict=True))


def test_a_card_number_is_refused_between_the_shifts_of_iso_2022_jp():
    using = definition(DELIMITED.replace("utf-8", "iso-2022-jp"), columns=NAMED)
    line = b"4111\x1b(J1111\x1b(B1111\x1b(J1111\x1b(B,1001,31,s1,150,2017-01-05\n"
    _examination, rows, seen = examine(line, using)
    assert (rows, codes(seen)[0]) == ([], "record.card_number")
