"""Files of JSON Lines: what is taken, and what each line that is not is told, with the byte at which it was seen."""

import io
import json
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import DataReader, Row
from ingestion_app.checks.rules import Seen
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.json_lines import JsonLinesFormat
from ingestion_app.formats.json_text import read_object
from ingestion_app.formats.lines import Line
from tests.support.definitions import ROLES
from tests.support.json_definitions import COLUMNS, GOOD, definition

USING = definition()
ALLOWING = definition(more_layout='unknown_names = "allowed"\n')


def examined(content: bytes, using: Definition = USING) -> tuple[Examination, list[Row], list[Seen]]:
    examination = Examination(io.BytesIO(content), using, business_date=date(2017, 1, 31), sequence=1)
    rows, seen = [], []
    for each in examination.rows():
        if isinstance(each, Row):
            rows.append(each)
        elif each.rule != "control.none":
            seen.append(each)
    return examination, rows, seen


def told(content: bytes, using: Definition = USING) -> list[tuple[str, int, int, int]]:
    _examination, rows, seen = examined(content, using)
    assert not rows
    assert all(each.sentence() and each.remedy() for each in seen)
    return [(each.rule, each.line, each.column, each.offset) for each in seen]


def test_columns_are_what_stands_at_their_paths() -> None:
    content = (GOOD + "\n" + GOOD.replace("1001", "1002").replace(':7,"items', ':8,"items')).encode() + b"\n"
    _examination, rows, seen = examined(content)
    assert seen == []
    assert rows[0].values == ("1001", "7", -150, date(2017, 1, 5), "a", None, "false")
    assert [(row.line, row.offset, row.length, row.key, row.holder, row.amount) for row in rows] == [
        (1, 0, len(GOOD), "7", "1001", -150),
        (2, len(GOOD) + 1, len(GOOD), "8", "1002", -150),
    ]


@pytest.mark.parametrize(
    ("old", "new", "values"),
    [
        ('"memo":"a",', '"memo":null,', {4: None}),
        ('"memo":"a",', "", {4: None}),
        (',"is_test":false', "", {6: None}),
        (',"card":{"of":[1,2]}', "", {}),
        ('"a"', '"\\u9ad9\\u5cf6 \\ud842\\udf9f"', {4: "髙島 𠮟"}),
        ("7", "12345678901234567890", {1: "12345678901234567890"}),
        ("-1.5", "2", {2: 200}),
        ("{", " { ", {}),
        ('"of":[1,2]', '"of":' + "[" * 29 + "]" * 29, {}),
    ],
)
def test_what_may_differ_is_taken(old: str, new: str, values: dict[int, object]) -> None:
    _examination, rows, seen = examined(GOOD.replace(old, new, 1).encode() + b"\n")
    assert seen == []
    found = dict(enumerate(rows[0].values))
    assert {place: found[place] for place in values} == values


def at(fragment: str, line: str) -> int:
    return len(line[: line.index(fragment)].encode())


# What is put in the place of what; the rule, its column, and behind which fragment of the line it is seen (None: at its beginning).
FAULTS: dict[str, tuple[str, str, str, int, str | None]] = {
    "no JSON": ('"memo":"a"', '"memo":a', "line.json_invalid", 0, 'a,"is'),
    "single quotes": ('"a"', "'a'", "line.json_invalid", 0, "'a'"),
    "behind a character of three bytes": ('"memo":"a"', '"memo":"髙",', "line.json_invalid", 0, ',"is_test'),
    "two objects": ("false}", "false}{}", "line.json_invalid", 0, "{}"),
    "a leading zero": (":7,", ":07,", "line.json_invalid", 0, "7,"),
    "a plus": (":7,", ":+7,", "line.json_invalid", 0, "+7"),
    "not closed": ("false}", "false", "line.json_not_closed", 0, ""),
    "NaN": ("-1.5", "NaN", "line.json_constant", 0, "NaN"),
    "infinite": ("-1.5", "-Infinity", "line.json_constant", 0, "-Infinity"),
    "a name twice": ('"memo":"a"', '"memo":"a","m\\u0065mo":"a"', "line.json_name_twice", 0, None),
    "a name twice where nothing is read": ('"of":[1,2]', '"of":[{"a":1,"a":1}]', "line.json_name_twice", 0, None),
    "an unknown name": ('"memo"', '"note"', "line.json_name_unknown", 0, None),
    "an unknown name below": ('"id":', '"name":"x","id":', "line.json_name_unknown", 0, None),
    "an element that no column names": ("[{", '[{"price":-1.5},{', "line.json_name_unknown", 0, None),
    "too deep": ('"of":[1,2]', '"of":' + "[" * 31 + "]" * 31, "line.json_deep", 0, "[[]]"),
    "half a character": ('"a"', '"\\ud842x"', "line.json_half_character", 0, "\\ud842"),
    "half a character in a name": ('"of"', '"\\udf9f"', "line.json_half_character", 0, "\\udf9f"),
    "no object": (GOOD, "[1]", "line.json_no_object", 0, None),
    "null": ('"1001"', "null", "record.json_null", 1, None),
    "nothing": ('"id":"1001",', "", "record.json_absent", 1, None),
    "null where an object should be": ('{"id":"1001","card":{"of":[1,2]}}', "null", "record.json_null", 1, None),
    "a number for a text": ('"1001"', "1001", "record.json_type", 1, None),
    "a text for a number": (":7,", ':"7",', "record.json_type", 2, None),
    "an object for an array": ('[{"price":-1.5}]', '{"price":-1.5}', "line.json_name_unknown", 0, None),
    "no element": ('[{"price":-1.5}]', "[]", "record.json_absent", 3, None),
    "a boolean for a text": ('"a"', "true", "record.json_type", 5, None),
    "a truth that is not allowed": ("false", "true", "record.value_unknown", 7, None),
    "an exponent": ("-1.5", "-15e-1", "record.amount_written_otherwise", 3, None),
    "too many decimals": ("-1.5", "-1.500", "record.amount_written_otherwise", 3, None),
    "a control character": ('"a"', '"a\\u0000"', "record.text_control_character", 5, None),
    "an empty identifier": ('"1001"', '""', "record.identifier_invalid", 1, None),
    "a raw tab": ('"a"', '"a\tb"', "line.json_invalid", 0, "\tb"),
    "a card number in escapes": ('"a"', '"\\u0034111 1111 1111 1111"', "record.card_number", 5, None),
    "a card number that was hidden": (":7,", ":############1111,", "record.card_number", 0, "####"),
    "a replacement character": ('"a"', '"\ufffd"', "record.text_control_character", 5, None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_with_its_place(name: str) -> None:
    old, new, rule, column, fragment = FAULTS[name]
    line = GOOD.replace(old, new, 1)
    offset = 0 if fragment is None else len(line.encode()) if not fragment else at(fragment, line)
    before = GOOD.replace('"slip.no":7', '"slip.no":1') + "\n"
    examination, rows, seen = examined((before + line + "\n").encode())
    assert [row.line for row in rows] == [1]
    assert [(each.rule, each.line, each.column, each.offset) for each in seen] == [(rule, 2, column, len(before) + offset)]
    assert (examination.received_count, examination.bad_count) == (2, 1)
    assert all(each.sentence() and each.remedy() for each in seen)


def test_files_that_are_no_text_of_the_layout_are_told_once() -> None:
    good = GOOD.encode() + b"\n"
    assert [rule for rule, *_at in told(GOOD.encode("utf-16"))] == ["file.byte_order_mark"]
    _examination, rows, seen = examined(b"\xef\xbb\xbf" + good)
    assert ([each.rule for each in seen], len(rows)) == (["file.byte_order_mark"], 1)
    assert examined(b"\xef\xbb\xbf" + good, definition(more_layout='byte_order_mark = "optional"\n'))[2] == []
    assert told(good.replace(b'"a"', b'"\xed\xa0\x80"')) == [("line.undecodable", 1, 0, good.index(b'"a"') + 1)]
    assert [rule for rule, *_at in told(good.replace(b'"a"', "髙島屋の店".join('""').encode("cp932")))] == [
        "file.encoding_foreign"
    ]
    assert told(b"\n" + good[:-1])[0][0] in {"line.cut_off", "line.blank"}
    assert told(good[:-1]) == [("line.cut_off", 1, 0, 0)]


def test_unknown_names_are_left_where_the_source_allows_them() -> None:
    line = GOOD.replace('"memo"', '"note":[{"x":null}],"memo"')
    _examination, rows, seen = examined(line.encode() + b"\n", ALLOWING)
    assert (seen, rows[0].values[4]) == ([], "a")
    assert [rule for rule, *_at in told(line.replace("null", '1,"x":1').encode() + b"\n", ALLOWING)] == ["line.json_name_twice"]


@pytest.mark.parametrize("text", ["[" * 500_000, '{"a":' * 200_000, "[" * 40 + '"]]]]]]]]]]', '"' * 500_000, "\\" * 500_000])
def test_no_line_is_too_much_to_be_refused(text: str) -> None:
    fault = read_object(text)
    assert isinstance(fault, Fault)
    assert fault.rule in {"line.json_deep", "line.json_invalid"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"a":"' + '\\"' * 20_000 + "[" * 40, "line.json_invalid"),
        ('{"a":":' + " " * 20_000 + '","b":############1111}', "record.card_number"),
        ('{"b":' + " " * 20_000 + "############1111}", "record.card_number"),
        ('{"b":[' + " " * 20_000 + "############1111}", "record.card_number"),
    ],
)
def test_how_long_a_line_takes_grows_with_its_length_and_not_with_its_square(text: str, rule: str) -> None:
    began = time.process_time()
    fault = read_object(text)
    assert isinstance(fault, Fault)
    assert fault.rule == rule
    assert time.process_time() - began < 1


@pytest.mark.parametrize("items", ["[1,234]", "[1, 234]", "[1,234,5]", "[1]", "[999]"])
def test_numbers_side_by_side_are_never_one_number_with_its_thousands(items: str) -> None:
    priced = COLUMNS.replace("items[0].price", "items[0]").replace("decimals = 2, point", 'thousands = ",", decimals = 2, point')
    # Written as most programs do, in the order of the columns.
    line = GOOD.replace('[{"price":-1.5}]', items).replace('{"of":[1,2]}', "5")
    _examination, rows, seen = examined(line.encode() + b"\n", definition(priced))
    if "," in items:
        assert [each.rule for each in seen] == ["line.json_name_unknown"]
    assert [row.amount for row in rows] == ([] if "," in items else [100 * int(items.strip("[]"))])


MARKED = {
    "data": 'marker = "sale"\n',
    "more_layout": 'marker_path = "head.type"\n',
    "types": """
[layout.header]
marker = "first"
columns = [{ name = "day", kind = "date", format = "YYYY-MM-DD" }, { name = "opening", kind = "amount", minimum = -100 }]
[layout.trailer]
marker = "last"
columns = [
  { name = "rows", path = "totals.rows", kind = "count" },
  { name = "closing", path = "totals.closing", kind = "amount", minimum = -1000000 },
]
""",
    "roles": ROLES
    + 'header_business_date = "day"\ntrailer_count = "rows"\nheader_opening_balance = "opening"\ntrailer_closing_balance = "closing"\n',
}
HEADER = '{"head":{"type":"first"},"day":"2017-01-31","opening":100}'
SALE = '{"head":{"type":"sale"},' + GOOD[1:]
TRAILER = '{"head":{"type":"last"},"totals":{"rows":1,"closing":-50}}'


def test_a_marker_by_path_tells_header_and_trailer_and_their_controls() -> None:
    using = definition(**MARKED)
    whole = f"{HEADER}\n{SALE}\n{TRAILER}\n"
    assert [len(each) if isinstance(each, list) else 0 for each in examined(whole.encode(), using)] == [0, 1, 0]
    at_trailer = len(f"{HEADER}\n{SALE}\n")
    for old, new, found in (
        ('"rows":1', '"rows":2', [("control.count_differs", 3, 1, at_trailer)]),
        ('"closing":-50', '"closing":50', [("control.balance_differs", 3, 2, at_trailer)]),
        ('"day":"2017-01-31"', '"day":"2017-01-30"', [("control.header_business_date_differs", 1, 1, 0)]),
        ('"opening":100', '"opening":"100"', [("record.json_type", 1, 2, 0)]),
        ('"totals":{"rows":1,', '"totals":{"row":1,', [("line.json_name_unknown", 3, 0, at_trailer)]),
    ):
        seen = examined(whole.replace(old, new).encode(), using)[2]
        assert [(each.rule, each.line, each.column, each.offset) for each in seen] == found
    for old, new, rule in (
        ('"sale"', '"sales"', "line.json_marker_unknown"),
        ('{"head":{"type":"sale"},', "{", "line.json_marker_unknown"),
        ('"sale"', "sale", "line.json_invalid"),
        ('"sale"', "5", "line.json_marker_unknown"),
    ):
        rules = [each.rule for each in examined(whole.replace(old, new).encode(), using)[2]]
        assert rules == [rule, "control.count_differs", "control.balance_differs", "file.no_records"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**16), 10**16)
    | st.sampled_from(["1001", "2017-01-05", "a", "", "false", "x\ny", "髙"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "price", "card", "of", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)
PATHS = st.sampled_from(
    [("customer",), ("customer", "id"), ("slip.no",), ("items",), ("items", 0), ("sold_on",), ("memo",), ("is_test",), ("new",)]
)


@given(st.lists(st.tuples(PATHS, VALUES), max_size=2), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_quick_and_careful_reading_agree(changes, separators, is_ascii) -> None:
    value = json.loads(GOOD)
    for path, new in changes:
        holder = value
        for step in path[:-1]:
            holder = holder[step] if isinstance(holder, dict) and step in holder else {}
        fits = isinstance(path[-1], int) and bool(holder) if isinstance(holder, list) else isinstance(holder, dict)
        if fits:
            holder[path[-1]] = new
    content = json.dumps(value, separators=separators, ensure_ascii=is_ascii).encode()
    for using in (USING, ALLOWING):
        reader = DataReader(JsonLinesFormat(using.layout), using)
        quick = reader.quick(content + b"\n", 5, 70)
        line = Line(5, 70, content, b"\n", len(content) + 1, is_too_long=False)
        careful = reader.careful(line)
        if quick is not None:
            assert careful == (quick, [], quick.amount)
        elif careful[0] is not None:
            # Only what is not there, or stands where a list should, is left to the careful way.
            assert changes
