"""What a definition takes has one meaning: no format leaves a date open, and nothing that is taken off a field changes its value."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations, product

import pytest

from ingestion_app.formats.definition import Column, Kind
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.moments import compile_format
from ingestion_app.formats.toml import DefinitionInvalid
from ingestion_app.formats.values import Value, field_reader
from tests.support.definitions import COLUMNS, definition

DAYS = [date(2016, 1, 1) + timedelta(days=number) for number in range(366)]
SEPARATORS = ["", "-", "年"]


def spelled() -> Iterator[tuple[str, ...]]:
    for year, month, day in product(["YYYY", "YY"], ["M", "MM"], ["D", "DD"]):
        for order in permutations([year, month, day]):
            for first, second in product(SEPARATORS, SEPARATORS):
                yield order[0], first, order[1], second, order[2]


def written(pieces: tuple[str, ...], day: date) -> str:
    texts = {
        "YYYY": str(day.year),
        "YY": f"{day.year % 100:02}",
        "MM": f"{day.month:02}",
        "M": str(day.month),
        "DD": f"{day.day:02}",
        "D": str(day.day),
    }
    return "".join(texts.get(piece, piece) for piece in pieces)


def test_a_format_reads_back_every_day_that_it_writes_or_is_refused_where_month_and_day_run_into_each_other():
    for pieces in spelled():
        compiled = compile_format("".join(pieces), century=2000)
        month, day = sorted(pieces.index(each) for each in pieces if each[:1] in {"M", "D"})
        run_together = {"M", "D"} <= set(pieces) and not {"-", "年"} & set(pieces[month:day])
        assert (compiled is None) == run_together, pieces
        if compiled is None:
            continue
        texts = [written(pieces, each) for each in DAYS]
        read = [compiled.read(text) for text in texts]
        assert [each.clock.date() if each else None for each in read] == DAYS, pieces


# Kinds whose values are numbers, as they are written, with values of which some begin or end with what may be taken off.
NUMBERS = {
    'kind = "amount", minimum = -1000000': ["1000", "-5", "-10", "0", "7"],
    'kind = "amount", decimals = 2, point = ".", minimum = -1000000': ["0.50", "10.00", "-0.05", "1000.10"],
    'kind = "amount", decimals = 2, point = ",", thousands = ".", sign = "trailing", minimum = -1000000': [
        "1.000,00",
        "0,50-",
        "10,00",
    ],
    'kind = "amount", sign = "parentheses", minimum = -1000000': ["(10)", "10", "0"],
    'kind = "count"': ["0", "7", "10", "1000"],
    'kind = "date", format = "YYYY-M-D"': ["2017-1-10", "2020-12-1"],
    'kind = "date", format = "D/M/YYYY"': ["10/1/2020", "1/10/2010"],
    'kind = "date", format = "YYYYMMDD"': ["20200120", "20171011"],
    'kind = "instant", format = "D.M.YYYY HH:MM", zone = "UTC"': ["10.1.2020 10:00", "1.1.2020 00:10"],
}
SIGNS = [chr(number) for number in range(0x20, 0x7F)] + ["０", "\u3000", "−"]


def column(spelled: str) -> Column | None:
    quoted = COLUMNS + f'{{ name = "given", {spelled} }},'
    try:
        data = definition(columns=quoted).layout.data
    except DefinitionInvalid:
        return None
    return data.columns[data.position("given")]


def taken(column: Column, text: str) -> Value | None:
    value = field_reader(column).read(text)
    return None if isinstance(value, Fault) else value


@pytest.mark.parametrize("spelled", NUMBERS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_what_fills_a_number_up_is_none_of_it(spelled, side):
    bare = column(spelled)
    assert bare is not None
    allowed = 0
    for sign in SIGNS:
        character = {'"': '\\"', "\\": "\\\\"}.get(sign, sign)
        filled = column(f'{spelled}, padding = {{ side = "{side}", with = "{character}" }}')
        if filled is None:
            continue
        allowed += 1
        for text in NUMBERS[spelled]:
            value = taken(bare, text)
            assert value is not None
            for fill in ("", sign, sign * 3):
                given = fill + text if side == "left" else text + fill
                assert taken(filled, given) in {value, None}, (sign, given)
    assert allowed > len(SIGNS) // 2


@pytest.mark.parametrize("kind", [Kind.AMOUNT, Kind.COUNT, Kind.IDENTIFIER, Kind.TEXT])
@pytest.mark.parametrize("character", ["0", " "])
@pytest.mark.parametrize("default", ["7", "07", "0007", "0", "000"])
def test_a_default_is_read_as_a_field_is_and_never_stops_a_file(kind, character, default):
    read = column(f'kind = "{kind}", optional = true, default = "{default}", padding = {{ side = "left", with = "{character}" }}')
    if read is None:
        return
    given = field_reader(read)
    assert given.read("") == given.read(default)
    assert not isinstance(given.read(""), Fault)


@pytest.mark.parametrize("empty", ["00000000", "0", "-", "99999999"])
def test_what_stands_for_an_empty_field_does_so_as_it_is_written(empty):
    padded = f'optional = true, empty = ["{empty}"], padding = {{ side = "left", with = "0" }}'
    for spelled in (f'kind = "date", format = "YYYYMMDD", {padded}', f'kind = "count", {padded}', f'kind = "amount", {padded}'):
        read = column(spelled)
        assert read is not None
        assert field_reader(read).read(empty) is None
