"""A file that looks normal and is wrong raises an alert, and an ordinary one raises none."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import polars
import pytest

from ingestion_app.checks import looks as looking
from ingestion_app.checks.looks import Earlier, gap
from ingestion_app.checks.rules import Seen
from ingestion_app.checks.shape import AMOUNT, HOUR
from ingestion_app.demo import purchases
from ingestion_app.formats.shape_rules import ShapeRules
from tests.support import markets
from tests.support.markets import FAULTS, FIRST, ONLY_MADE_UP, WEEKS, ZONE, Bought, File, alerts, shape_of

DAY = FIRST + timedelta(weeks=WEEKS)
LAST_DAYS = [date.fromisoformat(each) for each in purchases.LAST_DAYS]


@pytest.mark.parametrize("name", [*FAULTS, *ONLY_MADE_UP])
def test_what_is_wrong_with_a_file_of_the_shops_raises_an_alert(name: str) -> None:
    wrong = {**FAULTS, **ONLY_MADE_UP}[name](markets.day_of_shops(WEEKS))
    assert alerts(shape_of(wrong, DAY), markets.shops()), name


def test_the_records_of_an_earlier_file_under_todays_date_are_named_with_their_batch() -> None:
    earlier = markets.shops()
    week = WEEKS - 2
    moved = [
        each._replace(at=each.at + timedelta(weeks=2), slip=str(int(each.slip) + 900_000)) for each in markets.day_of_shops(week)
    ]
    found = {each.rule: each.facts for each in alerts(shape_of(moved, DAY), earlier)}
    assert found["shape.records_of_earlier"] == {
        "name": "slip",
        "share": "100.0 %",
        "batch": week,
        "date": str(FIRST + timedelta(weeks=week)),
    }


def test_ordinary_weeks_raise_no_alert() -> None:
    shapes = [
        Earlier(week, str(day), shape_of(markets.day_of_shops(week), day))
        for week, day in ((week, FIRST + timedelta(weeks=week)) for week in range(16))
    ]
    told = {week: alerts(shapes[week].shape, shapes[:week][::-1][:12]) for week in range(4, 16)}
    assert {week: [each.rule for each in found] for week, found in told.items() if found} == {}


@lru_cache
def month(number: int) -> tuple[Bought, ...]:
    """Return the real purchases of a month, of every fourth household."""
    rows = purchases.table().filter((polars.col("month") == number) & (polars.col("member") % 4 == 0))
    ordered = rows.sort("purchased_at", "slip", "product").collect()
    columns = ordered.select("member", "store", "slip", "product", "amount", "purchased_at")
    return tuple(Bought(str(a), str(b), str(c), str(d), amount, at) for a, b, c, d, amount, at in columns.iter_rows())


@lru_cache
def months() -> tuple[Earlier, ...]:
    """Return the shapes of the year's months."""
    return tuple(Earlier(number, str(day), shape_of(month(number), day)) for number, day in enumerate(LAST_DAYS, start=1))


def before(number: int) -> Sequence[Earlier]:
    return months()[: number - 1][::-1]


def test_the_real_months_after_january_raise_no_alert() -> None:
    told = {number: alerts(months()[number - 1].shape, before(number)) for number in range(2, 13)}
    assert {number: [dict(each.facts) for each in found] for number, found in told.items() if found} == {}


def a_day_missing(records: Sequence[Bought]) -> File:
    return [each for each in records if each.at.astimezone(ZONE).day != 12]


@pytest.mark.parametrize("name", [*FAULTS, "a day missing"])
def test_what_is_wrong_with_a_real_month_raises_an_alert(name: str) -> None:
    fault: Callable[[Sequence[Bought]], File] = {**FAULTS, "a day missing": a_day_missing}[name]
    assert alerts(shape_of(fault(month(9)), LAST_DAYS[8]), before(9)), name


def test_nothing_is_said_where_earlier_files_are_too_few_or_too_small_to_say() -> None:
    wrong = shape_of(FAULTS["amounts times a hundred"](markets.day_of_shops(WEEKS)), DAY)
    assert alerts(wrong, markets.shops()[:3]) == []
    small = [Earlier(each.batch, each.date, shape_of(markets.day_of_shops(each.batch)[:40], DAY)) for each in markets.shops()]
    assert alerts(shape_of(markets.day_of_shops(WEEKS)[:20], DAY), small) == []
    assert alerts(wrong, markets.shops()[:3], ShapeRules(earlier_least=3)) != []


def test_a_quiet_end_raises_no_alert() -> None:
    """As of the buyers of one quarter, watched for a year and a half: many at first, ever fewer, and long so."""
    counts = [8928, 9476, 11272, 3781, 2895, 3054, 2942, 2320, 2296, 2562, 2750, 2504, 2032, 2026, 2793, 1878, 2060, 2117]
    pool = [each for week in range(3) for each in markets.day_of_shops(week)]
    shapes = [
        Earlier(
            place,
            str(FIRST),
            shape_of(
                [pool[(7 * each + 31 * place) % len(pool)]._replace(slip=f"{place}{each:05d}") for each in range(count)], FIRST
            ),
        )
        for place, count in enumerate(counts)
    ]
    figures = {"shape.count_outside", "shape.sum_outside", "shape.average_outside"}
    told = [each.rule for place in range(4, len(counts)) for each in alerts(shapes[place].shape, shapes[:place][::-1][:12])]
    assert not figures & set(told)


def test_a_file_that_comes_later_than_any_did_tells_that_one_is_missing() -> None:
    assert [each.rule for each in gap(2, [1, 1, 1, 1])] == ["shape.file_missing"]
    assert list(gap(3, [3, 3, 3, 3])) == []
    assert list(gap(31, [28, 31, 30, 31])) == []
    assert [each.rule for each in gap(62, [28, 31, 30, 31])] == ["shape.file_missing"]


def test_a_shape_is_the_same_however_the_file_is_cut_into_blocks() -> None:
    records = markets.day_of_shops(WEEKS)
    whole, cut = shape_of(records, DAY), shape_of(records, DAY, blocks=len(records))
    # Two that follow each other across the end of a block are not looked at together.
    apart = {"same", "broken", "run", "heavy"}
    assert {name: each for name, each in whole.items() if name not in apart} == {
        name: each for name, each in cut.items() if name not in apart
    }


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_below_zero_are_measured_as_those_above(sign: int) -> None:
    usual = [sign * each for each in (900, 1000, 1100)]
    told = [found for found in (-1600, -1000, -500, 0, 500, 1000, 1600) if looking._outside(sign * found, usual, 140)]
    assert told == [-1600, -1000, -500, 0, 500, 1600]


def test_what_moved_by_itself_is_not_told_again_of_each_pair_and_columns_have_their_names() -> None:
    for name, column in (("amounts times a hundred", "amount"), ("a clock an hour ahead", "purchased_at")):
        found = alerts(shape_of(FAULTS[name](markets.day_of_shops(WEEKS)), DAY), markets.shops())
        pairs = [(each.facts["name"], each.facts["other"]) for each in found if each.rule == "shape.relation_moved"]
        assert not [pair for pair in pairs if column in pair], name
    found = [*looking._relations(*_pair_moved(), ShapeRules(), set())]
    assert [(each.facts["name"], each.facts["other"]) for each in found] == [("purchased_at", "amount")]
    assert [*looking._relations(*_pair_moved(), ShapeRules(), {HOUR})] == []


def _pair_moved() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a shape whose hours and amounts go together otherwise than those of the four before it."""
    pair = f"{HOUR}\x1f{AMOUNT}"
    whole = {"when": "purchased_at", "amount": "amount", "records": 10_000, "broken": {}, "same": {}}
    return {**whole, "pairs": {pair: {"1": 1000, "2": 9000}}}, [{**whole, "pairs": {pair: {"1": 9000, "2": 1000}}}] * 4


def test_a_drift_hides_no_relation_and_a_field_that_moved_does(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = shape_of(FAULTS["member ids shifted by one"](markets.day_of_shops(WEEKS)), DAY)
    told = {}
    for rule in ("shape.drifted", "shape.field_moved"):
        seen = [Seen(rule, 0, 0, 0, b"", {"name": name}) for name in shape["fields"]]
        monkeypatch.setattr(looking, "_fields", lambda *_given, seen=seen: iter(seen))
        told[rule] = {each.rule for each in looking.looks(shape, markets.shops(), ShapeRules())}
    assert "shape.relation_moved" in told["shape.drifted"]
    assert "shape.relation_moved" not in told["shape.field_moved"]
