"""Years that a file leaves out: the business date says which is meant, within half a year; and eras, by sign or by the day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.formats import toml
from ingestion_app.formats.moments import ERA_DAYS_MOST, ERAS, compile_format
from tests.support import definitions
from tests.support.definitions import COLUMNS, POSTING, problems
from tests.support.file_samples import codes, examine


def read(spelled: str, text: str, near: date | None = None) -> date | None:
    compiled = compile_format(spelled, near=near)
    assert compiled is not None
    moment = compiled.read(text)
    return moment.clock.date() if moment is not None else None


@pytest.mark.parametrize(
    ("day", "text", "expected"),
    [
        (date(2017, 1, 31), "0131", date(2017, 1, 31)),
        (date(2017, 1, 31), "1231", date(2016, 12, 31)),
        (date(2016, 12, 31), "0104", date(2017, 1, 4)),
        (date(2017, 7, 1), "0101", date(2017, 1, 1)),
        (date(2017, 6, 30), "1231", date(2016, 12, 31)),
        (date(2016, 3, 1), "0229", date(2016, 2, 29)),
        (date(2015, 11, 30), "0229", date(2016, 2, 29)),
        (date(2017, 3, 1), "0229", None),
        (date(2017, 3, 1), "0230", None),
        (date(2017, 3, 1), "1301", None),
        (date(2017, 3, 1), "311", None),
    ],
)
def test_the_year_is_that_in_which_the_day_is_nearest_to_the_business_date(day, text, expected):
    assert read("MMDD", text, day) == expected


@given(st.dates(date(1950, 1, 1), date(2900, 1, 1)), st.integers(-182, 182))
def test_every_day_within_half_a_year_is_read_back(day, distance):
    written = day + timedelta(days=distance)
    assert read("MMDD", written.strftime("%m%d"), day) == written


@given(st.dates(date(1950, 1, 1), date(2900, 1, 1)), st.dates(date(2000, 1, 1), date(2000, 12, 31)))
def test_no_day_is_read_further_from_it(day, written):
    found = read("MMDD", written.strftime("%m%d"), day)
    assert found is None or (abs((found - day).days) <= 183 and (found.month, found.day) == (written.month, written.day))
    assert found is not None or (written.month, written.day) == (2, 29)


def test_a_day_of_a_year_is_read_by_its_number_alone():
    assert read("DDD", "366", date(2016, 12, 31)) == date(2016, 12, 31)
    assert read("DDD", "001", date(2016, 12, 31)) == date(2017, 1, 1)
    assert read("DDD", "366", date(2018, 1, 31)) is None
    assert read("DDD", "000", date(2018, 1, 31)) is None
    assert read("YYYYDDD", "2017365") == date(2017, 12, 31)


def test_without_the_day_of_the_file_nothing_is_read():
    assert read("MMDD", "0131") is None
    assert read("YYMMDD", "060205") is None


@pytest.mark.parametrize(
    ("day", "text", "expected"),
    [
        (date(2024, 2, 5), "060205", date(2024, 2, 5)),
        (date(2019, 5, 7), "310430", date(2019, 4, 30)),
        (date(2019, 5, 7), "010501", date(2019, 5, 1)),
        (date(2019, 4, 26), "010507", date(2019, 5, 7)),
        (date(2019, 5, 7), "310501", None),
        (date(2019, 5, 7), "010430", None),
        (date(2017, 1, 31), "290131", date(2017, 1, 31)),
        (date(1989, 1, 9), "640107", date(1989, 1, 7)),
        (date(2024, 2, 5), "000205", None),
        (date(2024, 2, 5), "240205", None),
        (date(2024, 2, 5), "060231", None),
    ],
)
def test_the_era_is_that_in_which_the_day_is_near_the_business_date(day, text, expected):
    assert read("YYMMDD", text, day) == expected


@given(
    st.sampled_from([(name, sign) for name, signs in {"showa": "S3", "heisei": "H4", "reiwa": "R5"}.items() for sign in signs]),
    st.dates(date(1930, 1, 1), date(2090, 12, 31)),
)
def test_an_era_by_its_sign_takes_its_own_days_alone(named, day):
    name, sign = named
    era = ERAS[name]
    year = day.year - era.before
    if not 1 <= year <= 99:
        return
    text = f"{sign}{year:02}{day:%m%d}"
    assert read("EYYMMDD", text) == (day if era.first <= day < era.behind else None)
    kanji = {"showa": "昭和", "heisei": "平成", "reiwa": "令和"}[name]
    assert read("EEYY年MM月DD日", f"{kanji}{year:02}年{day:%m}月{day:%d}日") == read("EYYMMDD", text)


def test_eras_are_further_apart_than_a_day_may_be_from_its_file():
    assert (
        min(other.before - era.before for era in ERAS.values() for other in ERAS.values() if other.before > era.before) * 365
        > 2 * ERA_DAYS_MOST
    )


@pytest.mark.parametrize("spelled", ["E", "EMMDD", "EYYYYMMDD", "EEYYMM", "MM", "YYMM"])
def test_a_format_that_names_no_day_is_none(spelled):
    compiled = compile_format(spelled)
    assert compiled is None or not compiled.is_dated or "year" in compiled.parts


SHORT = COLUMNS.replace('format = "YYYY-MM-DD"', 'format = "MMDD", year = "business_date"')


def test_a_record_of_december_in_a_file_of_january_is_of_the_year_before():
    using = definitions.definition(columns=SHORT)
    examination, rows, seen = examine(b"1001,31,s1,5,1231\n1001,31,s2,5,0131\n1001,31,s3,5,0229\n", using)
    assert [row.values[4] for row in rows] == [date(2016, 12, 31), date(2017, 1, 31)]
    assert codes(seen) == ["record.date_invalid", "control.none"]
    assert examination.bad_count == 1


JOINED = """
  { name = "member", kind = "identifier", width = 20 },
  { name = "slip", kind = "identifier", width = 20 },
  { name = "amount", kind = "amount" },
  { name = "era", kind = "identifier", width = 1 },
  { name = "day", kind = "identifier", width = 8 },
  { name = "time", kind = "identifier", width = 6 },
"""


def joined(made: str) -> str:
    text = definitions.text(columns=JOINED, posting=POSTING)
    return text.replace("\n]\n[roles]", "", 1).replace(f"columns = [{JOINED}]", f"columns = [{JOINED}]\ncomputed = [{made}]")


def test_a_date_of_several_columns_is_put_together():
    made = '{ name = "sold_on", joined = ["era", "day"], kind = "date", format = "EYYMMDD" }'
    using = toml.parse(joined(made))
    examination, rows, seen = examine(b"1001,s1,5,5,060205,0\n1001,s2,5,4,310501,0\n1001,s3,5,R,060230,0\n", using)
    assert [row.values[-1] for row in rows] == [date(2024, 2, 5)]
    assert [(each.rule, each.line, each.column) for each in seen if each.line] == [
        ("record.date_invalid", 2, 4),
        ("record.date_invalid", 3, 4),
    ]
    assert examination.bad_sum_known


def test_a_date_and_a_time_are_put_together():
    made = '{ name = "sold_on", joined = ["day", "time"], kind = "instant", format = "YYYYMMDDHHMMSS", zone = "Asia/Tokyo" }'
    _examination, rows, _seen = examine(b"1001,s1,5,R,20170131,080910\n", toml.parse(joined(made)))
    assert rows[0].values[-1] == datetime(2017, 1, 30, 23, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "path"),
    [
        ('joined = ["day"], kind = "date"', "format"),
        ('joined = ["day", "amount"], kind = "date", format = "YYYYMMDD"', "joined"),
        ('joined = ["day", "sold"], kind = "date", format = "YYYYMMDD"', "joined"),
        ('joined = ["day"], kind = "amount"', "kind"),
        ('joined = ["day"], kind = "date", format = "YYYYMMDD", of = "amount"', "name"),
        ('of = "amount"', "signs"),
        ('of = "amount", only = { column = "member" }', "only.values"),
        ('of = "amount", only = { column = "amount", values = ["1"] }', "only.column"),
        ('of = "amount", only = { column = "era", values = ["55"] }', "only.values"),
    ],
)
def test_a_computed_column_that_cannot_be_meant_is_refused(made, path):
    found = {each for _line, each in problems(joined(f'{{ name = "sold_on", {made} }}'))}
    assert f"layout.data.computed[0].{path}" in found
