"""Compares the shape of a file with those of comparable earlier files: what looks normal and is wrong.

What is usual is told by the earlier files themselves: how far the farthest of them is from the others. A field that is never twice alike raises no
alert, and one that hardly moves raises one early.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ingestion_app.checks import samples
from ingestion_app.checks.measures import MILLION, THOUSAND, by_chance, mean, shares, stability
from ingestion_app.checks.rules import Seen, Severity
from ingestion_app.checks.shape import AMOUNT, HOUR
from ingestion_app.formats.shape_rules import ShapeRules

Shape = Mapping[str, Any]  # as ``shape.Shaping.as_kept`` gives it

UNUSUAL_TIMES = 6
USUAL_LEAST = 5  # thousandths that comparable files may always be apart
SHIFTED_HOURS = (-3, -2, -1, 1, 2, 3)
SHIFTED_LEAST = 15  # thousandths: below it two files have the same hours
LARGEST_PERCENT = 1000
RUN_PERCENT = 300
RUN_LEAST = 20
REPEATED_LEAST = 10
BROKEN_LEAST = 3
SAME_LEAST = 50  # records that followed one with the same value, without which a relation was not seen to hold
VALUE_RECORDS = 100  # records of a value below which nothing is said of it
GAP_PERCENT = 80  # months differ by a few days
SHUT_PERCENT = 5  # of a usual day, after the last hour of one that ends early
HEAVY_LEAST = 3 * MILLION // 100  # the share of a member from which on it is told that the member is gone
SIZE_APART = 60
SIZE_RECORDS = 200
RECURRING_PERCENT = 80
MOVED_RECORDS = 1000  # records of a value below which chance moves it too
TOLD_MOST = 5  # values of a field that are told by name


class Earlier(NamedTuple):
    """A comparable earlier file."""

    batch: int
    date: str
    shape: Shape


def looks(shape: Shape, earlier: Sequence[Earlier], rules: ShapeRules) -> Iterator[Seen]:
    """Yield what is unusual about a shape, compared with comparable earlier files; nothing where they are too few, or too small to say."""
    shapes = [each.shape for each in earlier if each.shape["records"]]
    if len(shapes) < rules.earlier_least or not _is_enough(shape, shapes, rules):
        return
    yield from _figures(shape, shapes, rules)
    if shape["records"] < rules.records_least:
        return
    amounts, fields = list(_amounts(shape, shapes, rules)), list(_fields(shape, shapes, rules))
    hours = list(_hours(shape, shapes, rules))
    yield from [*amounts, *fields, *hours]
    yield from _days(shape, shapes, rules)
    yield from _holders(shape, shapes, rules)
    # What has only drifted hides nothing: a note stops nobody.
    moved = {seen.facts["name"] for seen in fields if seen.severity is Severity.ALERT}
    moved |= {HOUR for seen in hours if seen.severity is Severity.ALERT}
    moved |= {AMOUNT for seen in amounts if seen.rule == "shape.sizes_moved"}
    yield from _relations(shape, shapes, rules, moved)
    yield from _repeated(shape, shapes, rules)


def _is_enough(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> bool:
    """Whether the file, or what is usual for it, has so many records that chance moves little."""
    least: int = min(each["records"] for each in shapes)
    return max(int(shape["records"]), least) >= rules.records_least


def _seen(rule: str, /, **facts: str | int) -> Seen:
    return Seen(rule, 0, 0, 0, b"", facts)


def _outside(found: int, usual: Sequence[int], percent: int) -> bool:
    """Whether a figure lies so many times beyond what comparable files had."""
    least, most = min(usual), max(usual)
    if most < 0:
        return _outside(-found, [-each for each in usual], percent)
    if least <= 0:
        spread = max(abs(least), abs(most))
        return bool(spread) and abs(found) * 100 > spread * percent * 2
    return found * 100 > most * percent or found * percent < least * 100


def _figures(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    counts, sums = [each["records"] for each in shapes], [each["sum"] for each in shapes]
    if _outside(shape["records"], counts, rules.count_percent):
        yield _seen("shape.count_outside", found=shape["records"], least=min(counts), most=max(counts))
    if _outside(shape["sum"], sums, rules.sum_percent):
        yield _seen("shape.sum_outside", found=shape["sum"], least=min(sums), most=max(sums))


def _amounts(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    name = shape["amount"]
    means = [each["sum"] // each["records"] for each in shapes]
    if _outside(found := shape["sum"] // shape["records"], means, rules.sum_percent):
        yield _seen("shape.average_outside", name=name, found=found, least=min(means), most=max(means))
    largest = [each["largest"] for each in shapes]
    if shape["largest"] * 100 > max(largest) * LARGEST_PERCENT:
        yield _seen("shape.largest_outside", name=name, found=shape["largest"], most=max(largest))
    for rule, counted in (("sizes", "sizes"), ("endings", "endings"), ("digits", "digits")):
        yield from _distribution(f"shape.{rule}_moved", name, shape[counted], [each[counted] for each in shapes], rules)
    signs = [_signs(each) for each in shapes]
    for value, _was, _is in _gone(_signs(shape), signs, rules):
        yield _seen(f"shape.{value}_gone", name=name, share=_percent(_was))
    for value, _was, _is in _come(_signs(shape), signs, rules):
        yield _seen(f"shape.{value}_new", name=name, share=_percent(_is))


def _signs(shape: Shape) -> dict[str, int]:
    negatives, zeros = shape["negatives"][0], shape["zeros"]
    return {"negative": negatives, "zero": zeros, "positive": shape["records"] - negatives - zeros}


def _distribution(
    rule: str, name: str, counts: Mapping[str, int], usual: Sequence[Mapping[str, int]], rules: ShapeRules
) -> Iterator[Seen]:
    """Yield that a distribution has moved, as an alert or, where it drifted, as a note."""
    index, apart = _index(counts, usual)
    if index >= max(rules.psi_alert, 2 * apart) or (
        index >= rules.psi_unusual and index >= UNUSUAL_TIMES * max(apart, USUAL_LEAST)
    ):
        yield _seen(rule, name=name, found=_thousandths(index), most=_thousandths(apart))
    elif index >= max(rules.psi_note, 2 * apart):
        yield _seen("shape.drifted", name=name, found=_thousandths(index), most=_thousandths(apart))


def _index(counts: Mapping[str, int], usual: Sequence[Mapping[str, int]]) -> tuple[int, int]:
    """Return how far counts are from what is usual, beyond chance, and how far the farthest of the usual is from the others."""
    of_usual = [shares(each) for each in usual]
    records = [sum(each.values()) for each in usual]
    cells = len(counts)
    index = stability(shares(counts), mean(of_usual)) - by_chance(cells, sum(counts.values()), sum(records))
    apart = 0
    for at, each in enumerate(of_usual):
        others = of_usual[:at] + of_usual[at + 1 :]
        apart = max(apart, stability(each, mean(others)) - by_chance(len(each), records[at], sum(records) - records[at]))
    return max(0, index), apart


def _fields(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    for name, field in shape["fields"].items():
        of_usual = [each["fields"][name] for each in shapes if name in each["fields"]]
        if len(of_usual) < rules.earlier_least:
            continue  # a column of a newer version of the source
        nulls = [_share(each["nulls"], sum(each["buckets"].values())) for each in of_usual]
        found = _share(field["nulls"], shape["records"])
        if found > max(nulls) + rules.value_permille * THOUSAND or found < min(nulls) - rules.value_permille * THOUSAND:
            yield _seen("shape.nulls_outside", name=name, share=_percent(found), most=_percent(max(nulls)))
        yield from _distribution("shape.lengths_moved", name, field["lengths"], [each["lengths"] for each in of_usual], rules)
        if (
            field["values"] is None
            or any(each["values"] is None for each in of_usual)
            or not _recurs([each["values"] for each in of_usual])
        ):
            yield from _distribution("shape.field_moved", name, field["buckets"], [each["buckets"] for each in of_usual], rules)
        else:
            yield from _values(name, field["values"], [each["values"] for each in of_usual], rules)


def _recurs(usual: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the values of a field come again from file to file, as shops do and slips do not: only then one more or less says something."""
    for at, each in enumerate(usual):
        known = set().union(*usual[:at], *usual[at + 1 :])
        total = sum(count for count, _size in each.values())
        if sum(count for value, (count, _size) in each.items() if value in known) * 100 < RECURRING_PERCENT * total:
            return False
    return True


def _values(name: str, values: Mapping[str, Any], usual: Sequence[Mapping[str, Any]], rules: ShapeRules) -> Iterator[Seen]:
    """Yield what moved of a field whose values can be told by name."""
    counts = {value: count for value, (count, _size) in values.items()}
    of_usual = [{value: count for value, (count, _size) in each.items()} for each in usual]
    yield from _distribution("shape.field_moved", name, counts, of_usual, rules)
    for value, _was, share in list(_come(counts, of_usual, rules))[:TOLD_MOST]:
        yield _seen("shape.value_new", name=name, value=value, share=_percent(share))
    for value, was, _is in list(_gone(counts, of_usual, rules))[:TOLD_MOST]:
        yield _seen("shape.value_gone", name=name, value=value, share=_percent(was))
    for value, was, share in list(_moved(counts, of_usual, rules))[:TOLD_MOST]:
        yield _seen("shape.value_moved", name=name, value=value, share=_percent(share), most=_percent(was))
    told = 0
    for value, (count, size) in sorted(values.items()):
        means = [each[value][1] * 100 // each[value][0] for each in usual if each.get(value, (0, 0))[0] >= VALUE_RECORDS]
        if count < VALUE_RECORDS or len(means) < rules.earlier_least:
            continue
        found = size * 100 // count
        # A size is the number of binary digits of an amount: one more, here a hundred, is twice as much.
        apart = found - max(means) if found > max(means) else min(means) - found
        if apart > (SIZE_APART if count >= SIZE_RECORDS else 3 * SIZE_APART) + max(means) - min(means) and told < TOLD_MOST:
            told += 1
            yield _seen(
                f"shape.value_amounts_{'up' if found > max(means) else 'down'}", name=name, value=value, times=_times(apart)
            )


def _come(counts: Mapping[str, int], usual: Sequence[Mapping[str, int]], rules: ShapeRules) -> Iterator[tuple[str, int, int]]:
    """Yield each value that no comparable file has, with its share."""
    total = sum(counts.values())
    for value, count in sorted(counts.items()):
        share = _share(count, total)
        if share >= rules.value_permille * THOUSAND and count >= VALUE_RECORDS and not any(each.get(value) for each in usual):
            yield value, 0, share


def _gone(counts: Mapping[str, int], usual: Sequence[Mapping[str, int]], rules: ShapeRules) -> Iterator[tuple[str, int, int]]:
    """Yield each value that all comparable files have, with its least share, and that is gone, but for a tenth at most."""
    total = sum(counts.values())
    for value in sorted(set.intersection(*[set(each) for each in usual])):
        was = min(_share(each[value], sum(each.values())) for each in usual)
        if was * 2 >= rules.value_permille * THOUSAND and was * total >= VALUE_RECORDS * MILLION:
            share = _share(counts.get(value, 0), total)
            if share * 10 <= was:
                yield value, was, share


def _moved(
    counts: Mapping[str, int], usual: Sequence[Mapping[str, int]], rules: ShapeRules, percent: int = 0
) -> Iterator[tuple[str, int, int]]:
    """Yield each value of which there is far more, or far less, than in any comparable file, with the nearest share that one had."""
    total = sum(counts.values())
    for value in sorted(set.intersection(*[set(each) for each in usual])):
        had = [_share(each[value], sum(each.values())) for each in usual]
        share = _share(counts.get(value, 0), total)
        near = max(had) if share > max(had) else min(had)
        if (
            _outside(share, had, percent or rules.value_percent)
            and abs(share - near) * 2 >= max(rules.value_permille * THOUSAND, max(had) - min(had))
            and share * 10 > min(had)
            and max(share, near) * total >= MOVED_RECORDS * MILLION
        ):
            yield value, near, share


def _hours(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    if not shape["hours"]:
        return
    name = shape["when"]
    usual = [each["hours"] for each in shapes if each["hours"]]
    if len(usual) < rules.earlier_least:
        return
    index, apart = _index(shape["hours"], usual)
    of_usual = mean([shares(each) for each in usual])
    shifted = {by: stability(shares(_by(shape["hours"], by)), of_usual) for by in SHIFTED_HOURS}
    by = min(shifted, key=lambda each: (shifted[each], abs(each)))
    if index >= max(SHIFTED_LEAST, 2 * apart) and shifted[by] * 2 <= index:
        yield _seen("shape.hours_shifted", name=name, hours=-by, found=_thousandths(index))
    else:
        yield from _distribution("shape.hours_moved", name, shape["hours"], usual, rules)


def _by(hours: Mapping[str, int], by: int) -> dict[str, int]:
    return {str((int(hour) + by) % 24): count for hour, count in hours.items()}


def _days(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    usual = [each["days"] for each in shapes if each["days"]]
    if len(usual) < rules.earlier_least or not shape["days"]:
        return
    name, told = shape["when"], 0
    missing = list(_gone(shape["days"], usual, rules))
    missing += [each for each in _moved(shape["days"], usual, rules, percent=2 * 100) if each[1] > each[2]]
    for value, was, share in missing[:TOLD_MOST]:
        rule = "shape.day_shut" if _was_shut(shape, int(value)) else "shape.day_gone"
        told += rule == "shape.day_gone"
        yield _seen(rule, name=name, days=int(value), share=_percent(share), most=_percent(was))
    if not told:
        yield from _distribution("shape.days_moved", name, shape["days"], usual, rules)


def _was_shut(shape: Shape, day: int) -> bool:
    """Whether the day before ends early: a shop that is shut for a day shuts before midnight, and a day that was lost is cut off at midnight."""
    last = shape["last_hours"].get(str(day - 1))
    if last is None or str(day) in shape["days"]:
        return False
    of_day = shares(shape["hours"])
    return sum(share for hour, share in of_day.items() if int(hour) > last) * 100 >= SHUT_PERCENT * MILLION


def _holders(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    before = [each["holders"] for each in shapes]
    if not shape["holders"]["counts"] or not all(each["counts"] for each in before):
        return
    usual = []
    for at, each in enumerate(before):
        new, asked = samples.unknown(each, before[:at] + before[at + 1 :])
        usual.append(_share(new, asked))
    new, asked = samples.unknown(shape["holders"], before)
    share = _share(new, asked)
    if asked >= VALUE_RECORDS and share > max(usual) + rules.holders_percent * (MILLION // 100):
        yield _seen("shape.holders_new", share=_percent(share), most=_percent(max(usual)))
    heavy = [each["heavy"] for each in shapes]
    for holder in set.intersection(*[set(each) for each in heavy]):
        was = min(_share(each[holder], of["records"]) for each, of in zip(heavy, shapes, strict=True))
        share = _share(shape["heavy"].get(holder, 0), shape["records"])
        if was >= HEAVY_LEAST and share * 10 <= was:
            yield _seen("shape.holder_gone", most=_percent(was))


def _relations(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules, moved: set[Any]) -> Iterator[Seen]:
    for pair, count in shape["broken"].items():
        name, other = pair.split("\x1f")
        same = [each["same"].get(name, 0) for each in shapes]
        was = [each["broken"].get(pair, 0) for each in shapes]
        if count >= BROKEN_LEAST and min(same) >= SAME_LEAST and not any(was):
            yield _seen("shape.relation_broken", name=name, other=other, count=count)
    for pair, counts in shape["pairs"].items():
        name, other = pair.split("\x1f")
        usual = [each["pairs"][pair] for each in shapes if pair in each["pairs"]]
        # Where a field moved by itself, whatever goes with it has moved too; small files fill too few of the cells.
        if len(usual) < rules.earlier_least or {name, other} & moved or shape["records"] < 10 * len(counts):
            continue
        for seen in _distribution("shape.relation_moved", name, counts, usual, rules):
            if seen.rule == "shape.relation_moved":
                yield _seen("shape.relation_moved", **{**seen.facts, "name": _named(shape, name), "other": _named(shape, other)})


def _named(shape: Shape, name: str) -> str:
    """Return the column of one side of a pair."""
    return str({HOUR: shape["when"], AMOUNT: shape["amount"]}.get(name, name))


def _repeated(shape: Shape, shapes: Sequence[Shape], rules: ShapeRules) -> Iterator[Seen]:
    for name, (asked, repeated) in shape["repeats"].items():
        usual = [_share(again, of) for of, again in (each["repeats"][name] for each in shapes if name in each["repeats"])]
        if len(usual) < rules.earlier_least or repeated < REPEATED_LEAST:
            continue
        share = _share(repeated, asked)
        if share > max(usual) * 11 // 10 + rules.repeated_permille * THOUSAND + (max(usual) - min(usual)) // 2:
            yield _seen("shape.records_repeated", name=name, share=_percent(share), most=_percent(max(usual)))
    runs = [each["run"] for each in shapes]
    if shape["run"] >= RUN_LEAST and shape["run"] * 100 > max(runs) * RUN_PERCENT:
        yield _seen("shape.run_of_equal", found=shape["run"], most=max(runs))


def gap(found: int, usual: Sequence[int]) -> Iterator[Seen]:
    """Yield that a file of a day before is missing: this one comes so many more days after the last than comparable ones did."""
    if usual and found * GAP_PERCENT > max(usual) * 100 and found > max(usual):
        yield _seen("shape.file_missing", found=found, most=max(usual))


def of_earlier(
    shape: Shape, earlier: Sequence[Earlier], usual: Sequence[tuple[Shape, Shape]], rules: ShapeRules
) -> Iterator[Seen]:
    """Yield that most records are, but for their day and one column of their key, those of an earlier file. ``usual`` are earlier files, two by two."""
    for name, sample in shape["contents"].items():
        shares_of_usual = [
            _shared(one["contents"][name], other["contents"][name])
            for one, other in usual
            if name in one["contents"] and name in other["contents"]
        ]
        found = [(_shared(sample, each.shape["contents"][name]), each) for each in earlier if name in each.shape["contents"]]
        share, first = max(found, key=lambda each: each[0], default=(0, None))
        if (
            first is not None
            and share >= rules.earlier_percent * (MILLION // 100)
            and share > max(shares_of_usual, default=0) + MILLION // 10
        ):
            yield _seen("shape.records_of_earlier", name=name, share=_percent(share), batch=first.batch, date=first.date)
            return


def _shared(one: samples.Kept, other: samples.Kept) -> int:
    both, asked = samples.shared(one, other)
    return _share(both, asked) if asked >= VALUE_RECORDS else 0


def _share(part: int, whole: int) -> int:
    return part * MILLION // whole if whole else 0


def _percent(share: int) -> str:
    """Return a share in a million as people write it."""
    return f"{share // 10_000}.{share % 10_000 // THOUSAND} %"


def _thousandths(index: int) -> str:
    return f"{index // THOUSAND}.{index % THOUSAND:03d}"


def _times(apart: int) -> str:
    """Return how many times one amount is another whose size is so far away, in hundredths of a binary digit; between two powers nearly so."""
    whole, part = divmod(apart, 100)
    tenths = (10 << whole) * (100 + part) // 100
    return f"{tenths // 10}.{tenths % 10}"
