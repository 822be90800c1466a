"""Groups of a file: each is held to its own header and trailer, and the file to its end record."""

import io
from datetime import date

import pytest

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from tests.support import definitions
from tests.support.definitions import DELIMITED, HEAD, POSTING, line_of, problems
from tests.support.file_samples import codes, examine

COLUMNS = definitions.COLUMNS + '{ name = "kind", kind = "identifier", values = ["A", "B"] },'
TYPES = """
computed = [
  { name = "store", from_header = "store" },
  { name = "made", from_header = "made_on" },
]
[layout.header]
marker = "H"
columns = [{ name = "store", kind = "identifier", width = 10 }, { name = "made_on", kind = "date", format = "MMDD", year = "business_date" }]
[layout.trailer]
marker = "T"
columns = [
  { name = "store", kind = "identifier" }, { name = "count", kind = "count" },
  { name = "sum", kind = "amount", minimum = -1000000 }, { name = "a_count", kind = "count" }, { name = "a_sum", kind = "amount" },
]
[layout.end]
marker = "E"
columns = [
  { name = "groups", kind = "count" }, { name = "count", kind = "count" },
  { name = "sum", kind = "amount", minimum = -1000000 }, { name = "lines", kind = "count" },
]
"""
ROLES = """
[roles]
key = ["store", "slip"]
holder = "member"
holder_kind = "member_number"
amount = "amount"
trailer_count = "count"
trailer_sum = "sum"
same = ["store"]
by_value = [{ column = "kind", values = ["A"], count = "a_count", sum = "a_sum" }]
end_groups = "groups"
end_count = "count"
end_sum = "sum"
end_lines = "lines"
"""
DATA = '[layout.data]\nmarker = "D"\ncolumns = ['
FILE_HEADER = '[layout.file_header]\nmarker = "F"\ncolumns = [{ name = "sender", kind = "identifier", constant = "shop" }]\n'
TEXT = f"{HEAD}{DELIMITED}groups = true\n{DATA}{COLUMNS}]\n{TYPES}{ROLES}{POSTING}"
NESTED_TEXT = TEXT.replace("[layout.header]", f"{FILE_HEADER}[layout.header]")
USING, NESTED = toml.parse(TEXT), toml.parse(NESTED_TEXT)


def purchase(slip: str, amount: int, kind: str = "A") -> bytes:
    return f"D,1001,31,{slip},{amount},2017-01-05,{kind}\n".encode()


FIRST = [b"H,north,0131\n", purchase("s1", 150), purchase("s2", -50, "B"), b"T,north,2,100,1,150\n"]
SECOND = [b"H,south,0130\n", purchase("s1", 99), b"T,south,1,99,1,99\n"]
EMPTY = [b"H,west,1231\n", b"T,west,0,0,0,0\n"]
END = b"E,2,3,199,8\n"
WHOLE = [*FIRST, *SECOND, END]


def seen_in(lines: list[bytes], using: Definition = USING) -> list[tuple[str, int, object]]:
    """Return rule, line and group of all that is wrong with a file."""
    _examination, _rows, seen = examine(b"".join(lines), using)
    return [(each.rule, each.line, each.facts.get("group", 0)) for each in seen]


@pytest.mark.parametrize("using", [USING, NESTED], ids=["groups", "nested"])
def test_groups_are_read_with_what_their_header_says(using):
    before = [b"F,shop\n"] if using is NESTED else []
    end = b"E,2,3,199,9\n" if before else END
    examination, rows, seen = examine(b"".join([*before, *FIRST, *SECOND, end]), using)
    assert codes(seen) == []
    assert [(row.key, row.amount, *row.values[-2:]) for row in rows] == [
        ("north/s1", 150, "north", date(2017, 1, 31)),
        ("north/s2", -50, "north", date(2017, 1, 31)),
        ("south/s1", 99, "south", date(2017, 1, 30)),
    ]
    assert (examination.received_count, examination.received_sum) == (3, 199)
    assert (examination.trailer_count, examination.trailer_sum) == (3, 199)


def test_a_record_keeps_its_line_offset_and_bytes():
    content = b"".join(WHOLE)
    _examination, rows, _seen = examine(content, USING)
    assert [row.line for row in rows] == [2, 3, 6]
    for row in rows:
        assert content[row.offset : row.offset + row.length] == row.raw == WHOLE[row.line - 1].rstrip(b"\n")


BAD = {
    "a group without a trailer": (
        [*FIRST[:-1], *SECOND, END],
        [("line.group_trailer_missing", 1, 1), ("control.end_lines_differs", 7, 0)],
    ),
    "the last group without a trailer": (
        [*FIRST, *SECOND[:-1], END],
        [("line.group_trailer_missing", 5, 2), ("control.end_lines_differs", 7, 0)],
    ),
    "a file that ends in a group": ([*FIRST, *SECOND[:-1]], [("line.group_trailer_missing", 5, 2), ("file.end_missing", 0, 0)]),
    "a group without a header": (
        [*FIRST, *SECOND[1:], END],
        [
            ("line.group_header_missing", 6, 2),
            ("control.end_count_differs", 7, 0),
            ("control.end_sum_differs", 7, 0),
            ("control.end_lines_differs", 7, 0),
            ("line.outside_group", 5, 0),
        ],
    ),
    "no header at all": (
        [purchase("s1", 150), b"T,north,1,150,1,150\n", b"E,1,0,0,3\n"],
        [
            ("line.group_header_missing", 2, 1),
            ("control.end_lines_differs", 3, 0),
            ("line.outside_group", 1, 0),
            ("file.no_records", 0, 0),
        ],
    ),
    "records between groups": (
        [*FIRST, purchase("s8", 1), purchase("s9", 1), *SECOND, END],
        [("line.outside_group", 5, 0)],
    ),
    "trailers that changed places": (
        [*FIRST[:-1], SECOND[-1], *SECOND[:-1], FIRST[-1], END],
        [
            ("control.count_differs", 4, 1),
            ("control.sum_differs", 4, 1),
            ("control.by_value_sum_differs", 4, 1),
            ("control.trailer_of_another", 4, 1),
            ("control.count_differs", 7, 2),
            ("control.sum_differs", 7, 2),
            ("control.by_value_sum_differs", 7, 2),
            ("control.trailer_of_another", 7, 2),
            ("control.trailer_moved", 4, 1),
            ("control.trailer_moved", 7, 2),
        ],
    ),
    "a record that moved to another group": (
        [*FIRST[:2], FIRST[3], SECOND[0], FIRST[2], *SECOND[1:], END],
        [
            ("control.count_differs", 3, 1),
            ("control.sum_differs", 3, 1),
            ("control.count_differs", 7, 2),
            ("control.sum_differs", 7, 2),
        ],
    ),
    "another group's trailer with the same figures": (
        [*FIRST, *SECOND[:-1], SECOND[-1].replace(b"south", b"north"), END],
        [("control.trailer_of_another", 7, 2)],
    ),
    "an empty group": ([*FIRST, *SECOND, *EMPTY, b"E,3,3,199,10\n"], [("line.group_empty", 9, 3)]),
    "an end that says another number of groups": ([*FIRST, *SECOND, b"E,3,3,199,8\n"], [("control.end_groups_differs", 8, 0)]),
    "an end that says other totals": (
        [*FIRST, *SECOND, b"E,2,4,198,7\n"],
        [("control.end_count_differs", 8, 0), ("control.end_sum_differs", 8, 0), ("control.end_lines_differs", 8, 0)],
    ),
    "a total by value that differs": (
        [*FIRST[:-1], b"T,north,2,100,2,100\n", *SECOND, END],
        [("control.by_value_count_differs", 4, 1), ("control.by_value_sum_differs", 4, 1)],
    ),
    "a group that was lost": (
        [*FIRST, END],
        [
            ("control.end_groups_differs", 5, 0),
            ("control.end_count_differs", 5, 0),
            ("control.end_sum_differs", 5, 0),
            ("control.end_lines_differs", 5, 0),
        ],
    ),
    "a group behind the end": ([*WHOLE, *FIRST], [("line.after_end", 9, 0)]),
    "a header that cannot be read": (
        [b"H,north,0229\n", *FIRST[1:], *SECOND, END],
        [("record.date_invalid", 1, 1), ("record.header_unread", 2, 0)],
    ),
    "a record that cannot be read": (
        [*FIRST[:2], FIRST[2].replace(b"-50", b"x"), FIRST[3], *SECOND, END],
        [
            ("record.amount_invalid", 3, 1),
            ("control.sum_unverifiable", 4, 1),
            ("control.unverifiable", 4, 1),
            ("control.unverifiable", 4, 1),
            ("control.end_unverifiable", 8, 0),
        ],
    ),
    "a line of no type": ([*FIRST[:1], b"X,1\n", *FIRST[1:], *SECOND, END], [("line.unknown_type", 2, 1)]),
    "no end": ([*FIRST, *SECOND], [("file.end_missing", 0, 0)]),
    "nothing but an end": ([b"E,0,0,0,1\n"], [("file.header_missing", 0, 0), ("file.no_records", 0, 0)]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_group_is_told_with_its_line_and_number(name):
    lines, expected = BAD[name]
    assert seen_in(lines) == expected


def test_what_is_wrong_is_told_with_the_group():
    _examination, _rows, seen = examine(b"".join(BAD["trailers that changed places"][0]), USING)
    assert seen[0].sentence() == "Group 1: The trailer says 1 records; there are 2."
    assert seen[-1].sentence() == "The trailer of group 2 says what group 1 holds."


NESTED_BAD = {
    "no file header": ([*FIRST, *SECOND, END], [("file.header_missing", 0, 0)]),
    "another sender": (
        [b"F,other\n", *FIRST, *SECOND, b"E,2,3,199,9\n"],
        [("record.constant_differs", 1, 0)],
    ),
    "a file header between groups": (
        [b"F,shop\n", *FIRST, b"F,shop\n", *SECOND, b"E,2,3,199,10\n"],
        [("line.out_of_order", 6, 0)],
    ),
    "a file header in a group": (
        [b"F,shop\n", *FIRST[:1], b"F,shop\n", *FIRST[1:], *SECOND, b"E,2,3,199,10\n"],
        [("line.out_of_order", 3, 1)],
    ),
    "a day without groups": ([b"F,shop\n", b"E,0,0,0,2\n"], [("file.no_records", 0, 0)]),
    "records before the first group": (
        [b"F,shop\n", purchase("s9", 1), *FIRST, *SECOND, b"E,2,3,199,9\n"],
        [("line.outside_group", 2, 0)],
    ),
}


@pytest.mark.parametrize("name", NESTED_BAD)
def test_groups_stand_between_the_headers_and_the_end_of_their_file(name):
    lines, expected = NESTED_BAD[name]
    assert seen_in(lines, NESTED) == expected


def test_every_line_that_is_lost_doubled_or_moved_is_told():
    """Whichever line is taken out, doubled or put in another place: no such file passes, but whole groups that changed places."""
    assert seen_in(WHOLE) == []
    passed = []
    for number, line in enumerate(WHOLE):
        without = WHOLE[:number] + WHOLE[number + 1 :]
        others = [[*without[:place], line, *without[place:]] for place in range(len(WHOLE)) if place != number]
        doubled = [*WHOLE[: number + 1], *WHOLE[number:]]
        passed += [lines for lines in (without, doubled, *others) if not _refused(lines)]
    # Records of one group in another order are the same records.
    assert [sorted(lines) for lines in passed] == [sorted(WHOLE)] * len(passed)
    assert {b"".join(lines) for lines in passed} == {b"".join([FIRST[0], FIRST[2], FIRST[1], *WHOLE[3:]])}


def _refused(lines: list[bytes]) -> bool:
    examination, _rows, _seen = examine(b"".join(lines), USING)
    return bool(examination.file_errors or examination.record_errors)


def test_a_file_cut_anywhere_is_refused():
    content = b"".join(WHOLE)
    assert [end for end in range(len(content)) if not _refused([content[:end]])] == []


def test_header_columns_go_without_groups_as_well():
    text = TEXT.replace("groups = true\n", "").replace('same = ["store"]\n', "").replace('end_groups = "groups"\n', "")
    using = toml.parse(text)
    assert not using.is_cut_at_lines
    _examination, rows, seen = examine(b"".join([*FIRST, b"E,0,2,100,5\n"]), using)
    assert codes(seen) == []
    assert [row.key for row in rows] == ["north/s1", "north/s2"]


def test_as_many_groups_as_there_are_take_no_more_memory():
    """What is remembered of groups is bounded, also where every trailer is another's."""
    groups = 3000
    lines = [b"H,north,0131\nD,1001,31,s%d,1,2017-01-05,A\nT,north,%d,1,1,1\n" % (number, number) for number in range(groups)]
    examination = Examination(io.BytesIO(b"".join(lines)), USING, business_date=date(2017, 1, 31), sequence=1)
    rows = sum(isinstance(each, Row) for each in examination.rows())
    assert rows == groups
    assert len(examination._control_records._differences._kept) == 1000


REFUSED = [
    ("groups = true", 'groups = "yes"', "layout.groups"),
    ("groups = true\n", "", "roles.same"),
    ("groups = true\n", "", "roles.end_groups"),
    ('from_header = "store"', 'from_header = "shop"', "layout.data.computed[0].from_header"),
    ('{ name = "store", from_header = "store" }', '{ name = "slip", from_header = "store" }', "layout.data.computed[0].name"),
    ('from_header = "store"', 'from_header = "store", of = "amount"', "layout.data.computed[0].name"),
    ('from_header = "store"', 'from_header = "store", kind = "text"', "layout.data.computed[0].kind"),
    ('year = "business_date"', 'year = "2017"', "layout.header.columns[1].year"),
    (', year = "business_date"', "", "layout.header.columns[1].year"),
    ('same = ["store"]', 'same = ["count"]', "roles.same"),
    ('end_sum = "sum"', 'end_sum = "count"', "roles.end_sum"),
    ('end_lines = "lines"', 'end_lines = "pages"', "roles.end_lines"),
    ('values = ["A"]', 'values = ["C"]', "roles.by_value[0].values"),
    ('column = "kind"', 'column = "amount"', "roles.by_value[0].column"),
    (', count = "a_count", sum = "a_sum"', "", "roles.by_value[0].count"),
    ('count = "a_count"', 'count = "a_sum"', "roles.by_value[0].count"),
    ('a_sum" }]', 'a_sum", of = "kind" }]', "roles.by_value[0].of"),
]


@pytest.mark.parametrize(("old", "new", "path"), REFUSED)
def test_a_definition_that_cannot_be_meant_is_refused(old, new, path):
    assert path in {found for _line, found in problems(TEXT.replace(old, new, 1))}


def test_a_file_header_belongs_to_groups():
    text = NESTED_TEXT.replace("groups = true\n", "").replace('same = ["store"]\n', "").replace('end_groups = "groups"\n', "")
    assert problems(text) == [(line_of(text, "[layout.file_header]"), "layout.file_header")]
    missing = TEXT.replace("[layout.trailer]", "[layout.tail]")
    assert {"layout.trailer", "layout.tail"} <= {path for _line, path in problems(missing)}
