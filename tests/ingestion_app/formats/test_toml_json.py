"""Definitions of JSON Lines: what is refused, with its line and path; and paths."""

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.json_paths import parse, spelled
from tests.support.definitions import DELIMITED, line_of, problems, text
from tests.support.json_definitions import text as json_text


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a", ("a",)),
        ("customer.id", ("customer", "id")),
        ("items[0].price", ("items", 0, "price")),
        ("a[1][20]", ("a", 1, 20)),
        ('"price.net".x', ("price.net", "x")),
        ("明細[0].金額", ("明細", 0, "金額")),
        ("@type", ("@type",)),
        ("", None),
        (".a", None),
        ("a.", None),
        ("a..b", None),
        ("a.[0]", None),
        ("[0]", None),
        ("a[01]", None),
        ("a[-1]", None),
        ("a[*]", None),
        ("a b", None),
        ('"a', None),
        ("a[0]b", None),
        ("$.a", ("$", "a")),
    ],
)
def test_a_path_is_names_and_places(written, path):
    assert parse(written) == path
    assert path is None or spelled(path) == written


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('encoding = "utf-8"', 'encoding = "cp932"', "layout.encoding"),
        ('line_ending = "lf"', 'line_ending = "none"', "layout.line_ending"),
        ('line_ending = "lf"', 'line_ending = "lf"\ndelimiter = ","', "layout.delimiter"),
        ('line_ending = "lf"', 'line_ending = "lf"\nunknown_names = "ignored"', "layout.unknown_names"),
        ('line_ending = "lf"', 'line_ending = "lf"\nmarker_path = "type"', "layout.marker_path"),
        ("[layout.data]", '[layout.data]\nmarker = "D"', "layout.marker_path"),
        ('"customer.id"', '"customer..id"', "layout.data.columns[0].path"),
        ('"customer.id"', '"customer"', "layout.data.columns[5].path"),
        ('"customer.id"', '"customer.card"', "layout.data.columns[5].path"),
        ('"customer.id"', '"customer[0].id"', "layout.data.columns[5].path"),
        ('"customer.id"', '"sold_on"', "layout.data.columns[3].path"),
        ('kind = "unused"', 'kind = "unused", json_type = "string"', "layout.data.columns[5].json_type"),
        ('format = "YYYY-MM-DD"', 'format = "YYYY-MM-DD", json_type = "boolean"', "layout.data.columns[3].json_type"),
        ('json_type = "boolean"', 'json_type = "object"', "layout.data.columns[6].json_type"),
    ],
)
def test_a_layout_of_json_lines_is_refused_with_every_reason(old, new, path):
    source = json_text().replace(old, new, 1)
    assert path in [each for _line, each in problems(source)]


def test_the_line_of_a_wrong_path_is_told():
    source = json_text().replace('"customer.id"', '"customer id"')
    assert problems(source) == [(line_of(source, "customer id"), "layout.data.columns[0].path")]


def test_a_path_belongs_to_json_lines_alone():
    source = text().replace('kind = "date"', 'kind = "date", path = "a"')
    assert [path for _line, path in problems(source)] == ["layout.data.columns[4].path"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_always_has_its_mark_and_is_delimited(encoding):
    source = text(DELIMITED.replace("utf-8", encoding))
    assert toml.parse(source).layout.line_ending == "\n".encode(encoding)
    assert not toml.parse(source).is_cut_at_lines
    wrong = source.replace('line_ending = "lf"', 'line_ending = "lf"\nbyte_order_mark = "optional"')
    assert [path for _line, path in problems(wrong)] == ["layout.byte_order_mark"]
    assert "layout.encoding" in [path for _line, path in problems(source.replace('"delimited"', '"fixed"'))]
