"""Columns in the forms of senders are read whole, or refused with line and path of every reason."""

from zoneinfo import ZoneInfo

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.amount_styles import AmountStyle, Sign
from ingestion_app.formats.definition import Column, Kind, Padding, Side, SignBy
from tests.support.definitions import COLUMNS, NO_CONTROLS, ROLES, definition, line_of, problems, text

AMOUNT = 'kind = "amount", minimum = -1000000000'
DATE = 'format = "YYYY-MM-DD"'
TWO = COLUMNS.replace(
    '{ name = "amount", ' + AMOUNT + " },",
    '{ name = "paid_in", kind = "amount", optional = true },\n{ name = "paid_out", kind = "amount", optional = true },',
)
SIDES = 'computed = [{ name = "amount", plus = "paid_in", minus = "paid_out" }]'


def column(name: str, columns: str, data: str = "") -> Column:
    read = definition(columns=columns, data=data).layout.data
    return read.columns[read.position(name)]


def test_an_amount_says_how_it_is_written():
    more = ', decimals = 2, point = ",", thousands = ".", sign = "trailing", plus = true, minor_digits = 0, fewer_decimals = true'
    found = column("amount", COLUMNS.replace(AMOUNT, AMOUNT + more))
    assert found.amount == AmountStyle(2, 0, ",", True, ".", Sign.TRAILING, True)
    assert column("amount", COLUMNS).amount is None
    assumed = column("amount", COLUMNS.replace(AMOUNT, AMOUNT + ', decimals = 2, point = "none"'))
    assert assumed.amount == AmountStyle(2, 2, None)
    padded = column("amount", COLUMNS.replace(AMOUNT, AMOUNT + ', padding = { side = "left", with = "0" }'))
    assert (padded.amount, padded.padding) == (AmountStyle(zero_padded=True), None)
    blank = column("amount", COLUMNS.replace(AMOUNT, AMOUNT + ', padding = { side = "left", with = " " }'))
    assert (blank.amount, blank.padding) == (None, Padding(Side.LEFT, " "))


def test_a_date_says_its_format_century_and_era():
    assert column("sold_on", COLUMNS.replace(DATE, 'format = "DD.MM.YY", century = 2000')).century == 2000
    assert column("sold_on", COLUMNS.replace(DATE, 'format = "YYMMDD", era = "reiwa"')).era == "reiwa"
    instant = COLUMNS.replace('kind = "date", ' + DATE, 'kind = "instant", format = "YYYYMMDDHHMMSS", zone = "Asia/Tokyo"')
    assert column("sold_on", instant).zone == ZoneInfo("Asia/Tokyo")
    offset = instant.replace('HHMMSS", zone = "Asia/Tokyo"', 'THH:MM:SS+HH:MM"')
    assert column("sold_on", offset).zone is None


def test_amounts_may_be_made_of_other_columns():
    made = column("amount", TWO, SIDES)
    assert (made.kind, made.plus, made.minus, made.minimum) == (Kind.AMOUNT, "paid_in", "paid_out", -(10**15))
    columns = COLUMNS.replace('"amount", kind', '"value", kind') + '{ name = "side", kind = "identifier" }'
    signs = 'computed = [{ name = "amount", of = "value", signs = [{ column = "side", positive = ["C"], negative = ["D"] }] }]'
    assert column("amount", columns, signs).signs == (SignBy("side", ("C",), ("D",)),)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (AMOUNT, AMOUNT + ", decimals = 2", "amount.point"),
        (AMOUNT, AMOUNT + ', decimals = 5, point = "."', "amount.decimals"),
        (AMOUNT, AMOUNT + ', point = "."', "amount.point"),
        (AMOUNT, AMOUNT + ', decimals = 2, point = ";"', "amount.point"),
        (AMOUNT, AMOUNT + ', decimals = 2, point = ".", thousands = "."', "amount.thousands"),
        (AMOUNT, AMOUNT + ', decimals = 2, point = "none", fewer_decimals = true', "amount.fewer_decimals"),
        (AMOUNT, AMOUNT + ', sign = "behind"', "amount.sign"),
        (AMOUNT, AMOUNT + ', sign = "parentheses", plus = true', "amount.plus"),
        (AMOUNT, AMOUNT + ', decimal = 2, point = "."', "amount.decimal"),
        (AMOUNT, AMOUNT + ', padding = { side = "both", with = "0" }', "amount.padding.side"),
        (AMOUNT, AMOUNT + ', padding = { side = "left", with = "00" }', "amount.padding.with"),
        (AMOUNT, AMOUNT + ', padding = "0"', "amount.padding"),
        (AMOUNT, AMOUNT + ', optional = true, default = "x"', "amount.default"),
        (AMOUNT, AMOUNT + ', optional = true, default = "  ", padding = { side = "left", with = " " }', "amount.default"),
        (DATE, 'format = "YYYYMD"', "sold_on.format"),
        (DATE, 'format = "YYYY-MM-DDZ"', "sold_on.format"),
        (DATE, 'format = "YYYY-MM-DD+HH:MM"', "sold_on.format"),
        ('kind = "date", ' + DATE, 'kind = "instant", format = "YYYY-MM-DD HH:MM.fff", zone = "UTC"', "sold_on.format"),
        (DATE, 'format = "DD.MM"', "sold_on.year"),
        (DATE, 'format = "DD.MM.YY"', "sold_on.format"),
        (DATE, 'format = "DD.MM.YY", century = 2000, era = "reiwa"', "sold_on.format"),
        (DATE, 'format = "DD.MM.YY", century = 2017', "sold_on.century"),
        (DATE, 'format = "DD.MM.YY", era = "meiji"', "sold_on.era"),
        (DATE, 'format = "DD.MM.YYYY", century = 2000', "sold_on.century"),
        (DATE, 'format = "DD.DD.YYYY"', "sold_on.format"),
        (DATE, 'format = "DD.MM.YYYY HH:MM"', "sold_on.format"),
        (DATE, 'format = "jj.MM.YYYY"', "sold_on.format"),
        ('kind = "date", ' + DATE, 'kind = "instant", format = "YYYYMMDD"', "sold_on.format"),
        ('kind = "date", ' + DATE, 'kind = "instant", format = "YYYYMMDDHHMMSS"', "sold_on.zone"),
        ('kind = "date", ' + DATE, 'kind = "instant", format = "YYYYMMDDHHMMSSZ", zone = "UTC"', "sold_on.zone"),
        ("width = 10", "width = 10, values = []", "shop.values"),
        ("width = 10", 'width = 10, pattern = "(a+)+"', "shop.pattern"),
        ("width = 10", 'width = 10, pattern = "a*"', "shop.pattern"),
        ("width = 10", 'width = 10, pattern = "a?b?c?"', "shop.pattern"),
        ("width = 10", 'width = 10, pattern = "[z-a]"', "shop.pattern"),
        ("width = 10", 'width = 10, empty = ["-"]', "shop.empty"),
        ("width = 10", 'width = 2, values = ["31", "310"]', "shop.values"),
        ("width = 10", 'width = 10, values = ["é"]', "shop.values"),
        ("width = 10", 'width = 10, values = ["31"], pattern = "[a-z]"', "shop.values"),
        ("width = 10", 'width = 10, values = ["A-"], padding = { side = "right", with = "-" }', "shop.values"),
        ("width = 10", 'width = 10, constant = "A-", padding = { side = "right", with = "-" }', "shop.constant"),
    ],
)
def test_what_a_column_cannot_be_is_named_with_its_line(old, new, path):
    source = text(columns=COLUMNS.replace(old, new))
    names = ["member", "shop", "slip", "amount", "sold_on"]
    name, _dot, key = path.partition(".")
    assert (line_of(source, f'name = "{name}"'), f"layout.data.columns[{names.index(name)}].{key}") in problems(source)


@pytest.mark.parametrize(
    ("side", "value", "is_held"),
    [
        ('kind = "identifier"', "C", True),
        ('kind = "identifier"', "é", False),
        ('kind = "identifier"', "", False),
        ('kind = "identifier", width = 1', "CR", False),
        ('kind = "identifier", values = ["C", "X"]', "C", True),
        ('kind = "identifier", values = ["B", "X"]', "C", False),
        ('kind = "text"', "C ", True),
        ('kind = "text", padding = { side = "right", with = " " }', "C ", False),
        ('kind = "text", optional = true', "", True),
        ('kind = "text", optional = true, default = "X"', "", False),
        ('kind = "text", optional = true, empty = ["-"]', "-", False),
        ('kind = "count"', "1", True),
        ('kind = "count", padding = { side = "left", with = "0" }', "01", False),
    ],
)
def test_a_value_that_says_a_sign_is_one_that_its_column_could_hold(side, value, is_held):
    columns = COLUMNS.replace('"amount", kind', '"paid", kind') + f'{{ name = "side", {side} }},'
    other = '"8"' if "count" in side else '"X"'
    for key, opposite in (("positive", "negative"), ("negative", "positive")):
        sign = f'{{ column = "side", {key} = ["{value}"], {opposite} = [{other}] }}'
        source = text(columns=columns, data=f'computed = [{{ name = "amount", of = "paid", signs = [{sign}] }}]')
        if is_held:
            assert len(toml.parse(source).layout.data.computed) == 1
        else:
            assert [path for _line, path in problems(source)] == [f"layout.data.computed[0].signs[0].{key}"]


@pytest.mark.parametrize(
    ("computed", "path"),
    [
        ('{ name = "amount" }', "[0].name"),
        ('{ name = "amount", plus = "paid_in" }', "[0].minus"),
        ('{ name = "amount", plus = "paid_in", minus = "paid_in" }', "[0].minus"),
        ('{ name = "amount", plus = "paid_in", minus = "member" }', "[0].minus"),
        ('{ name = "amount", plus = "paid_in", minus = "nothing" }', "[0].minus"),
        ('{ name = "member", plus = "paid_in", minus = "paid_out" }', "[0].name"),
        ('{ name = "amount", of = "paid_in", signs = [] }', "[0].of"),
        ('{ name = "amount", of = "paid_in" }', "[0].signs"),
        (
            '{ name = "amount", of = "paid_in", signs = [{ column = "x", positive = ["C"], negative = ["D"] }] }',
            "[0].signs[0].column",
        ),
        (
            '{ name = "amount", of = "paid_in", signs = [{ column = "shop", positive = ["C"], negative = ["C"] }] }',
            "[0].signs[0].negative",
        ),
        ('{ name = "amount", of = "paid_in", signs = [{ column = "shop", positive = ["C"] }] }', "[0].signs[0].negative"),
        (
            '{ name = "amount", of = "paid_in", signs = [SIGN, SIGN] }'.replace(
                "SIGN", '{ column = "shop", positive = ["C"], negative = ["D"] }'
            ),
            "[0].signs",
        ),
    ],
)
def test_what_cannot_be_computed_is_named(computed, path):
    source = text(columns=TWO, data=f"computed = [{computed}]")
    assert (line_of(source, "computed"), f"layout.data.computed{path}") in problems(source)


@pytest.mark.parametrize(
    "key",
    [
        '["@line"]',
        '["@line", "@sequence"]',
        '["@occurrence"]',
        '["@business_date", "@sequence"]',
        '["slip", "@lines"]',
        '["slip", "@line"]',
    ],
)
def test_a_key_that_names_no_record_is_refused(key):
    source = text(roles=ROLES.replace('["slip"]', key) + NO_CONTROLS)
    assert (line_of(source, "key ="), "roles.key") in problems(source)


def test_a_key_has_to_fit_into_a_reference_with_all_of_its_parts():
    wide = COLUMNS.replace("width = 20", "width = 64")
    assert not definition(columns=wide).roles.controls
    source = text(columns=wide, roles=ROLES.replace('["slip"]', '["slip", "amount", "sold_on", "@sequence"]') + NO_CONTROLS)
    assert (line_of(source, "key ="), "roles.key") in problems(source)
