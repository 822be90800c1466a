"""Whatever a file is that its layout does not say, of any format and encoding: one error, with the cause, and never one a line."""

import gzip
from collections.abc import Callable
from typing import NamedTuple

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from tests.support import bai2, definitions
from tests.support.definitions import DELIMITED, HEAD, NO_CONTROLS, POSTING, ROLES
from tests.support.file_samples import examine

NAMES = ["山田太郎商店", "カード利用", "食料品売場", "ガソリン代", "高島屋本店", "東京駅前店"]
LINES = 60
MEMO = '{ name = "memo", kind = "text" },'


def delimited(encoding: str) -> Definition:
    return definitions.definition(DELIMITED.replace("utf-8", encoding), columns=definitions.COLUMNS + MEMO)


def fixed(encoding: str) -> Definition:
    return toml.parse(_fixed(encoding, "lf"))


def unended(encoding: str) -> Definition:
    return toml.parse(_fixed(encoding, "none"))


def _fixed(encoding: str, ending: str) -> str:
    return f"""{HEAD}
[layout]
format = "fixed"
encoding = "{encoding}"
line_ending = "{ending}"
[layout.data]
columns = [
  {{ name = "member", kind = "identifier", bytes = 4 }},
  {{ name = "slip", kind = "identifier", bytes = 6 }},
  {{ name = "amount", kind = "amount", bytes = 8, padding = {{ side = "left", with = "0" }} }},
  {{ name = "sold_on", kind = "date", bytes = 10, format = "YYYY-MM-DD" }},
  {{ name = "memo", kind = "text", bytes = 20, padding = {{ side = "right", with = " " }} }},
]
{ROLES}{NO_CONTROLS}{POSTING}"""


def json_lines(encoding: str) -> Definition:
    layout = f'[layout]\nformat = "json-lines"\nencoding = "{encoding}"\nline_ending = "lf"\n'
    return definitions.definition(layout, columns=definitions.COLUMNS + MEMO)


def rows(number: int) -> str:
    return f"1001,31,s{number},150,2017-01-05,{NAMES[number % len(NAMES)]}"


def cells(number: int) -> str:
    return f"1001s{number:05}00000150" + "2017-01-05" + NAMES[number % len(NAMES)]


def objects(number: int) -> str:
    memo = NAMES[number % len(NAMES)]
    return f'{{"member":"1001","shop":"31","slip":"s{number}","amount":150,"sold_on":"2017-01-05","memo":"{memo}"}}'


class Format(NamedTuple):
    """A format, the encodings that it takes, a line of its files, and how their text is filled up."""

    using: Callable[[str], Definition]
    encodings: tuple[str, ...]
    line: Callable[[int], str]
    width: int = 0
    has_endings: bool = True


OF_BYTES = ("utf-8", "cp932", "euc-jp")
WIDE = ("utf-16-le", "utf-16-be")
FORMATS = {
    "delimited": Format(delimited, (*OF_BYTES, "iso-2022-jp", *WIDE), rows),
    "fixed": Format(fixed, OF_BYTES, cells, 48),
    "fixed without endings": Format(unended, OF_BYTES, cells, 48, has_endings=False),
    "JSON Lines": Format(json_lines, ("utf-8",), objects),
}


def written(form: Format, encoding: str, *, plain: bool = False) -> bytes:
    """A file of the format in an encoding, its lines filled up to the width by bytes."""
    ending = "\n".encode(encoding) if form.has_endings else b""
    lines = [_line(form, number, plain=plain).encode(encoding) for number in range(LINES)]
    if form.width:
        lines = [line.ljust(form.width) for line in lines]
    return ending.join(lines) + ending


def _line(form: Format, number: int, *, plain: bool) -> str:
    line = form.line(number)
    return (
        line.encode("ascii", "ignore").decode().replace('""', '"plain"') + ("A" if form.width or line[-1] != "}" else "")
        if plain
        else line
    )


def marked(encoding: str, content: bytes) -> bytes:
    return ("\ufeff".encode(encoding) if encoding.startswith("utf-16") else b"") + content


CASES = [(name, encoding) for name, form in FORMATS.items() for encoding in form.encodings]


def errors(content: bytes, using: Definition) -> list[tuple[str, object]]:
    _examination, found, seen = examine(content, using)
    told = [(each.rule, each.facts.get("found")) for each in seen if each.severity == "error"]
    assert not (told and told[0][0].startswith("file.")) or not found
    return told


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_a_good_file_is_read(name, encoding):
    form = FORMATS[name]
    assert errors(marked(encoding, written(form, encoding)), form.using(encoding)) == []


NAMED = {"utf-8": "UTF-8", "cp932": "cp932 (Shift_JIS)", "euc-jp": "EUC-JP", "iso-2022-jp": "ISO-2022-JP"}


@pytest.mark.parametrize("other", [*NAMED, "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_another_encoding_is_named_once(name, encoding, other):
    if other == encoding:
        return
    form = FORMATS[name]
    (told,) = errors(written(form, other), form.using(encoding))
    assert told == (
        "file.encoding_foreign",
        NAMED.get(other) or other.upper().replace("UTF-16-", "UTF-16").replace("UTF-32-", "UTF-32"),
    )


@pytest.mark.parametrize("other", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_a_mark_of_another_encoding_is_named_once(name, encoding, other):
    form = FORMATS[name]
    if other == encoding:
        return
    (told,) = errors("\ufeff".encode(other) + written(form, other), form.using(encoding))
    assert told[0] in {"file.byte_order_mark", "file.byte_order_mark_differs", "file.encoding_foreign"}


@pytest.mark.parametrize("codec", ["cp037", "cp500", "cp1026", "cp1140", "cp273"])
@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_ebcdic_is_named_once(name, encoding, codec):
    form = FORMATS[name]
    (told,) = errors(written(form, "ascii", plain=True).decode().encode(codec), form.using(encoding))
    assert told == ("file.encoding_foreign", "EBCDIC")


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_a_packed_file_is_named_once(name, encoding):
    form = FORMATS[name]
    (told,) = errors(gzip.compress(written(form, encoding)), form.using(encoding))
    assert told == ("file.not_text", "gzip")


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_lines_that_end_with_cr_are_named_once(name, encoding):
    form = FORMATS[name]
    if form.has_endings:
        text = written(form, encoding).decode(encoding).replace("\n", "\r")
        (told,) = errors(marked(encoding, text.encode(encoding)), form.using(encoding))
        assert told[0] == "file.cr_endings"


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_lines_that_end_with_crlf_are_named_once(name, encoding):
    form = FORMATS[name]
    if form.has_endings:
        text = written(form, encoding).decode(encoding).replace("\n", "\r\n")
        assert errors(marked(encoding, text.encode(encoding)), form.using(encoding)) == [("line.ending", "CRLF")]


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_blank_lines_are_named_once_with_the_first(name, encoding):
    form = FORMATS[name]
    if form.has_endings:
        lines = written(form, encoding).decode(encoding).split("\n")
        text = "\n".join([*lines[:6], "", *lines[6:9], "", *lines[9:], ""])
        _examination, found, seen = examine(marked(encoding, text.encode(encoding)), form.using(encoding))
        (told,) = [each for each in seen if each.severity == "error"]
        assert (told.rule, told.line, told.facts["lines"], len(found)) == ("line.blank", 7, 3, LINES)


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_an_end_of_file_mark_is_named_once(name, encoding):
    form = FORMATS[name]
    content = marked(encoding, written(form, encoding)) + "\x1a".encode(encoding)
    _examination, found, seen = examine(content, form.using(encoding))
    assert [each.rule for each in seen if each.severity == "error"] == ["line.end_of_file_mark"]
    assert len(found) == LINES


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (gzip.compress(bai2.FILE), "file.not_text"),
        (bai2.FILE.decode().encode("utf-16-le"), "file.encoding_foreign"),
        (bai2.FILE.decode().encode("cp037"), "file.encoding_foreign"),
        (bai2.FILE.replace(b"\n", b"\r"), "file.cr_endings"),
        (bai2.FILE.replace(b"\n", b"\r\n"), "line.ending"),
        (bai2.FILE + b"\x1a", "line.end_of_file_mark"),
        (bai2.FILE + b"\n", "line.blank"),
    ],
    ids=["gzip", "UTF-16", "EBCDIC", "CR", "CRLF", "mark", "blank"],
)
def test_what_a_file_of_bai2_is_instead_is_named_once(content, rule):
    assert [name for name, _found in errors(content, toml.parse(bai2.SOURCE))] == [rule]
