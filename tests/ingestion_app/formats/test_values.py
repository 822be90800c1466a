"""One field at a time: what passes, and what is said of the rest."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ingestion_app.formats.definition import Column, DateFormat, InstantFormat, Kind
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import field_reader, shown

NEW_YORK = Column("at", Kind.INSTANT, format=InstantFormat.LOCAL, zone=ZoneInfo("America/New_York"))
TOKYO = Column("at", Kind.INSTANT, format=InstantFormat.LOCAL, zone=ZoneInfo("Asia/Tokyo"))


def rule(column: Column, text: str) -> str:
    answer = field_reader(column).read(text)
    assert isinstance(answer, Fault), answer
    return answer.rule


SAMPLES = ("a", "1", "2017-01-01", "20170101", "2017-01-01T00:00:00Z", "2017-01-01 00:00:00")


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_of_texts_where_its_values_are(kind):
    """What is of texts is looked at for card numbers; a kind that says otherwise, and gives texts, would take them in."""
    zone = ZoneInfo("Asia/Tokyo") if kind is Kind.INSTANT else None
    column = Column("c", kind, format=InstantFormat.LOCAL if zone else None, zone=zone)
    values = [value for text in SAMPLES if not isinstance(value := field_reader(column).read(text), Fault)]
    assert values, "no sample passes: give one that does"
    assert any(isinstance(value, str) for value in values) is kind.is_text


def test_local_times_become_instants():
    assert field_reader(TOKYO).read("2017-01-01 08:59:59") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_local_time_that_the_clocks_skipped():
    assert rule(NEW_YORK, "2017-03-12 02:30:00") == "record.instant_skipped"
    assert field_reader(NEW_YORK).read("2017-03-12 03:00:00") == datetime(2017, 3, 12, 7, tzinfo=UTC)


def test_a_local_time_that_the_clocks_showed_twice():
    assert rule(NEW_YORK, "2017-11-05 01:30:00") == "record.instant_ambiguous"
    assert field_reader(NEW_YORK).read("2017-11-05 02:00:00") == datetime(2017, 11, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "good", "bad"),
    [
        (DateFormat.COMPACT, "20160229", ["2016-02-29", "20170229", "20160230", "2016229", "00000101", "18991231", " 20160229"]),
        (
            DateFormat.DASHED,
            "2016-02-29",
            ["20160229", "2017-02-29", "2016-2-29", "2016-02-29 ", "２０１６-02-29", "3000-01-01", "2016/02/29"],
        ),
    ],
)
def test_dates(written, good, bad):
    column = Column("on", Kind.DATE, format=written)
    assert field_reader(column).read(good) == date(2016, 2, 29)
    assert {rule(column, text) for text in bad} == {"record.date_invalid"}


def test_texts():
    column = Column("shop", Kind.TEXT, width=5)
    assert field_reader(column).read("髙島屋 😀") == "髙島屋 😀"
    assert rule(column, "") == "record.text_empty"
    assert rule(column, "abcdef") == "record.text_too_long"
    hidden = ["a\tb", "a\rb", "a\x00b", "a\x7fb", "a\x85b", "\u202eab", "\ufeffab", "a\ufffdb", "a\u2028b"]
    assert {rule(column, text) for text in hidden} == {"record.text_control_character"}


def test_identifiers():
    column = Column("member", Kind.IDENTIFIER, width=8)
    assert field_reader(column).read("A-1_b.2") == "A-1_b.2"
    assert {rule(column, text) for text in ["", " 1", "1 ", "é", "１", "a/b", "123456789", "a\n"]} == {
        "record.identifier_invalid"
    }


def test_counts():
    column = Column("count", Kind.COUNT)
    assert [field_reader(column).read(text) for text in ("0", "12", "1000000000000000")] == [0, 12, 10**15]
    bad = ["", "-1", "-0", "01", "+1", "1e3", "１", "1_0", "1000000000000001", "9" * 5000]
    assert {rule(column, text) for text in bad} == {"record.count_invalid"}


def test_constants():
    column = Column("source", Kind.IDENTIFIER, constant="card-usage")
    assert field_reader(column).read("card-usage") == "card-usage"
    assert rule(column, "card-Usage") == "record.constant_differs"


def test_what_cannot_be_seen_is_shown_by_its_code_point():
    assert shown("a\x00\u202eb") == "a<U+0000><U+202E>b"
    assert shown("x" * 100) == "x" * 60 + "…"
