"""A file that is not the text of its layout is told by one finding, with the cause; text that is right is never taken for another."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.foreign import HEAD_BYTES, recognise
from tests.support.file_samples import END, HEADER, PURCHASE, TRAILER, codes, examine, whole, with_text

GOOD = whole(PURCHASE, total=150)
NAMES = ["山田太郎商店", "カード利用", "食料品", "ガソリン", "髙島屋", "（株）東京"]
TEXT = "".join(f"D,1001,31,9001,{777 + place},150,2017-01-05T10:00:00Z,{name}\n" for place, name in enumerate(NAMES))


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("a.csv", GOOD)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (gzip.compress(GOOD), "gzip"),
        (bz2.compress(GOOD), "bzip2"),
        (lzma.compress(GOOD), "xz"),
        (zipped(), "zip (xlsx)"),
        (b"%PDF-1.7\n%x", "PDF"),
    ],
    ids=["gzip", "bzip2", "xz", "zip", "pdf"],
)
def test_a_packed_file_is_named(content, found):
    examination, rows, seen = examine(content)
    assert (rows, codes(seen), seen[0].facts["found"]) == ([], ["file.not_text"], found)
    assert (examination.file_errors, examination.bad_sum_known) == (1, False)


@pytest.mark.parametrize(
    "written", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp037", "cp273", "iso2022_jp", "euc_jp", "cp932"]
)
def test_text_in_another_encoding_is_named_once(written):
    content = (
        (HEADER.decode() + TEXT if written in {"iso2022_jp", "euc_jp", "cp932"} else GOOD.decode())
        .replace("髙", "高")
        .encode(written)
    )
    _, rows, seen = examine(content.replace(b"\x25", b"\x15") if written.startswith("cp0") else content)
    assert (rows, codes(seen)) == ([], ["file.encoding_foreign"])


def test_utf_8_under_cp932_is_named_and_not_read_as_other_letters():
    _, rows, seen = examine(HEADER + TEXT.encode(), with_text(encoding="cp932"))
    assert (rows, codes(seen), seen[0].facts["found"]) == ([], ["file.encoding_foreign"], "UTF-8")


@pytest.mark.parametrize("text", ["カード", "山田 金子 中川 上原 下村 高橋 青木 西川 東野"])
def test_euc_jp_under_cp932_is_doubted(text):
    fault = recognise(f"D,1,{text}\n".encode("euc_jp"), "cp932")
    assert fault is not None
    assert (fault.rule.split("_")[0], fault.facts["found"]) == ("file.encoding", "EUC-JP")


def test_a_doubt_is_a_warning_and_the_file_is_read_on():
    content = HEADER + "D,1001,31,9001,777,150,カード\n".encode("euc_jp") + b"T,1,150\n" + END
    examination, rows, seen = examine(content, with_text(encoding="cp932"))
    assert (len(rows), codes(seen), examination.file_errors) == (1, ["file.encoding_doubtful"], 0)


@pytest.mark.parametrize("text", ["ｶ-ﾄﾞﾘﾖｳ ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀﾞ", "カード利用 山田太郎", "ｶｰﾄﾞ 山田", "髙島屋", "plain", "①㈱"])
def test_text_in_cp932_is_not_doubted(text):
    assert recognise(f"D,1,{text}\n".encode("cp932"), "cp932") is None


@given(
    text=st.text(st.characters(codec="cp932", exclude_categories=["Cc"], exclude_characters="¢£¬‖−〜"), max_size=40),
    more=st.sampled_from(NAMES),
)
def test_text_with_kana_and_kanji_in_its_own_encoding_is_never_refused(text, more):
    for encoding in ("utf-8", "cp932"):
        fault = recognise(f"D,1,{more}{text}\nD,2,{more}\n".encode(encoding, "ignore"), encoding)
        assert fault is None or fault.rule == "file.encoding_doubtful"


def test_a_character_that_the_first_bytes_cut_is_no_fault():
    line = "D,1,山田太郎\n".encode()
    for shift in range(3):
        head = (b"x" * shift + line * HEAD_BYTES)[:HEAD_BYTES]
        assert recognise(head, "utf-8") is None


def test_carriage_returns_alone_are_named():
    assert codes(examine(GOOD.replace(b"\n", b"\r"))[2]) == ["file.cr_endings"]


@pytest.mark.parametrize("mark", [b"\x1a", b"\x1a\x1a\x1a"])
def test_an_end_of_file_mark_is_named(mark):
    _, rows, seen = examine(GOOD + mark)
    assert (len(rows), codes(seen)) == (1, ["line.end_of_file_mark"])


@pytest.mark.parametrize(
    ("content", "line", "lines"),
    [
        (GOOD + b"\n", 5, 1),
        (HEADER + b"\n \n" + PURCHASE + b"\n" + TRAILER.replace(b"2,400", b"1,150") + END, 2, 3),
        (b"\n" + GOOD, 1, 1),
        (GOOD + b"  ", 5, 1),
    ],
    ids=["last", "between", "first", "spaces without an ending"],
)
def test_blank_lines_are_told_once(content, line, lines):
    examination, rows, seen = examine(content)
    assert [(each.rule, each.line, each.facts["lines"]) for each in seen] == [("line.blank", line, lines)]
    assert (len(rows), examination.file_errors) == (1, 1)
