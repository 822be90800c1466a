"""A definition is read whole or refused with every reason and its line."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import AccountRule, Column, InstantFormat, Kind
from ledger_app.base.rules.toml_positions import line_of, positions

TEXT = (Path(__file__).parents[3] / "ingestion_app/demo/card-usage.toml").read_text(encoding="utf-8")


def changed(*replacements: tuple[str, str]) -> str:
    text = TEXT
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(toml.DefinitionInvalid) as refused:
        toml.parse(text)
    assert all(problem.sentence for problem in refused.value.problems)
    return [(problem.line, problem.path) for problem in refused.value.problems]


def line(fragment: str) -> int:
    return next(number for number, text in enumerate(TEXT.splitlines(), start=1) if fragment in text)


def test_the_demonstration_is_read():
    definition = toml.parse(TEXT)
    assert (definition.code, definition.name, definition.set_aside_limit, definition.chunk_records) == (
        "card-usage",
        "Card purchases",
        0,
        5000,
    )
    assert (definition.failing_chunks, definition.applied_within_minutes) == (10, 60)
    assert definition.name_pattern is not None
    assert definition.name_pattern.fullmatch("card-usage-2017-01-31-1.csv")
    assert definition.layout.data.columns[1] == Column("store", Kind.IDENTIFIER, width=10)
    assert definition.layout.end is not None
    assert (definition.layout.line_ending, definition.layout.line_bytes, definition.layout.quote) == (b"\n", 1000, '"')
    assert definition.roles.key == ("slip", "product")
    assert [(posting.book, posting.per) for posting in definition.postings] == [("CARD", 1), ("POINTS", 100)]
    assert definition.postings[0].credit == AccountRule(code="settlement.{store}")


def test_a_source_may_state_the_order_of_its_records():
    assert toml.parse(TEXT).roles.order is None
    assert toml.parse(changed(('holder = "member"', 'holder = "member"\norder = "purchased_at"'))).roles.order == "purchased_at"


def test_what_is_optional_may_be_left_out():
    text = re.sub(r"(?m)^(name_pattern|quote|header_\w+) = .*\n", "", TEXT)
    definition = toml.parse(text.replace('[layout.end]          # optional\nmarker = "E"\ncolumns = []\n', ""))
    assert (definition.name_pattern, definition.layout.quote, definition.layout.end) == (None, None, None)
    assert (definition.roles.header_business_date, definition.roles.header_sequence) == (None, None)


def test_without_limits_of_its_own_a_source_pauses_after_ten_failing_chunks_and_is_never_late():
    text = changed(("failing_chunks = 10", ""), ("[sla]                 # optional\napplied_within_minutes = 60\n", ""))
    definition = toml.parse(text)
    assert (definition.failing_chunks, definition.applied_within_minutes) == (10, None)
    definition = toml.parse(changed(("failing_chunks = 10", "failing_chunks = 3"), ("_minutes = 60", "_minutes = 90")))
    assert (definition.failing_chunks, definition.applied_within_minutes) == (3, 90)


def test_local_times_carry_their_zone():
    text = changed(('"YYYY-MM-DDTHH:MM:SSZ"', '"YYYY-MM-DD HH:MM:SS", zone = "Asia/Tokyo"'))
    column = toml.parse(text).layout.data.columns[5]
    assert (column.format, column.zone) == (InstantFormat.LOCAL, ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('code = "card-usage"', 'code = "Card Usage"', "source.code"),
        ('code = "card-usage"', 'code = "adjustment"', "source.code"),
        ('code = "card-usage"', 'code = "expiry"', "source.code"),
        ('code = "card-usage"', 'code = "hold"', "source.code"),
        ('code = "card-usage"', 'code = "merge"', "source.code"),
        ('code = "card-usage"', 'code = "reversal"', "source.code"),
        ('name = "Card purchases"', 'name = " "', "source.name"),
        ("name_pattern = 'card", "name_pattern = '(card", "source.name_pattern"),
        ("(?P<sequence>", "(?P<number>", "source.name_pattern"),
        ("set_aside = 0", "set_aside = -1", "limits.set_aside"),
        ("set_aside = 0", "set_aside = true", "limits.set_aside"),
        ("line_bytes = 1000", 'line_bytes = "1000"', "limits.line_bytes"),
        ("chunk_records = 5000", "chunk_records = 0", "limits.chunk_records"),
        ("chunk_records = 5000", "chunk_record = 5000", "limits.chunk_records"),
        ("failing_chunks = 10", "failing_chunks = 0", "limits.failing_chunks"),
        ("applied_within_minutes = 60", "applied_within_minutes = 0", "sla.applied_within_minutes"),
        ("applied_within_minutes = 60", "applied_within_minutes = 527041", "sla.applied_within_minutes"),
        ("applied_within_minutes = 60", "applied_within = 60", "sla.applied_within_minutes"),
        ("applied_within_minutes = 60", "", "sla.applied_within_minutes"),
        ('format = "delimited"', 'format = "csv"', "layout.format"),
        ('encoding = "utf-8"', 'encoding = "utf-16"', "layout.encoding"),
        ('delimiter = ","', 'delimiter = ",,"', "layout.delimiter"),
        ('delimiter = ","', 'delimiter = "a"', "layout.delimiter"),
        ('delimiter = ","', 'delimiter = "-"', "layout.delimiter"),
        ("quote = '\"'", "quote = '”'", "layout.quote"),
        ('line_ending = "lf"', 'line_ending = "cr"', "layout.line_ending"),
        ('marker = "T"', 'marker = "D"', "layout.trailer.marker"),
        ('marker = "E"', 'marker = ""', "layout.end.marker"),
        ('kind = "identifier", width = 10', 'kind = "identifer", width = 10', "layout.data.columns[1].kind"),
        ('kind = "identifier", width = 10', 'kind = "identifier", width = 0', "layout.data.columns[1].width"),
        ('kind = "identifier", width = 10', 'kind = "identifier", length = 10', "layout.data.columns[1].length"),
        ('kind = "amount", minimum = 0', 'kind = "amount", minimum = 0.5', "layout.data.columns[4].minimum"),
        ('kind = "amount", minimum = 0', 'kind = "amount", width = 4', "layout.data.columns[4].width"),
        ('name = "product"', 'name = "Product"', "layout.data.columns[3].name"),
        ('{ name = "product"', '{ name = "slip"', "layout.data.columns[3].name"),
        ('format = "YYYY-MM-DDTHH:MM:SSZ"', 'format = "YYYY-MM-DD"', "layout.data.columns[5].format"),
        (', format = "YYYY-MM-DDTHH:MM:SSZ"', "", "layout.data.columns[5].format"),
        ('"YYYY-MM-DDTHH:MM:SSZ"', '"YYYY-MM-DD HH:MM:SS"', "layout.data.columns[5].zone"),
        ('"YYYY-MM-DDTHH:MM:SSZ"', '"YYYY-MM-DD HH:MM:SS", zone = "Asia/Edo"', "layout.data.columns[5].zone"),
        ('"YYYY-MM-DDTHH:MM:SSZ"', '"YYYY-MM-DDTHH:MM:SSZ", zone = "Asia/Tokyo"', "layout.data.columns[5].zone"),
        ('constant = "card-usage"', 'constant = "card usage"', "layout.header.columns[0].constant"),
        ('key = ["slip", "product"]', 'key = ["slip", "purchased_at"]', "roles.key"),
        ('key = ["slip", "product"]', 'key = ["slip", "slip"]', "roles.key"),
        ('key = ["slip", "product"]', "key = []", "roles.key"),
        ('holder = "member"', 'holder = "card"', "roles.holder"),
        ('holder_kind = "member_number"', "holder_kind = 3", "roles.holder_kind"),
        ('header_sequence = "sequence"', 'header_sequence = "business_date"', "roles.header_sequence"),
        ('holder = "member"', 'holder = "member"\norder = "slip"', "roles.order"),
        ('holder = "member"', 'holder = "member"\norder = "amount"', "roles.order"),
        ('holder = "member"', 'holder = "member"\norder = "business_date"', "roles.order"),
        ('trailer_sum = "sum"', 'trailer_sum = "count"', "roles.trailer_sum"),
        ("minimum = 0 }", "minimum = -5 }", "roles.trailer_sum"),
        ("per = 1\n", "per = 0\n", "posting[0].per"),
        ('book = "POINTS"', 'book = ""', "posting[1].book"),
        ('effective = "purchased_at"', 'effective = "store"', "posting[0].effective"),
        ('debit = { role = "receivable" }', "debit = {}", "posting[0].debit"),
        ('debit = { role = "receivable" }', 'debit = { role = "receivable", code = "x" }', "posting[0].debit"),
        ('debit = { role = "receivable" }', 'debit = "receivable"', "posting[0].debit"),
        ('debit = { role = "receivable" }', 'debit = { code = "settlement.{store}" }', "posting[0].credit"),
        ('"settlement.{store}"', '"settlement.{shop}"', "posting[0].credit.code"),
        ('"settlement.{store}"', '"settlement.{amount}"', "posting[0].credit.code"),
        ('"settlement.{store}"', '"settlement.{store!r}"', "posting[0].credit.code"),
        ('"settlement.{store}"', '"settlement {store}"', "posting[0].credit.code"),
        ('"settlement.{store}"', '"' + "s" * 60 + '{store}"', "posting[0].credit.code"),
        ('"Purchase at store {store}, slip {slip}"', '"Purchase {shop}"', "posting[0].description"),
        ('"Purchase at store {store}, slip {slip}"', '"Purchase {{store}}"', "posting[0].description"),
        ('"Purchase at store {store}, slip {slip}"', '"' + "p" * 201 + '"', "posting[0].description"),
    ],
)
def test_what_does_not_pass_is_named_with_its_line(old, new, path):
    text = changed((old, new))
    found = problems(text)
    assert path in [named for _, named in found]
    at = next(number for number, named in found if named == path)
    # The line is that of the key, or of the table in which the key is missing.
    key = re.sub(r"\[\d+\]", "", path.rsplit(".", 1)[1])
    shown = text.splitlines()[at - 1]
    assert re.search(rf"\b{key}\b", shown) or re.search(rf"\b{key}\b", text) is None or shown.lstrip().startswith(("[", "{ name"))


def test_every_problem_is_reported_at_once():
    text = changed(
        ("set_aside = 0", "set_aside = -1"),
        ('encoding = "utf-8"', 'encoding = "latin-1"'),
        ('holder = "member"', 'holder = "card"'),
        ("per = 100", "per = 0.01"),
        ("[limits]\n", "[limits]\ntypo = 1\n"),
    )
    assert [path for _, path in problems(text)] == [
        "limits.typo",
        "limits.set_aside",
        "layout.encoding",
        "roles.holder",
        "posting[1].per",
    ]


def test_a_column_that_cannot_be_read_raises_no_second_complaint():
    assert problems(changed(('name = "store", kind = "identifier"', 'name = "store", kind = "id"'))) == [
        (line('name = "store"'), "layout.data.columns[1].kind")
    ]


def test_missing_tables_are_named():
    assert problems("") == [(1, "layout"), (1, "limits"), (1, "posting"), (1, "roles"), (1, "source")]


def test_unknown_tables_are_named():
    assert problems(TEXT + "\n[extra]\nx = 1\n") == [(len(TEXT.splitlines()) + 2, "extra")]


def test_a_source_that_posts_nothing_is_refused():
    assert problems("posting = []\n" + TEXT[: TEXT.index("[[posting]]")]) == [(1, "posting")]


def test_a_second_rule_for_a_book_is_refused():
    assert problems(changed(('book = "POINTS"', 'book = "CARD"'))) == [(line('book = "POINTS"'), "posting[1].book")]


def test_sources_with_refunds_have_trailers_that_may_be_negative():
    text = changed(
        ("minimum = 0 }", "minimum = -500 }"), ('name = "sum", kind = "amount"', 'name = "sum", kind = "amount", minimum = -9000')
    )
    assert toml.parse(text).layout.data.columns[4].minimum == -500


def test_a_key_too_wide_for_a_reference_is_refused():
    text = changed(
        *(
            (f'"{name}", kind = "identifier", width = 20', f'"{name}", kind = "identifier", width = 64')
            for name in ("slip", "product")
        )
    )
    assert problems(text) == [(line('key = ["slip"'), "roles.key")]


@pytest.mark.parametrize(
    ("text", "at"), [("[source\n", 1), ('[source]\ncode = "x\n', 2), ("[source]\na = 1\na = 2\n", 3), ("x = [1,\n2", 2)]
)
def test_what_is_no_toml_is_named_with_its_line(text, at):
    assert problems(text) == [(at, "")]


def test_positions_are_found_in_every_way_of_writing():
    lines = positions(
        '# comment = 1\ntop = """\n[not a table]\n"""\n[a."b c"] # note\nx = [\n  1, # one\n  [2, "]"],\n  { y = \'}\', z = { q = 1 } },\n]\n'
        "[[list]]\nn.m = 1\n[[list.sub]]\nk = 2\n[[list]]\r\n[list.deep]\nv = 2017-01-01 10:00:00\n"
    )
    assert {
        ("top",): 2,
        ("a", "b c"): 5,
        ("a", "b c", "x", 1, 1): 8,
        ("a", "b c", "x", 2, "z", "q"): 9,
        ("list", 0, "n", "m"): 12,
        ("list", 0, "sub", 0, "k"): 14,
        ("list", 1): 15,
        ("list", 1, "deep", "v"): 17,
    }.items() <= lines.items()
    assert line_of(("list", 0, "n", "absent"), lines) == 12
    assert line_of(("nowhere",), lines) == 1
