"""Definitions of sources for tests of layouts: only what a test is about has to be written."""

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition

HEAD = r"""
[source]
code = "till"
name = "Purchases at the till"
name_pattern = 'till-(?P<business_date>\d{4}-\d{2}-\d{2})-(?P<sequence>\d{1,12})\.csv'

[limits]
set_aside = 0
line_bytes = 200
chunk_records = 3
"""
DELIMITED = """
[layout]
format = "delimited"
encoding = "utf-8"
delimiter = ","
quote = '"'
line_ending = "lf"
"""
COLUMNS = """
  { name = "member", kind = "identifier", width = 20 },
  { name = "shop", kind = "identifier", width = 10 },
  { name = "slip", kind = "identifier", width = 20 },
  { name = "amount", kind = "amount", minimum = -1000000000 },
  { name = "sold_on", kind = "date", format = "YYYY-MM-DD" },
"""
ROLES = """
[roles]
key = ["slip"]
holder = "member"
holder_kind = "member_number"
amount = "amount"
"""
NO_CONTROLS = 'controls = "none"\n'
POSTING = """
[[posting]]
book = "CARD"
amount = "amount"
per = 1
effective = "sold_on"
debit = { role = "receivable" }
credit = { code = "settlement.31" }
description = "Slip {slip}"
"""


def text(
    layout: str = DELIMITED,
    *,
    more_layout: str = "",
    columns: str = COLUMNS,
    data: str = "",
    types: str = "",
    roles: str = ROLES + NO_CONTROLS,
    posting: str = POSTING,
) -> str:
    """Return a definition as text: rows of data alone, unless ``types`` describes more record types."""
    return f"{HEAD}{layout}{more_layout}\n[layout.data]\n{data}\ncolumns = [{columns}]\n{types}{roles}{posting}"


def definition(*given: str, **changes: str) -> Definition:
    return toml.parse(text(*given, **changes))


def problems(source: str) -> list[tuple[int, str]]:
    """Return line and path of all that is wrong with a definition."""
    with pytest.raises(toml.DefinitionInvalid) as refused:
        toml.parse(source)
    assert all(problem.sentence for problem in refused.value.problems)
    return [(problem.line, problem.path) for problem in refused.value.problems]


def line_of(source: str, fragment: str) -> int:
    """Return the first line of a text that holds ``fragment``."""
    return next(number for number, line in enumerate(source.splitlines(), start=1) if fragment in line)
