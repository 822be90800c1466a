"""Card numbers in the fields of a file: refused where an entry would say them, and not repeated."""

import io
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.formats.definition import Column, Definition, Kind
from ingestion_app.formats.lines import WIDE_MARKS
from ingestion_app.receiving.operations import arriving
from ingestion_app.receiving.operations.arriving import MaskedStream
from ledger_app.errors.card_bytes import masked_in
from ledger_app.errors.card_numbers import holds
from tests.support.definitions import COLUMNS, DELIMITED, definition
from tests.support.file_samples import OTHER_PURCHASE, PURCHASE, codes, examine, whole, with_data_column


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
    stream = MaskedStream(io.BytesIO(line), encoding)
    arrived = stream.read()
    assert (len(arrived), stream.count > 0) == (len(line), True)
    assert not holds(arrived.decode(encoding).partition(",")[0])
    assert arrived.decode(encoding).endswith(",1001,31,s1,150,2017-01-05\n")
    for content in (line, arrived):
        _examination, rows, seen = examine(content, using)
        assert (rows, [(each.rule, each.column) for each in seen[:1]]) == ([], [("record.card_number", 1)])
        assert CARD[:-4] not in normalize("NFKC", str(seen[0].facts))
        # What a finding keeps of the line is masked as it is written.
        assert not holds(masked_in(seen[0].raw, encoding).decode(encoding).partition(",")[0])


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc-jp", "iso-2022-jp", *WIDE_MARKS])
@given(text=st.text("0123456789０１２３４５６７８９高島屋ー　 -,あｱ\n", max_size=40))
def test_nothing_but_a_card_number_is_masked_on_the_way_and_what_is_left_is_text(encoding, text):
    try:
        raw = text.encode(encoding)
    except UnicodeEncodeError:
        raw = text.replace("ｱ", "").encode(encoding)
    arrived = masked_in(raw, encoding, "#")
    assert len(arrived.decode(encoding)) == len(raw.decode(encoding))
    if not holds(raw.decode(encoding)):
        assert arrived == raw


@pytest.mark.parametrize("encoding", WIDE_MARKS)
@pytest.mark.parametrize("piece", [1, 7, 100])
def test_a_card_number_is_hidden_in_utf_16_as_it_comes_in_and_nothing_beside_it(encoding, piece, monkeypatch):
    monkeypatch.setattr(arriving, "PIECE_BYTES", piece)
    text = f"《,髙,{CARD},%34111111111111111,1001\n" * 10
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


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc-jp", "iso-2022-jp"])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_card_number_is_masked_wherever_what_arrives_is_cut(monkeypatch, encoding, ending):
    monkeypatch.setattr(arriving, "PIECE_BYTES", 1200)
    written = [
        CARD,
        CARD.translate(WIDE),
        "4111 1111 1111 1111",
        "4111\u30001111\u30001111\u30001111".translate(WIDE),
        "高島屋" + CARD + "番",
    ]
    for shift in range(70):
        raw = ("x" * shift + ",".join(["31高島屋", *written] * 14) + ending).encode(encoding) * 2
        stream = MaskedStream(io.BytesIO(raw), encoding)
        arrived = b"".join(iter(stream.read, b""))
        assert arrived == masked_in(raw, encoding, "#"), shift
        assert not holds(arrived.decode(encoding))
        assert stream.count == sum(one != other for one, other in zip(raw, arrived, strict=True))
