"""A definition of rows, header rows and the like is read whole, or refused with every reason and its line."""

from itertools import product
from string import ascii_letters, digits

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import HeaderRow, Mark
from tests.support.definitions import COLUMNS, DELIMITED, NO_CONTROLS, POSTING, ROLES, definition, line_of, problems, text

TRAILER = '[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "count", kind = "count" }, { name = "sum", kind = "amount" }]\n'
HEADER = '[layout.header]\nmarker = "H"\ncolumns = []\n'


def test_rows_alone_are_a_layout():
    layout = definition().layout
    assert (layout.header, layout.trailer, layout.end, layout.data.marker) == (None, None, None, None)
    assert definition().roles.controls == ()
    with_trailer = definition(types=TRAILER, roles=ROLES + 'trailer_count = "count"\n')
    assert with_trailer.roles.controls == ("count",)


def test_what_a_sender_does_is_said_key_by_key():
    more = 'preamble_lines = 3\ncomment = "//"\nheader_row = "any order"\ntrailing_delimiter = true\nfinal_ending = "optional"\n'
    more += 'quoted_newlines = true\nbyte_order_mark = "optional"\n'
    columns = COLUMNS.replace('name = "shop",', 'name = "shop", heading = "店", optional = true, default = "0",')
    layout = definition(more_layout=more, columns=columns + '{ name = "rest", kind = "unused" }').layout
    assert (layout.preamble_lines, layout.comment, layout.header_row) == (3, "//", HeaderRow.ANY_ORDER)
    assert (layout.has_trailing_delimiter, layout.may_end_without_ending, layout.has_quoted_newlines) == (True, True, True)
    assert layout.byte_order_mark is Mark.OPTIONAL
    shop = layout.data.columns[1]
    assert (shop.heading, shop.optional, shop.default, shop.may_be_absent) == ("店", True, "0", False)
    assert layout.data.columns[-1].may_be_absent


def test_none_of_it_is_so_where_nothing_is_said():
    layout = definition().layout
    assert (layout.preamble_lines, layout.comment, layout.header_row, layout.byte_order_mark) == (0, None, None, None)
    assert not any((layout.has_trailing_delimiter, layout.may_end_without_ending, layout.has_quoted_newlines))
    assert not any(column.optional for column in layout.data.columns)


@pytest.mark.parametrize(
    ("source", "fragment", "path"),
    [
        (text(roles=ROLES), "[roles]", "roles.trailer_count"),
        (text(roles=ROLES + 'controls = "no"\n'), 'controls = "no"', "roles.controls"),
        (text(types=TRAILER, roles=ROLES + NO_CONTROLS + 'trailer_count = "count"\n'), "controls", "roles.controls"),
        (text(roles=ROLES + 'trailer_count = "count"\n'), "trailer_count", "roles.trailer_count"),
        (text(more_layout='header_row = "yes"'), "header_row", "layout.header_row"),
        (text(more_layout='header_row = "in order"', types=HEADER), "header_row", "layout.header_row"),
        (text(more_layout="preamble_lines = 0"), "preamble_lines", "layout.preamble_lines"),
        (text(more_layout='comment = ""'), "comment", "layout.comment"),
        (text(more_layout='comment = "T#"', types=TRAILER), "comment", "layout.comment"),
        (text(more_layout="trailing_delimiter = 1"), "trailing_delimiter", "layout.trailing_delimiter"),
        (text(more_layout='final_ending = "maybe"'), "final_ending", "layout.final_ending"),
        (text(DELIMITED.replace("quote = '\"'", "quoted_newlines = true")), "quoted_newlines", "layout.quoted_newlines"),
        (text(DELIMITED.replace("utf-8", "cp932") + 'byte_order_mark = "optional"'), "byte_order", "layout.byte_order_mark"),
        (text(DELIMITED.replace("utf-8", "cp932").replace('","', '"😀"')), "delimiter", "layout.delimiter"),
        (text(DELIMITED.replace('","', "'\"'")), "delimiter", "layout.delimiter"),
        (text(columns=""), "columns", "layout.data.columns"),
        (text(data='marker = "#"'), 'marker = "#"', "layout.data.marker"),
        (text(types="[layout.trailer]\ncolumns = []\n"), "[layout.trailer]", "layout.trailer.marker"),
        (text(columns=COLUMNS.replace('"shop",', '"shop", heading = "x",')), '"shop"', "layout.data.columns[1].heading"),
        (
            text(more_layout='header_row = "in order"', columns=COLUMNS.replace('"shop",', '"shop", heading = "member",')),
            '"shop"',
            "layout.data.columns[1].heading",
        ),
        (text(columns=COLUMNS.replace('"shop",', '"shop", default = "1",')), '"shop"', "layout.data.columns[1].default"),
        (
            text(columns=COLUMNS.replace('"shop",', '"shop", optional = true, default = "a b",')),
            '"shop"',
            "layout.data.columns[1].default",
        ),
        (text(columns=COLUMNS.replace('"shop",', '"shop", joins_lines = true,')), '"shop"', "layout.data.columns[1].joins_lines"),
        (text(columns=COLUMNS + '{ name = "x", kind = "unused", width = 3 }'), '"x"', "layout.data.columns[5].width"),
        (text(columns=COLUMNS.replace('"slip",', '"slip", optional = true,')), "key =", "roles.key"),
        (text(columns=COLUMNS.replace('"member",', '"member", optional = true,')), "holder =", "roles.holder"),
        (
            text(columns=COLUMNS.replace('kind = "amount",', 'kind = "amount", optional = true,')),
            'amount = "amount"',
            "roles.amount",
        ),
        (text(columns=COLUMNS.replace('kind = "date",', 'kind = "date", optional = true,')), "effective", "posting[0].effective"),
        (
            text(
                columns=COLUMNS.replace('"shop",', '"shop", optional = true,'),
                posting=POSTING.replace("settlement.31", "settlement.{shop}"),
            ),
            "credit",
            "posting[0].credit.code",
        ),
        (
            text(columns=COLUMNS + '{ name = "x", kind = "unused" }', posting=POSTING.replace("{slip}", "{x}")),
            "description",
            "posting[0].description",
        ),
    ],
)
def test_what_does_not_pass_is_named_with_its_line(source, fragment, path):
    found = problems(source)
    assert path in [each for _line, each in found]
    line = next(line for line, each in found if each == path)
    whole = source.splitlines()
    assert fragment in whole[line - 1] or line == line_of(source, fragment)


def test_a_description_may_name_a_column_that_may_be_absent():
    using = definition(
        columns=COLUMNS.replace('"shop",', '"shop", optional = true,'), posting=POSTING.replace("{slip}", "{shop}{slip}")
    )
    assert using.layout.data.columns[1].may_be_absent


@pytest.mark.parametrize("sign", [chr(number) for number in range(0x21, 0x7F)])
def test_no_line_that_is_read_is_ever_taken_for_a_comment(sign):
    first = '{ name = "first", kind = "amount", optional = true, HEADING padding = { side = "left", with = "*" } },'
    quoted = sign.replace("\\", "\\\\").replace('"', '\\"')
    for row, marker in product(("", 'header_row = "any order"'), ("", 'marker = "D"')):
        source = text(
            columns=first.replace("HEADING", 'heading = "$",' if row else "") + COLUMNS,
            data=marker,
            more_layout=f'comment = "{quoted}"\n{row}',
        )
        read = set(",'\"D" if marker else ",'\"*+-._(" + ascii_letters + digits) - {"'"}
        if row:
            read |= {"$", "m", "s", "a"}  # what headings begin with
        if sign in read:
            assert [path for _line, path in problems(source)] == ["layout.comment"], (row, marker)
        else:
            assert toml.parse(source).layout.comment == sign
