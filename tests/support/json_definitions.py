"""Definitions of sources of JSON Lines for tests."""

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from tests.support import definitions

JSON_LINES = """
[layout]
format = "json-lines"
encoding = "utf-8"
line_ending = "lf"
"""
COLUMNS = """
  { name = "member", path = "customer.id", kind = "identifier", width = 20 },
  { name = "slip", path = '"slip.no"', kind = "identifier", width = 20, json_type = "number" },
  { name = "amount", path = "items[0].price", kind = "amount", minimum = -1000000, decimals = 2, point = ".", fewer_decimals = true },
  { name = "sold_on", kind = "date", format = "YYYY-MM-DD" },
  { name = "memo", kind = "text", optional = true },
  { name = "rest", path = "customer.card", kind = "unused" },
  { name = "is_test", kind = "text", optional = true, json_type = "boolean", values = ["false"] },
"""
GOOD = '{"customer":{"id":"1001","card":{"of":[1,2]}},"slip.no":7,"items":[{"price":-1.5}],"sold_on":"2017-01-05","memo":"a","is_test":false}'


def text(columns: str = COLUMNS, **changes: str) -> str:
    return definitions.text(JSON_LINES, columns=columns, **changes)


def definition(columns: str = COLUMNS, **changes: str) -> Definition:
    return toml.parse(text(columns, **changes))
