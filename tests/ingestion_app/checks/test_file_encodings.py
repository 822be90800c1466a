"""Bytes that are not of the encoding of a file end in findings that name them."""

import pytest

from tests.support.file_samples import END, HEADER, OTHER_PURCHASE, PURCHASE, TRAILER, codes, examine, whole, with_text

GOOD = HEADER + PURCHASE + OTHER_PURCHASE + TRAILER + END


def test_a_byte_that_is_not_of_the_encoding_is_named():
    line = "D,1001,31,9001,777,150,食料".encode() + b"\x90\n"
    examination, rows, seen = examine(HEADER + line + END, with_text())
    assert codes(seen)[0] == "line.undecodable"
    assert seen[0].offset == len(HEADER) + line.index(b"\x90")
    assert seen[0].facts["byte"] == "0x90"
    assert (rows, examination.bad_count, examination.bad_sum_known) == ([], 1, False)


def test_utf_8_sent_where_cp932_is_agreed_is_refused():
    content = whole("D,1001,31,9001,777,400,髙島屋".encode() + b"\n")
    assert codes(examine(content, with_text(encoding="cp932"))[2]) == ["file.encoding_foreign"]


@pytest.mark.parametrize("byte", [b"\x80", b"\xa0", b"\xfd", b"\xff"])
def test_bytes_that_cp932_leaves_undefined_are_refused(byte):
    line = b"D,1001,31,9001,777,400,\x8e\x52" + byte + b"x\n"
    _, rows, seen = examine(whole(line), with_text(encoding="cp932"))
    assert (rows, seen[0].rule, seen[0].offset) == ([], "line.undecodable", len(HEADER) + line.index(byte))


def test_two_spellings_of_one_cp932_character_are_both_read_and_stay_apart_in_their_bytes():
    lines = [b"D,1001,31,9001,77" + digit + b",200," + shop + b"\n" for digit, shop in ((b"7", b"\xee\xe0"), (b"8", b"\xfb\xfc"))]
    _, rows, seen = examine(whole(*lines), with_text(encoding="cp932"))
    assert seen == []
    assert [row.values[-1] for row in rows] == ["髙", "髙"]
    assert rows[0].raw[-2:] != rows[1].raw[-2:]


def test_a_byte_order_mark_is_refused_and_the_rest_is_still_examined():
    _, rows, seen = examine(b"\xef\xbb\xbf" + GOOD)
    assert (len(rows), codes(seen), seen[0].facts["mark"]) == (2, ["file.byte_order_mark"], "UTF-8")
    assert rows[0].offset == 3 + len(HEADER)


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16", "UTF-16LE"), ("utf-32", "UTF-32")])
def test_a_file_in_an_encoding_of_wide_units_is_refused_by_its_mark(encoding, mark):
    examination, rows, seen = examine(GOOD.decode().encode(encoding))
    assert (rows, codes(seen), seen[0].facts["mark"]) == ([], ["file.byte_order_mark"], mark)
    assert not examination.bad_sum_known


def test_a_nul_byte_is_named_to_the_byte():
    line = PURCHASE.replace(b"9001", b"90\x001")
    _, rows, seen = examine(whole(line, OTHER_PURCHASE))
    assert codes(seen) == ["line.nul_byte", "control.sum_unverifiable"]
    assert (len(rows), seen[0].line, seen[0].offset) == (1, 2, len(HEADER) + line.index(b"\0"))
