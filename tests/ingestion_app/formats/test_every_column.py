"""Every way in which senders write a column, from its definition to its value: what is read, what is refused, and what a definition may not say."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ingestion_app.formats import toml
from tests.support import definitions
from tests.support.definitions import DELIMITED, line_of, problems
from tests.support.file_samples import examine

# What is asked of an amount: its keys, texts with their values, texts that are refused.
AMOUNTS = {
    "minor units": ("", {"0": 0, "1234": 1234, "-5": -5}, ["1.0", "+1", "01", "1,234", "-0", "", " 1", "１", "1e3", "NaN"]),
    "major units with a point": (
        'decimals = 2, point = "."',
        {"12.34": 1234, "-0.05": -5, "0.00": 0},
        ["12", "12.3", "12,34", ".50"],
    ),
    "major units with a comma": ('decimals = 2, point = ","', {"12,34": 1234}, ["12.34", "1.234,50"]),
    "fewer decimals": ('decimals = 2, point = ".", fewer_decimals = true', {"12": 1200, "12.5": 1250}, ["12.", "12.345"]),
    "thousands": ('decimals = 2, point = ".", thousands = ","', {"1,234.50": 123450, "12.50": 1250}, ["1234.50", "12,34.50"]),
    "thousands with a point": ('decimals = 2, point = ",", thousands = "."', {"1.234,50": 123450}, ["1,234.50"]),
    "thousands with a blank": ('thousands = " "', {"1 234": 1234}, ["1234", "1,234"]),
    "an assumed decimal": ('decimals = 2, point = "none"', {"1234": 1234, "005": 5}, ["12.34"]),
    "decimals that the unit has not": ('decimals = 2, point = ".", minor_digits = 0', {"12.00": 12}, ["12.50"]),
    "sign behind": ('decimals = 2, point = ".", sign = "trailing"', {"12.50-": -1250, "12.50": 1250}, ["-12.50", "12.50+"]),
    "sign by parentheses": ('sign = "parentheses"', {"(12)": -12, "12": 12}, ["-12", "(12", "12)"]),
    "plus or minus": ('sign = "leading", plus = true', {"+12": 12, "-12": -12, "12": 12, "-0": 0}, ["12+", "++1"]),
    "no sign": ('sign = "none"', {"12": 12}, ["-12", "+12"]),
    "zeros in front": ('padding = { side = "left", with = "0" }', {"0012": 12, "-0012": -12, "000": 0}, ["", "12 "]),
    "blanks behind": ('padding = { side = "right", with = " " }', {"12  ": 12}, ["  12"]),
}
# The same of dates and instants.
D = date(2017, 1, 5)
I = datetime(2017, 1, 5, 1, 2, 3, tzinfo=UTC)  # noqa: E741 - an instant
MOMENTS = {
    "YYYYMMDD": ('kind = "date", format = "YYYYMMDD"', {"20170105": D}, ["20170230", "2017-01-05", "170105", "00000000", ""]),
    "YYYY-MM-DD": ('kind = "date", format = "YYYY-MM-DD"', {"2017-01-05": D}, ["20170105", "2017-1-5"]),
    "YYYY/M/D": ('kind = "date", format = "YYYY/M/D"', {"2017/1/5": D}, ["2017/01/05", "2017/1/32"]),
    "DD.MM.YYYY": ('kind = "date", format = "DD.MM.YYYY"', {"05.01.2017": D}, ["01.13.2017", "5.1.2017"]),
    "MM/DD/YYYY": ('kind = "date", format = "MM/DD/YYYY"', {"01/05/2017": D}, ["13/05/2017"]),
    "DDMMYYYY": ('kind = "date", format = "DDMMYYYY"', {"05012017": D}, ["01132017"]),
    "MMDDYY": ('kind = "date", format = "MMDDYY", century = 2000', {"010517": D}, ["130517"]),
    "YYMMDD": ('kind = "date", format = "YYMMDD", century = 2000', {"170105": D}, ["171305"]),
    "year, month and day in Japanese": ('kind = "date", format = "YYYY年M月D日"', {"2017年1月5日": D}, ["2017年01月05日"]),
    "era by its letter": ('kind = "date", format = "E.YY.MM.DD", era = "heisei"', {}, []),
    "era by the file's day": ('kind = "date", format = "YYMMDD", era = "business_date"', {"290105": D}, ["170105"]),
    "the year by the file's day": ('kind = "date", format = "MMDD", year = "business_date"', {"0105": D}, ["0229", "1301"]),
    "Julian day": ('kind = "date", format = "YYYYDDD"', {"2017005": D}, ["2017366", "2017000"]),
    "Julian day of a short year": ('kind = "date", format = "YYDDD", century = 2000', {"17005": D}, ["17366"]),
    "a time without separators": (
        'kind = "instant", format = "YYYYMMDDHHMMSS", zone = "Asia/Tokyo"',
        {"20170105100203": I},
        ["20170105240000", "20170105106000", "201701051002"],
    ),
    "a time in UTC": ('kind = "instant", format = "YYYY-MM-DDTHH:MM:SSZ"', {"2017-01-05T01:02:03Z": I}, ["2017-01-05T01:02:03"]),
    "a time with its offset": (
        'kind = "instant", format = "YYYY-MM-DDTHH:MM:SS+HH:MM"',
        {"2017-01-05T10:02:03+09:00": I, "2017-01-04T20:02:03-05:00": I},
        ["2017-01-05T10:02:03Z", "2017-01-05T10:02:03+0900"],
    ),
    "a time with fractions": (
        'kind = "instant", format = "YYYYMMDDHHMMSSfff+HHMM"',
        {"20170105100203000+0900": I},
        ["20170105100203+0900"],
    ),
}
MOMENTS["era by its letter"] = ('kind = "date", format = "EYYMMDD"', {"H290105": D}, ["H310601", "X290105", "R000105", "290105"])
TEXTS = {
    "a constant": ('kind = "identifier", constant = "A"', {"A": "A"}, ["B", "a", ""]),
    "an enumeration": ('kind = "identifier", values = ["A", "B"]', {"A": "A", "B": "B"}, ["C", "a", "A "]),
    "a pattern": ('kind = "identifier", pattern = "[A-Z]{2}\\\\d{3}"', {"AB123": "AB123"}, ["AB12", "ab123", "AB1234"]),
    "optional": ('kind = "identifier", optional = true', {"": None, "A": "A"}, [" "]),
    "optional with a default": ('kind = "identifier", optional = true, default = "0"', {"": "0", "A": "A"}, [" "]),
    "texts that mean nothing": (
        'kind = "date", format = "YYYYMMDD", optional = true, empty = ["00000000"]',
        {"00000000": None},
        ["0"],
    ),
    "an amount that may be missing": ('kind = "amount", optional = true', {"": None, "5": 5}, ["-"]),
    "never trimmed": ('kind = "text"', {" A ": " A "}, ["", "A\u200b", "A\u202e", "\ue000"]),
    "a number of things": ('kind = "count"', {"0": 0, "12": 12}, ["-1", "012", "1.0"]),
}
CASES: dict[str, Any] = {  # of a name: what is said, values by what is written, and what is refused
    **{f"amount: {name}": (f'kind = "amount", minimum = -1000000{", " if said else ""}{said}', *rest) for name, (said, *rest) in AMOUNTS.items()},
    **{f"moment: {name}": case for name, case in MOMENTS.items()},
    **{f"text: {name}": case for name, case in TEXTS.items()},
}  # fmt: skip
COLUMNS = """
  {{ name = "member", kind = "identifier" }}, {{ name = "slip", kind = "identifier", width = 20 }},
  {{ name = "amount", kind = "amount" }}, {{ name = "sold_on", kind = "date", format = "YYYY-MM-DD" }},
  {{ name = "asked", {said} }},
"""


def source(said: str, computed: str = "", more: str = "") -> str:
    layout = DELIMITED.replace('","', '";"')
    columns = COLUMNS.format(said=said) + more
    return definitions.text(layout, columns=columns + ("]\ncomputed = [" + computed if computed else ""))


def values(using: str, texts: list[str], place: int = 4) -> tuple[list[object], list[str]]:
    """Return the values of a column of well-formed records, and the rules that the others break."""
    content = "".join(f"1001;s{number};150;2017-01-05;{text}\n" for number, text in enumerate(texts)).encode()
    _examination, rows, seen = examine(content, toml.parse(using))
    return [row.values[place] for row in rows], [each.rule for each in seen if each.severity == "error"]


@pytest.mark.parametrize("name", CASES)
def test_a_column_is_read_as_its_source_says_and_in_no_other_way(name):
    said, good, bad = CASES[name]
    using = source(said)
    assert values(using, list(good)) == (list(good.values()), [])
    for text in bad:
        found, rules = values(using, [text])
        assert (found, len(rules)) == ([], 1), text
        assert rules[0].startswith("record.")


SIDES = '{ name = "in", kind = "amount", optional = true }, { name = "side", kind = "identifier", optional = true },'
# A computed column, what stands in asked, in and side, and its value; or the rule that is broken.
COMPUTED: dict[str, Any] = {
    "two columns": (
        'plus = "asked", minus = "in"',
        'kind = "amount", optional = true',
        {"5;;": 5, ";5;": -5, "5;0;": 5},
        {";;": "record.sides_unclear", "5;5;": "record.sides_unclear"},
    ),
    "debit or credit": (
        'of = "asked", signs = [{ column = "side", positive = ["C"], negative = ["D"] }]',
        'kind = "amount"',
        {"5;;C": 5, "5;;D": -5},
        {"5;;X": "record.sign_unknown", "5;;": "record.sign_unknown"},
    ),
    "a reversal flag": (
        'of = "asked", signs = [{ column = "side", positive = [""], negative = ["R"] }]',
        'kind = "amount"',
        {"5;;": 5, "5;;R": -5},
        {"5;;r": "record.sign_unknown"},
    ),
    "a direction by a range of codes": (
        'of = "amount", signs = [{ column = "asked", positive = ["100-399", "890"], negative = ["400-699"] }]',
        'kind = "count"',
        {"100;;": 150, "399;;": 150, "400;;": -150, "699;;": -150, "890;;": 150},
        {"99;;": "record.sign_unknown", "700;;": "record.sign_unknown"},
    ),
    "only some": (
        'of = "asked", only = { column = "side", values = ["0"] }',
        'kind = "amount"',
        {"5;;0": 5, "5;;1": 0},
        {"x;;0": "record.amount_invalid"},
    ),
    "joined": (
        'joined = ["slip", "asked"], kind = "identifier", between = "-"',
        'kind = "identifier", width = 20',
        {"A;;": "s0-A", "9;;": "s0-9"},
        {";;": "record.identifier_invalid"},
    ),
    "a moment joined": (
        'joined = ["member", "asked"], kind = "date", format = "YYYYMMDD"',
        'kind = "identifier"',
        {},
        {"0105;;": "record.date_invalid"},
    ),
    "a part": (
        'part_of = "asked", first = 3, last = 5, kind = "identifier"',
        'kind = "text", width = 20',
        {"12ABC67;;": "ABC", "12ABC;;": "ABC"},
        {"12AB;;": "record.part_missing", "12A C;;": "record.identifier_invalid"},
    ),
    "a part to the end": ('part_of = "asked", first = 3, kind = "text"', 'kind = "text", width = 20', {"12ABC;;": "ABC"}, {"12;;": "record.part_missing"}),
    "a part that may be missing": (
        'part_of = "asked", first = 3, last = 4, optional = true, kind = "count"',
        'kind = "text", optional = true',
        {"ab12;;": 12, "ab1;;": None, ";;": None},
        {"ab1x;;": "record.count_invalid"},
    ),
    "a date in a part": (
        'part_of = "asked", first = 3, last = 10, kind = "date", format = "YYYYMMDD"',
        'kind = "text"',
        {"ab20170105;;": D},
        {"ab20170230;;": "record.date_invalid"},
    ),
    "cards are looked for in what is joined": (
        'joined = ["asked", "slip"], kind = "text"',
        'kind = "text"',
        {"411111111111;;": "411111111111s0"},
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPUTED)
def test_a_column_is_made_of_others_as_its_source_says(name):
    made, said, good, bad = COMPUTED[name]
    using = source(said, f'{{ name = "made", {made} }}', SIDES)
    for text, value in good.items():
        assert values(using, [text], 7) == ([value], []), text
    for text, rule in bad.items():
        assert values(using, [text], 7) == ([], [rule]), text


def test_two_texts_that_make_a_card_number_together_are_refused():
    made = '{ name = "made", joined = ["asked", "side"], kind = "identifier" }'
    side = SIDES.replace('"side", kind = "identifier", optional = true', '"side", kind = "identifier", width = 20')
    using = source('kind = "identifier", width = 20', made, side)
    assert values(using, ["41111111;;11111111"], 7) == ([], ["record.card_number"])
    trusted = using.replace('"asked", kind = "identifier"', '"asked", may_look_like_card = true, kind = "identifier"')
    assert values(trusted, ["41111111;;11111111"], 7) == (["4111111111111111"], [])


def test_the_number_of_the_line_and_the_occurrence_name_records():
    using = source('kind = "text"').replace('key = ["slip"]', 'key = ["member", "amount", "@occurrence"]')
    content = b"1001;s1;150;2017-01-05;A\n1001;s1;150;2017-01-05;A\n1001;s1;99;2017-01-05;A\n"
    _examination, rows, _seen = examine(content, toml.parse(using))
    assert [row.key for row in rows] == ["1001/150/1", "1001/150/2", "1001/99/1"]
    using = using.replace('"member", "amount", "@occurrence"', '"@business_date", "@sequence", "@line"')
    _examination, rows, _seen = examine(content, toml.parse(using))
    assert [row.key for row in rows] == [f"2017-01-31/1/{line}" for line in (1, 2, 3)]


@pytest.mark.parametrize(
    ("said", "made", "path"),
    [
        ('kind = "amount", decimals = 2', "", "columns[4].point"),
        ('kind = "amount", thousands = "x"', "", "columns[4].thousands"),
        ('kind = "date", format = "YYYYMD"', "", "columns[4].format"),
        ('kind = "date", format = "YYMMDD"', "", "columns[4].format"),
        ('kind = "date", format = "MMDD"', "", "columns[4].year"),
        ('kind = "instant", format = "YYYYMMDDHHMMSS"', "", "columns[4].zone"),
        ('kind = "text", pattern = "(a+)+"', "", "columns[4].pattern"),
        ('kind = "text", trim = true', "", "columns[4].trim"),
        ('kind = "identifier", constant = "ä"', "", "columns[4].constant"),
        ('kind = "text", width = 10', 'part_of = "asked", first = 11, kind = "text"', "computed[0].first"),
        ('kind = "text", width = 10', 'part_of = "asked", first = 5, last = 4, kind = "text"', "computed[0].last"),
        ('kind = "text", width = 100', 'part_of = "asked", first = 1, kind = "identifier"', "computed[0].last"),
        ('kind = "text", optional = true', 'part_of = "asked", first = 1, kind = "text"', "computed[0].optional"),
        ('kind = "count"', 'part_of = "asked", first = 1, kind = "text"', "computed[0].part_of"),
        ('kind = "text"', 'part_of = "asked", first = 1, kind = "amount"', "computed[0].kind"),
        ('kind = "text", width = 240', 'joined = ["asked", "slip"], kind = "text"', "computed[0].joined"),
        ('kind = "text"', 'joined = ["asked", "slip"], kind = "text", between = "12345"', "computed[0].between"),
        ('kind = "text"', 'joined = ["asked", "slip"], kind = "date", format = "YYYYMMDD", between = "-"', "computed[0].between"),
        ('kind = "text"', 'joined = ["asked"], part_of = "asked", kind = "text"', "computed[0].name"),
    ],
)
def test_what_a_column_cannot_say_is_refused_by_line_and_path(said, made, path):
    text = source(said, f'{{ name = "made", {made} }}' if made else "")
    found = problems(text)
    assert f"layout.data.{path}" in {each for _line, each in found}, found
    line = line_of(text, '"made"' if made else '"asked"')
    assert {number for number, each in found if each == f"layout.data.{path}"} == {line}
