"""Dates and times as senders write them: a format is spelled with YYYY, MM, DD and the like, and takes exactly what it spells."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

# What may stand in a format. MM are minutes behind HH, and months before.
_TOKENS: Final = {
    "YYYY": ("year", "(?:19[0-9]{2}|2[0-9]{3})"),
    "YY": ("short_year", "[0-9]{2}"),
    "DDD": ("day_of_year", "[0-9]{3}"),
    "MM": ("month", "[0-9]{2}"),
    "DD": ("day", "[0-9]{2}"),
    "M": ("month", "[1-9][0-9]?"),
    "D": ("day", "[1-9][0-9]?"),
    "E": ("era", "[SHR345]"),
    "EE": ("era", "(?:昭和|平成|令和)"),
}
_OF_CLOCKS: Final = {
    "HH": ("hour", "[0-9]{2}"),
    "MM": ("minute", "[0-9]{2}"),
    "SS": ("second", "[0-9]{2}"),
    "fff": ("fraction", "[0-9]{3}"),
    "ffffff": ("fraction", "[0-9]{6}"),
    "+HH:MM": ("offset", "[+-][0-9]{2}:[0-9]{2}"),
    "+HHMM": ("offset", "[+-][0-9]{4}"),
    "Z": ("utc", "Z"),
}
_PIECE: Final = re.compile(r"\+HH:?MM|YYYY|YY|EE|E|DDD|DD|D|MM|M|HH|SS|ffffff|fff|Z|T|[^A-Za-z0-9+\\\x00-\x1f\x7f]")
_VARYING: Final = ("M", "D")  # of one digit or two
_OF_DAYS: Final = {name for name, _digits in _TOKENS.values()}
_DATES: Final = ({"month", "day"}, {"day_of_year"})
HOURS_MOST: Final = 14  # no zone of the world is further from UTC
# How far a date may be from the business date that says its year: then one year alone is meant, but for the two ends; or its era.
YEAR_DAYS_MOST: Final = 183
ERA_DAYS_MOST: Final = 5 * 366


class Era(NamedTuple):
    """A Japanese era: the year before its first, its first day, and the first day behind it."""

    before: int
    first: date
    behind: date


ERAS: Final[Mapping[str, Era]] = {
    "showa": Era(1925, date(1926, 12, 25), date(1989, 1, 8)),
    "heisei": Era(1988, date(1989, 1, 8), date(2019, 5, 1)),
    "reiwa": Era(2018, date(2019, 5, 1), date.max),
}
# What senders write for an era: its letter, its number, its name.
_ERA_SIGNS: Final = {
    sign: ERAS[era]
    for era, signs in {"showa": ("S", "3", "昭和"), "heisei": ("H", "4", "平成"), "reiwa": ("R", "5", "令和")}.items()
    for sign in signs
}


class Moment(NamedTuple):
    """What a text says: a clock's date and time, and how far that clock is from UTC, None where it does not say."""

    clock: datetime
    offset: timedelta | None


class MomentFormat(NamedTuple):
    """A compiled format: which parts it has, and what reads a text by it."""

    parts: frozenset[str]
    read: Callable[[str], Moment | None]

    @property
    def is_dated(self) -> bool:
        """Whether it names a day, and no part of it twice."""
        years = self.parts & {"year", "short_year"}
        days = self.parts & {"month", "day", "day_of_year"}
        has_era_alone = "era" in self.parts and "short_year" not in self.parts
        return len(years) <= 1 and not has_era_alone and days in _DATES

    @property
    def lacks_year(self) -> bool:
        """Whether it names a day of any year."""
        return not self.parts & {"year", "short_year"}

    @property
    def lacks_century(self) -> bool:
        """Whether its years have two digits, and nothing in it says of what."""
        return "short_year" in self.parts and "era" not in self.parts

    @property
    def is_timed(self) -> bool:
        """Whether it names a time of the day, with its hour and minute at least; a fraction is one of a second."""
        is_whole = "fraction" not in self.parts or "second" in self.parts
        return is_whole and {"hour", "minute"} <= self.parts and len(self.parts & {"utc", "offset"}) < 2

    @property
    def has_clock(self) -> bool:
        """Whether anything in it is of a clock, and not of a day."""
        return not self.parts <= _OF_DAYS

    @property
    def knows_utc(self) -> bool:
        """Whether it says itself how far its clock is from UTC."""
        return bool(self.parts & {"utc", "offset"})


def compile_format(
    spelled: str, *, century: int | None = None, era: str | None = None, near: date | None = None
) -> MomentFormat | None:
    """Return a format, or None where it cannot be one. Years of two digits are those of the ``century`` (2000) or the ``era``.

    Where nothing says which year or era is meant it is that in which the date is nearest to ``near``; without that nothing passes.
    """
    parts: list[str] = []
    pattern = ""
    varies = False  # whether the digits that stand together here have a piece that may be shorter
    place = 0
    while place < len(spelled):
        match = _PIECE.match(spelled, place)
        if match is None:
            return None
        piece, place = match[0], match.end()
        tokens = {**_TOKENS, **_OF_CLOCKS} if "hour" in parts or piece in {"HH", "Z"} or piece.startswith("+") else _TOKENS
        if piece in tokens:
            name, digits = tokens[piece]
            if name in parts or (varies and piece in _VARYING):
                # Of 2017111 nobody can tell where the month ends.
                return None
            parts.append(name)
            varies = (varies or piece in _VARYING) and digits.startswith(("[0-9]", "[1-9]", "(?:"))
            pattern += f"(?P<{name}>{digits})"
        elif piece.isascii() and piece.isalpha() and piece != "T":
            return None
        else:
            varies = False
            pattern += re.escape(piece)
    whole = re.compile(pattern).fullmatch
    reading = _Reading(century, ERAS.get(era) if era else None, near)

    def read(text: str) -> Moment | None:
        found = whole(text)
        return _moment(found.groupdict(), reading) if found else None

    return MomentFormat(frozenset(parts), read)


class _Reading(NamedTuple):
    """What a definition, or the day of the file, says of the years that a format leaves open."""

    century: int | None
    era: Era | None
    near: date | None


def _moment(said: Mapping[str, str], reading: _Reading) -> Moment | None:
    day = _day(said, reading)
    if day is None:
        return None
    micros = int(said.get("fraction", "0").ljust(6, "0"))
    hour, minute, second = (int(said.get(name, "0")) for name in ("hour", "minute", "second"))
    try:
        clock = datetime(day.year, day.month, day.day, hour, minute, second, micros, tzinfo=UTC)
    except ValueError:
        return None
    return _with_offset(clock, said)


def _day(said: Mapping[str, str], reading: _Reading) -> date | None:
    if "year" in said:
        return _of_year(said, int(said["year"]))
    if "short_year" not in said:
        return _nearest([_of_year(said, year) for year in _years_around(reading.near)], reading.near, YEAR_DAYS_MOST)
    if reading.century is not None:
        return _of_year(said, reading.century + int(said["short_year"]))
    era = _ERA_SIGNS[said["era"]] if "era" in said else reading.era
    if era is not None:
        return _of_era(said, era)
    return _nearest([_of_era(said, each) for each in ERAS.values()], reading.near, ERA_DAYS_MOST)


def _of_year(said: Mapping[str, str], year: int) -> date | None:
    try:
        if "day_of_year" not in said:
            return date(year, int(said["month"]), int(said["day"]))
        day = date(year, 1, 1) + timedelta(days=int(said["day_of_year"]) - 1)
    except (ValueError, OverflowError):
        return None
    return day if day.year == year else None


def _of_era(said: Mapping[str, str], era: Era) -> date | None:
    day = _of_year(said, int(said["short_year"]) + era.before)
    is_in_it = day is not None and era.first <= day < era.behind and said["short_year"] != "00"
    return day if is_in_it else None


def _years_around(near: date | None) -> range:
    return range(near.year - 1, near.year + 2) if near is not None else range(0)


def _nearest(days: list[date | None], near: date | None, most: int) -> date | None:
    """Return the day that is nearest to the business date, the earlier of two; None where each is further than ``most`` days from it."""
    if near is None:
        return None
    found = [day for day in days if day is not None and abs((day - near).days) <= most]
    return min(found, key=lambda day: (abs((day - near).days), day), default=None)


def _with_offset(clock: datetime, said: Mapping[str, str]) -> Moment | None:
    if "utc" in said:
        return Moment(clock, timedelta(0))
    if "offset" not in said:
        return Moment(clock, None)
    written = said["offset"].replace(":", "")
    hours, minutes = int(written[1:3]), int(written[3:])
    if hours > HOURS_MOST or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return Moment(clock, -offset if written[0] == "-" else offset)
