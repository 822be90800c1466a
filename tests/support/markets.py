"""Files of a made-up chain of shops, and of the real one of the demonstration, and what goes wrong with such files without making them malformed."""

import random
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ingestion_app.checks.looks import Earlier, looks, of_earlier
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import RULES, Seen, Severity
from ingestion_app.checks.shape import Shaping
from ingestion_app.formats.shape_rules import ShapeRules
from tests.support.file_samples import definition

ZONE = ZoneInfo("America/New_York")
FIRST = date(2017, 3, 6)
WEEKS = 8
BLOCK = 5000


class Bought(NamedTuple):
    """One record of the demonstration's layout."""

    member: str
    store: str
    slip: str
    product: str
    amount: int
    at: datetime


File = list[Bought]


def shape_of(records: Sequence[Bought], day: date, *, blocks: int = BLOCK) -> dict[str, Any]:
    """Return the shape of a file of these records."""
    shaping = Shaping(definition(), business_date=day, zone=ZONE, is_secret=False)
    rows = [
        Row(line, 0, 0, f"{each.slip}/{each.product}", each.member, each.amount, tuple(each), b"")
        for line, each in enumerate(records, start=2)
    ]
    for first in range(0, len(rows), blocks):
        shaping.add(rows[first : first + blocks])
    return shaping.as_kept()


def alerts(shape: Mapping[str, Any], earlier: Sequence[Earlier], rules: ShapeRules | None = None) -> list[Seen]:
    """Return the alerts that a file of this shape raises after these files, the last first."""
    held = rules or ShapeRules()
    pairs = [(one.shape, other.shape) for one, other in pairwise(earlier)]
    found = [*looks(shape, earlier, held), *of_earlier(shape, earlier, pairs, held)]
    for each in found:
        assert each.sentence()
        assert each.remedy()
    return [each for each in found if RULES[each.rule].severity is Severity.ALERT]


@lru_cache
def day_of_shops(week: int) -> tuple[Bought, ...]:
    """Return the purchases of one Monday: forty shops, some far larger than others, six hundred members who have a shop of their own, few refunds."""
    choose = random.Random(week)
    day = FIRST + timedelta(weeks=week)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    weights = list(accumulate(1000 // (place + 3) for place in range(600)))
    hours = list(accumulate((0, 0, 0, 0, 0, 0, 1, 4, 10, 18, 26, 34, 44, 38, 30, 28, 36, 52, 60, 46, 30, 18, 8, 2)))
    found: File = []
    for slip in range(900 + choose.randrange(120)):
        member = bisect(weights, choose.randrange(weights[-1]))
        store = (member * member) % 40 if choose.randrange(10) else choose.randrange(40)
        at = midnight + timedelta(hours=bisect(hours, choose.randrange(hours[-1])), seconds=choose.randrange(3600))
        sign = -1 if choose.randrange(20) == 0 else 1
        for _item in range(1 + choose.randrange(8)):
            product = min(choose.randrange(800), choose.randrange(800))
            amount = sign * (49 + 10 * (product % 97) + choose.randrange(400))
            bought_at = at.astimezone(UTC)
            number = f"{70_000_000 + 10_000 * week + slip}"
            found.append(Bought(str(1001 + member), str(100 + store), number, str(50_000 + product), amount, bought_at))
    return tuple(sorted(found, key=lambda each: each.at))


@lru_cache
def shops() -> tuple[Earlier, ...]:
    """Return the shapes of the weeks before the one that is tested, the last first."""
    days = [FIRST + timedelta(weeks=week) for week in range(WEEKS)]
    return tuple(Earlier(week, str(day), shape_of(day_of_shops(week), day)) for week, day in reversed(list(enumerate(days))))


def again(each: Bought) -> Bought:
    """Return a record sent again under a key of its own."""
    return each._replace(slip=str(int(each.slip) + 5_000))


def most_common(records: Sequence[Bought], name: str, place: int = 0) -> str:
    """Return the value that most records have; with a place, the one that fewer have."""
    return str(Counter(getattr(each, name) for each in records).most_common()[place][0])


def _of_store(change: Callable[[Bought], list[Bought]], place: int = 2) -> Callable[[Sequence[Bought]], File]:
    def fault(records: Sequence[Bought]) -> File:
        store = most_common(records, "store", place)
        return [made for each in records for made in (change(each) if each.store == store else [each])]

    return fault


def _each(change: Callable[[Bought], Bought]) -> Callable[[Sequence[Bought]], File]:
    return lambda records: [change(each) for each in records]


def members_of_the_line_before(records: Sequence[Bought]) -> File:
    return [each._replace(member=records[place - 1].member) for place, each in enumerate(records)]


def busiest_hour_twice(records: Sequence[Bought]) -> File:
    hour = Counter((each.at.date(), each.at.hour) for each in records).most_common(1)[0][0]
    return [*records, *[again(each) for each in records if (each.at.date(), each.at.hour) == hour]]


def new_store(records: Sequence[Bought]) -> File:
    return [each._replace(store="999") if place % 10 == 0 else each for place, each in enumerate(records)]


def member_spread(records: Sequence[Bought]) -> File:
    member, members = most_common(records, "member"), sorted({each.member for each in records})
    return [
        each._replace(member=members[place % len(members)]) if each.member == member else each
        for place, each in enumerate(records)
    ]


FAULTS: dict[str, Callable[[Sequence[Bought]], File]] = {
    "one store doubled": _of_store(lambda each: [each, again(each)]),
    "amounts times a hundred": _each(lambda each: each._replace(amount=each.amount * 100)),
    "half of the file": lambda records: list(records[: len(records) // 2]),
    "every second record": lambda records: list(records[::2]),
    "two columns swapped": _each(lambda each: each._replace(store=each.product, product=each.store)),
    "member ids shifted by one": _each(lambda each: each._replace(member=str(int(each.member) + 1))),
    "members of the line before": members_of_the_line_before,
    "one hour twice": busiest_hour_twice,
    "amounts rounded": _each(lambda each: each._replace(amount=(each.amount + 50) // 100 * 100)),
    "a new store with a tenth of the volume": new_store,
    "a clock an hour ahead": _each(lambda each: each._replace(at=each.at + timedelta(hours=1))),
    "a clock an hour behind": _each(lambda each: each._replace(at=each.at - timedelta(hours=1))),
    "one member's purchases spread over many": member_spread,
    "the tail repeated": lambda records: [*records, *[again(each) for each in records[-len(records) // 20 :]]],
    "another currency in one store": _of_store(lambda each: [each._replace(amount=each.amount * 110)], 4),
    "amounts of one store doubled": _of_store(lambda each: [each._replace(amount=each.amount * 2)], 0),
}
ONLY_MADE_UP: dict[str, Callable[[Sequence[Bought]], File]] = {
    "refunds without their minus": _each(lambda each: each._replace(amount=abs(each.amount))),
    "yesterday's records under their own day": _each(lambda each: each._replace(at=each.at - timedelta(days=1))),
    "no afternoon": lambda records: [each for each in records if not 18 <= each.at.hour < 22],
}
