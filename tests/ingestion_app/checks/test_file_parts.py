"""A file that is read in parts comes to what the whole comes to, or is not read in parts: whatever stands in its lines, in any layout."""

import io
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Elsewhere, Examination, NotPlain
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import Seen
from ingestion_app.formats.definition import Definition
from tests.support.definitions import COLUMNS, DELIMITED, NO_CONTROLS, ROLES, definition

DAY = date(2017, 1, 31)
TRAILER = '[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "count", kind = "count" }]\n'
COUNTED = ROLES + 'trailer_count = "count"\n'
MARKED = 'marker = "D"\n'
FIXED = """
[layout]
format = "fixed"
encoding = "cp932"
line_ending = "lf"
"""
OF_BYTES = """
  { name = "member", kind = "identifier", bytes = 4 }, { name = "shop", kind = "identifier", bytes = 2 },
  { name = "slip", kind = "identifier", bytes = 2, padding = { side = "right", with = " " } },
  { name = "amount", kind = "amount", bytes = 4, padding = { side = "left", with = "0" }, minimum = -999 },
  { name = "sold_on", kind = "date", bytes = 8, format = "YYYYMMDD" },
"""
LINE_KEY = ROLES.replace('["slip"]', '["slip", "@line", "@business_date", "@sequence"]')
ROW = "1001,31,s{},150,2017-01-05"
HEAD = b"member,shop,slip,amount,sold_on\n"

LAYOUTS: dict[str, tuple[Definition, bytes, str]] = {
    "rows": (definition(), b"", ROW),
    "rows and a trailer": (definition(types=TRAILER, roles=COUNTED), b"", ROW),
    "marked rows": (definition(data=MARKED, types=TRAILER, roles=COUNTED), b"", "D," + ROW),
    "a header row": (definition(more_layout='header_row = "in order"'), HEAD, ROW),
    "a preamble": (definition(more_layout='preamble_lines = 2\nheader_row = "any order"'), b'Bank "X\n\n' + HEAD, ROW),
    "a delimiter behind": (definition(more_layout="trailing_delimiter = true"), b"", ROW + ","),
    "named by lines": (definition(roles=LINE_KEY + NO_CONTROLS), b"", ROW),
    "no last ending": (definition(more_layout='final_ending = "optional"\nend_of_file_mark = true'), b"", ROW),
    "tabs": (definition(DELIMITED.replace('","', r'"\t"')), b"", ROW.replace(",", "\t")),
    "fixed width": (definition(FIXED, columns=OF_BYTES), b"", "100131s{}015020170105"),
}
ODD = [
    b"",
    b"  ",
    b"\t",
    b"x",
    b"T,3",
    b"T,3,",
    b"E",
    b'"',
    b"\x1a",
    b"\0",
    b"1001,31,s1,1x,2017-01-05",
    b"1001,31,s1,0,2017-01-05",
    b"#",
    b"\xff",
]


def found(examination: Examination, parts: Sequence[Elsewhere] = ()) -> tuple[list[Row], list[Seen]]:
    yielded = list(examination.rows(parts))
    return [each for each in yielded if isinstance(each, Row)], [each for each in yielded if isinstance(each, Seen)]


def counted(examination: Examination) -> tuple[object, ...]:
    names = (
        "received_count",
        "received_sum",
        "bad_count",
        "bad_sum",
        "bad_sum_known",
        "zero_count",
        "file_errors",
        "trailer_count",
    )
    return tuple(getattr(examination, name) for name in names)


def examining(content: bytes, using: Definition) -> Examination:
    return Examination(io.BytesIO(content), using, business_date=DAY, sequence=1)


@pytest.mark.parametrize("name", LAYOUTS)
@given(data=st.data())
def test_parts_come_to_the_whole(name, data):
    using, head, row = LAYOUTS[name]
    assert using.is_cut_at_lines
    lines = [row.format(place % 10).encode() for place in range(data.draw(st.integers(2, 7)))]
    for _ in range(data.draw(st.integers(0, 2))):
        lines.insert(data.draw(st.integers(0, len(lines))), data.draw(st.sampled_from(ODD)))
    ended = [line + data.draw(st.sampled_from([b"\n"] * 6 + [b"\r\n"])) for line in lines]
    body = b"".join(ended)
    tail = b"T,3\n" if using.layout.trailer else b""
    content = head + body + tail[: data.draw(st.integers(0, len(tail)))]
    whole = examining(content, using)
    rows, seen = found(whole)

    bounds = [len(head), len(head) + len(b"".join(ended[: data.draw(st.integers(1, len(ended)))]))]
    middle = len(head) + len(ended[0])
    bounds = sorted({*bounds, min(middle, bounds[-1])})
    parts, of_parts, line = [], [], 1 + head.count(b"\n")
    for offset, end in pairwise(bounds):
        part, size = examining(content, using), content.count(b"\n", offset, end)
        try:
            of_parts += list(part.data_rows(line, offset, end))
        except NotPlain:
            return
        parts.append(part.elsewhere(offset, end, size))
        line += size
    rest = examining(content, using)
    rest_rows, rest_seen = found(rest, parts)
    assert [each for each in of_parts if isinstance(each, Row)] + rest_rows == rows
    by_place = lambda each: (each.line, each.column, each.rule)  # noqa: E731 - the order in which they are written
    assert sorted([*[each for each in of_parts if isinstance(each, Seen)], *rest_seen], key=by_place) == sorted(
        seen, key=by_place
    )
    assert counted(rest) == counted(whole)


def test_a_file_of_which_a_part_means_nothing_by_itself_is_not_read_in_parts():
    for more in ('comment = "#"', "quoted_newlines = true"):
        assert not definition(more_layout=more).is_cut_at_lines
    assert not definition(
        roles=ROLES.replace('["slip"]', '["slip", "@occurrence"]') + NO_CONTROLS, columns=COLUMNS
    ).is_cut_at_lines
