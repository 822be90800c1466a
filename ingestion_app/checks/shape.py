"""The shape of a file: what its records look like together, counted in one pass, in bounded memory, and without keeping a record.

Nothing here judges (``looks``). Columns are walked block by block and as whole columns: a step of the interpreter for each field of each record
would take as long as all other checks together.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from itertools import repeat
from operator import add, attrgetter, eq, itemgetter, mul, xor
from typing import Any
from zlib import crc32

from ingestion_app.checks.record import Row
from ingestion_app.checks.samples import Sample
from ingestion_app.formats.definition import KEY_WORDS, Definition, Kind

FORM = 1
BUCKETS = 16  # into how many groups the values of a field are thrown, where there are too many to name
NAMED_MOST = 512  # values of a field that are counted by name; a field with more of them is counted by bucket
REMEMBERED_MOST = 50_000
CONTENTS_SAMPLED = 16_384  # to see what stands twice in a file
CONTENTS_KEPT = 2048  # to see what an earlier file has too
HOLDERS_SAMPLED = 2048
KEYS_SAMPLED = 1024
HEAVY_PERCENT = 1  # of a block: the share of a member from which on the member is counted
HEAVY_MOST = 8
DAYS_BY_HOUR_MOST = 64
VARIANTS_MOST = 2  # key columns each of which is left out in turn, to see what was sent again under other keys
FIELDS_RELATED = 5
ROUND = 1000
# What stands beside the columns of words in a pair.
HOUR, AMOUNT = "#hour", "#amount"
NULL = ""  # what a field without a value counts as

_values, _amount = itemgetter(6), itemgetter(5)
_hour, _minute, _second = attrgetter("hour"), attrgetter("minute"), attrgetter("second")
Hour = tuple[date, int]


class _Buckets(dict[str, int]):
    """Knows into which bucket a value falls: the same in every process, and in every file."""

    def __missing__(self, value: str) -> int:
        if len(self) > REMEMBERED_MOST:
            self.clear()
        found = self[value] = crc32(value.encode()) % BUCKETS
        return found


class _Clock(dict[Hour, tuple[int, int]]):
    """Knows which day, counted from the business date, and which hour clocks show at an hour of UTC."""

    def __init__(self, zone: tzinfo, day: date) -> None:
        self._zone, self._day = zone, day

    def __missing__(self, hour: Hour) -> tuple[int, int]:
        if len(self) > REMEMBERED_MOST:
            self.clear()
        on, of_day = hour
        # The half hours of some zones are left out: each file is told in the same way.
        local = datetime(on.year, on.month, on.day, of_day, tzinfo=UTC).astimezone(self._zone)
        found = self[hour] = ((local.date() - self._day).days, local.hour)
        return found


class _Field:
    """What is counted of one field with words or numbers in it that are not amounts."""

    def __init__(self, name: str, *, is_named: bool) -> None:
        self.name = name
        self.is_named = is_named  # whether its values may be told by name at all
        self.nulls = 0
        self.sizes: Counter[tuple[str, int]] = Counter()  # of a value and the size of an amount
        self.buckets: Counter[int] = Counter()
        self.lengths: Counter[int] = Counter()
        self.bucket_of = _Buckets()

    def add(self, column: Sequence[str], buckets: Sequence[int], sizes: Sequence[int]) -> None:
        """Count a block of values, with the bucket of each and the size of its record's amount."""
        self.buckets.update(buckets)
        self.lengths.update(map(len, column))
        if self.is_named:
            self.sizes.update(zip(column, sizes, strict=True))
            self._bound()

    def merge(self, other: "_Field") -> None:
        """Take in what another process counted."""
        self.nulls += other.nulls
        self.buckets.update(other.buckets)
        self.lengths.update(other.lengths)
        self.is_named = self.is_named and other.is_named
        if self.is_named:
            self.sizes.update(other.sizes)
            self._bound()

    def _bound(self) -> None:
        if len(self.sizes) > NAMED_MOST and len({value for value, _size in self.sizes}) > NAMED_MOST:
            self.is_named = False
            self.sizes.clear()

    def as_kept(self) -> dict[str, Any]:
        """Return what was counted as it is kept."""
        values: dict[str, list[int]] = {}
        for (value, size), count in self.sizes.items():
            of_value = values.setdefault(value, [0, 0])
            of_value[0] += count
            of_value[1] += count * size
        buckets = {str(bucket): count for bucket, count in sorted(self.buckets.items())}
        lengths = {str(length): count for length, count in sorted(self.lengths.items())}
        return {"nulls": self.nulls, "buckets": buckets, "lengths": lengths, "values": values if self.is_named else None}


class Shaping:
    """Grows to the shape of a file as blocks of its rows are added in the order of their lines."""

    def __init__(self, definition: Definition, *, business_date: date, zone: tzinfo, is_secret: bool) -> None:
        """Begin with nothing counted. ``zone`` says which day and hour an instant is in; ``is_secret``: the identifiers of members leave no trace."""
        self._day = business_date
        self._clock = _Clock(zone, business_date)
        data, roles = definition.layout.data, definition.roles
        moments = {place for place, column in enumerate(data.columns) if column.kind in {Kind.DATE, Kind.INSTANT}}
        amounts = {place for place, column in enumerate(data.columns) if column.kind is Kind.AMOUNT}
        self._holder = data.position(roles.holder)
        # What dates the entries, where a column does.
        dated = definition.postings[0].effective if definition.postings else ""
        self._when = next((place for place in moments if data.columns[place].name == dated), -1)
        self._has_hours = self._when >= 0 and data.columns[self._when].kind is Kind.INSTANT
        self._amount_name = roles.amount
        self._when_name = dated
        # A key that counts lines or equal records is made of what they say: it numbers nothing that could be left out.
        is_numbered = not set(KEY_WORDS) & set(roles.key)
        key = [data.position(name) for name in roles.key] if is_numbered else []
        unread = {place for place, column in enumerate(data.columns) if column.kind is Kind.UNUSED}
        words = [place for place in range(len(data.columns)) if place not in moments | amounts | unread]
        hidden = {self._holder} if is_secret else set()
        self._fields = {
            place: _Field(data.columns[place].name, is_named=place not in {self._holder, *(key if len(key) == 1 else ())})
            for place in words
        }
        # What of a record is compared beside its key: by name, so that a layout may put its columns in another order.
        self._solid = sorted({*words} - {*key, *hidden}, key=lambda place: data.columns[place].name)
        self._solid_amounts = sorted(amounts, key=lambda place: data.columns[place].name)
        self._variants = [place for place in key if place in self._fields and place not in hidden][:VARIANTS_MOST]
        if not self._variants and self._when >= 0:
            self._variants = [self._when]
        self._rest = {place: [other for other in self._variants if other != place] for place in self._variants}
        self._names = {place: data.columns[place].name for place in {*self._fields, *self._variants}}
        self._related = [place for place in words if place not in (key if len(key) == 1 else ())][:FIELDS_RELATED]
        self._is_secret = is_secret
        self.records = self.sum = self.negatives = self.negative_sum = self.zeros = self.largest = self.run = 0
        self._sizes: Counter[int] = Counter()
        self._endings: Counter[int] = Counter()
        self._digits: Counter[str] = Counter()
        self._hours: Counter[tuple[int, int]] = Counter()  # of a day, counted from the business date, and an hour
        self._pairs: dict[tuple[str, str], Counter[tuple[int, int]]] = {}
        self._same: Counter[str] = Counter()
        self._broken: Counter[tuple[str, str]] = Counter()
        self.contents = {place: Sample(CONTENTS_SAMPLED) for place in self._variants}
        self.holders = Sample(HOLDERS_SAMPLED)
        self._heavy: Counter[int] = Counter()
        self.keys = Sample(KEYS_SAMPLED)
        self.key_lines: dict[int, int] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Count a block of rows."""
        columns = list(zip(*map(_values, rows), strict=True))
        amounts = list(map(_amount, rows))
        sizes = list(map(int.bit_length, amounts))
        self._add_amounts(amounts, sizes)
        hours = self._add_moments(columns[self._when]) if self._when >= 0 else []
        words = {place: self._worded(place, columns[place]) for place in self._fields}
        buckets: dict[int, list[int]] = {}
        for place, field in self._fields.items():
            buckets[place] = list(map(field.bucket_of.__getitem__, words[place]))
            field.add(words[place], buckets[place], sizes)
        self._add_pairs(buckets, hours, sizes)
        self._add_neighbours(words)
        self._add_contents(words, columns, amounts, rows)

    def _worded(self, place: int, column: Sequence[Any]) -> Sequence[str]:
        if None in column:
            self._fields[place].nulls += column.count(None)
            column = [NULL if each is None else str(each) for each in column]
        return column if isinstance(column[0], str) else list(map(str, column))

    def _add_amounts(self, amounts: Sequence[int], sizes: Sequence[int]) -> None:
        self.records += len(amounts)
        self.sum += sum(amounts)
        self._sizes.update(sizes)
        self._endings.update(map(int.__mod__, map(abs, amounts), repeat(ROUND)))
        self._digits.update(map(itemgetter(0), map(str, map(abs, amounts))))
        least = min(amounts)
        if least < 0:
            below = [amount for amount in amounts if amount < 0]
            self.negatives += len(below)
            self.negative_sum += sum(below)
        self.zeros += amounts.count(0)
        self.largest = max(self.largest, *amounts, -least)

    def _add_moments(self, moments: Sequence[Any]) -> list[int]:
        """Count days and hours, as clocks show them; return the hour of each record."""
        if not self._has_hours:
            self._hours.update(((each - self._day).days, 0) for each in moments)
            return []
        shown = list(map(self._clock.__getitem__, zip(map(datetime.date, moments), map(_hour, moments), strict=True)))
        hours = list(map(itemgetter(1), shown))
        if len(self._hours) < REMEMBERED_MOST:
            self._hours.update(shown)
        return hours

    def _add_pairs(self, buckets: dict[int, list[int]], hours: Sequence[int], sizes: Sequence[int]) -> None:
        related: list[tuple[str, Sequence[int]]] = [(self._names[place], buckets[place]) for place in self._related]
        related += [(HOUR, hours)] if hours else []
        for at, (name, column) in enumerate(related):
            for other, others in related[at + 1 :]:
                self._pairs.setdefault((name, other), Counter()).update(zip(column, others, strict=True))
            self._pairs.setdefault((name, AMOUNT), Counter()).update(zip(column, sizes, strict=True))

    def _add_neighbours(self, words: dict[int, Sequence[str]]) -> None:
        """Count records that follow one with the same value of a field, and those among them that have another value of another field."""
        same = {
            self._names[place]: int.from_bytes(bytes(map(eq, words[place], words[place][1:])), "big") for place in self._fields
        }
        for name, is_same in same.items():
            count = is_same.bit_count()
            self._same[name] += count
            if count:
                self._broken.update({(name, other): (is_same & ~too).bit_count() for other, too in same.items() if other != name})

    def _add_contents(
        self, words: dict[int, Sequence[str]], columns: Sequence[Sequence[Any]], amounts: Sequence[int], rows: Sequence[Row]
    ) -> None:
        """Sample what each record says beside its key and its day."""
        parts: list[Any] = [map(str, amounts), *[words[place] for place in self._solid]]
        parts += [map(str, columns[place]) for place in self._solid_amounts]
        texts = map("\x1f".join, zip(*parts, strict=True))
        of_day: Any = repeat(0, len(amounts))
        if self._has_hours:
            when = columns[self._when]
            minutes = map(add, map(mul, map(_hour, when), repeat(60)), map(_minute, when))
            of_day = map(add, map(mul, minutes, repeat(60)), map(_second, when))
        contents = list(map(crc32, map(str.encode, texts), of_day))
        for place, sample in self.contents.items():
            full = contents
            for other in self._rest[place]:
                full = list(map(crc32, map(str.encode, words[other]), full))
            sample.add(full)
            self.run = max(self.run, max(map(len, bytes(map(eq, full, full[1:])).split(b"\0"))) + 1)
        if not self._is_secret:
            holders = Counter(words[self._holder])
            self.holders.add(list(map(crc32, map(str.encode, words[self._holder]))))
            for holder, count in holders.most_common(HEAVY_MOST):
                if count * 100 >= HEAVY_PERCENT * len(amounts):
                    self._heavy[crc32(holder.encode())] += count
        days = map(date.toordinal, columns[self._when]) if self._when >= 0 else repeat(0)
        keyed = list(map(crc32, map(str.encode, map(itemgetter(3), rows)), map(xor, contents, days)))
        below = self.keys.below
        self.key_lines.update((digest, row[0]) for digest, row in zip(keyed, rows, strict=True) if digest < below)
        self.keys.add(keyed)
        if len(self.key_lines) > 8 * KEYS_SAMPLED:
            self._cut_lines()

    def _cut_lines(self) -> None:
        kept = self.keys.counts
        self.key_lines = {digest: line for digest, line in self.key_lines.items() if digest in kept}

    def merge(self, other: "Shaping") -> None:
        """Take in what another process counted of other lines."""
        for name in ("records", "sum", "negatives", "negative_sum", "zeros"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.largest, self.run = max(self.largest, other.largest), max(self.run, other.run)
        for name in ("_sizes", "_endings", "_digits", "_hours", "_heavy", "_same", "_broken"):
            getattr(self, name).update(getattr(other, name))
        for pair, counts in other._pairs.items():  # noqa: SLF001 - its own kind
            self._pairs.setdefault(pair, Counter()).update(counts)
        for place, field in other._fields.items():
            self._fields[place].merge(field)
        for place, sample in other.contents.items():
            self.contents[place].merge(sample)
        self.holders.merge(other.holders)
        self.keys.merge(other.keys)
        self.key_lines.update(other.key_lines)
        self._cut_lines()

    def settle(self) -> None:
        """Forget what was only remembered to be quick: the rest goes to another process."""
        self._clock.clear()
        for field in self._fields.values():
            field.bucket_of.clear()

    def as_kept(self) -> dict[str, Any]:
        """Return the shape as it is kept: whole numbers and texts alone."""
        keys = self.keys.as_kept()
        self._cut_lines()
        days, hours = Counter[int](), Counter[int]()
        for (day, hour), count in self._hours.items():
            days[day] += count
            hours[hour] += count
        return {
            "form": FORM,
            "amount": self._amount_name,
            "records": self.records,
            "sum": self.sum,
            "negatives": [self.negatives, self.negative_sum],
            "zeros": self.zeros,
            "largest": self.largest,
            "run": self.run,
            "sizes": _texted(self._sizes),
            "endings": _endings(self._endings),
            "digits": _texted(self._digits),
            "when": self._when_name,
            "days": _texted(days),
            "hours": _texted(hours) if self._has_hours else {},
            "last_hours": self._last_hours() if self._has_hours and len(days) <= DAYS_BY_HOUR_MOST else {},
            "fields": {field.name: field.as_kept() for field in self._fields.values()},
            "pairs": {f"{name}\x1f{other}": _pair(counts) for (name, other), counts in self._pairs.items()},
            "same": dict(self._same),
            "broken": {f"{name}\x1f{other}": count for (name, other), count in self._broken.items()},
            "repeats": {self._names[place]: sample.repeated() for place, sample in self.contents.items()},
            "contents": {self._names[place]: sample.as_kept(CONTENTS_KEPT) for place, sample in self.contents.items()},
            "holders": self.holders.as_kept(),
            "heavy": {str(holder): count for holder, count in sorted(self._heavy.items())},
            "keys": {**keys, "lines": {str(digest): self.key_lines.get(digest, 0) for digest in self.keys.counts}},
        }

    def _last_hours(self) -> dict[str, int]:
        """Return the last hour of each day in which there is a record."""
        found: dict[int, int] = {}
        for day, hour in self._hours:
            found[day] = max(found.get(day, 0), hour)
        return {str(day): hour for day, hour in sorted(found.items())}


def _texted(counts: Counter[Any]) -> dict[str, int]:
    return {str(value): count for value, count in sorted(counts.items())}


def _pair(counts: Counter[tuple[int, int]]) -> dict[str, int]:
    return {f"{one},{other}": count for (one, other), count in sorted(counts.items())}


def _endings(counts: Counter[int]) -> dict[str, int]:
    """Return how amounts end: with how many noughts, and otherwise with which digit."""
    found: Counter[str] = Counter()
    for ending, count in counts.items():
        text = f"{ending:03d}"
        noughts = len(text) - len(text.rstrip("0"))
        found["0" * noughts if noughts else text[-1]] += count
    return dict(sorted(found.items()))
