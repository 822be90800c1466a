"""Definitions of BAI2, of sections and of sums told at every level: what is refused, with line and path."""

import pytest

from ingestion_app.formats import toml
from tests.support import bai2
from tests.support.bai2 import OWN
from tests.support.definitions import line_of, problems

SECTIONS = "section_groups = "


def test_a_layout_that_is_written_out_reads_as_the_one_that_is_ready_made():
    own, ready = toml.parse(OWN), toml.parse(bai2.SOURCE)
    assert own.layout == ready.layout
    assert own.roles == ready.roles
    assert own.layout.near(bai2.DAY) == own.layout


# What is written, what stands there instead, the path of the refusal, and what its line holds.
REFUSED = {
    "no groups": ("groups = true\n", "", "layout.groups", "[layout]"),
    "another marker": ('marker = "16"', 'marker = "17"', "layout.data.marker", 'marker = "17"'),
    "a field too few": ('  { name = "valued_at", kind = "unused" },\n', "", "layout.data.columns", "columns = ["),
    "a summary before the account": (
        'kind = "identifier", width = 34',
        'kind = "amount", summary = "010"',
        "layout.header.columns",
        "columns = [",
    ),
    "a summary of a transaction": (
        'name = "value", kind = "amount",',
        'name = "value", kind = "amount", summary = "010",',
        "layout.data.columns",
        "columns = [",
    ),
    "a summary that is no amount": (
        'name = "currency", kind = "identifier", width = 3, optional = true },',
        'name = "currency", kind = "identifier", width = 3, optional = true, summary = "010" },',
        "layout.header.columns[1].summary",
        "summary",
    ),
    "a code that is none": ('summary = "all"', 'summary = "10"', "layout.header.columns[2].summary", 'summary = "10"'),
    "a delimiter": ('format = "bai2"', 'format = "bai2"\ndelimiter = ","', "layout.delimiter", "delimiter"),
    "an encoding of two bytes": ('encoding = "utf-8"', 'encoding = "utf-16-le"', "layout.encoding", "utf-16-le"),
    "directions that overlap": ('"400-699"', '"399-699"', "layout.data.computed[0].signs[0].negative", "399-699"),
    "a span that goes back": ('"400-699"', '"699-400"', "layout.data.computed[0].signs[0].negative", "699-400"),
    "a sum that no level says": (
        ', trailer = "total", section = "total", end = "total"',
        "",
        "roles.nested_sum.trailer",
        "nested_sum",
    ),
    "a sum of a count": ('of = "value", header', 'of = "type", header', "roles.nested_sum.of", "nested_sum"),
    "a sum said by a count": ('section = "total"', 'section = "accounts"', "roles.nested_sum.section", "nested_sum"),
    "groups counted by an amount": ('section_groups = "accounts"', 'section_groups = "total"', "roles.section_groups", SECTIONS),
    "records counted by nothing": (
        'trailer_lines = "records"',
        'trailer_lines = "lines"',
        "roles.trailer_lines",
        "trailer_lines",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_pass_is_refused_by_path_and_line(name):
    old, new, path, fragment = REFUSED[name]
    assert old in OWN
    text = OWN.replace(old, new, 1)
    found = problems(text)
    assert path in [each for _line, each in found], found
    line = next(line for line, each in found if each == path)
    assert fragment in text.splitlines()[line - 1], text.splitlines()[line - 1]


@pytest.mark.parametrize("name", ["file_header", "section_header", "trailer", "section_trailer", "end"])
def test_every_record_type_of_the_standard_has_to_be_there(name):
    before, _table, behind = OWN.partition(f"[layout.{name}]\n")
    text = before + behind[behind.index("]\n\n") + 3 :] if "]\n\n" in behind else before
    assert f"layout.{name}" in {path for _line, path in problems(text)}


def test_sections_go_with_groups_alone_and_both_of_their_records():
    lone = bai2.DELIMITED.replace("[layout.trailer]", "[layout.section_header]\nmarker = 'B'\ncolumns = []\n[layout.trailer]")
    assert {path for _line, path in problems(lone)} == {"layout.section_trailer"}
    flat = lone.replace("groups = true\n", "") + ""
    assert "layout.section_header" in {path for _line, path in problems(flat)}
    text = bai2.DELIMITED.replace('trailer_count = "count"', 'trailer_count = "count"\nsection_groups = "count"')
    assert problems(text) == [(line_of(text, SECTIONS), "roles.section_groups")]
    text = bai2.DELIMITED.replace('trailer_count = "count"', 'trailer_count = "count"\nend_sections = "count"')
    assert (line_of(text, "end_sections"), "roles.end_sections") in problems(text)
