"""What a trace says of a row is read again as it was written, whatever the texts in it."""

import pytest
from django.db import connection

from ledger_app.models import Trace
from ledger_app.traces.queries import traces

pytestmark = pytest.mark.django_db

TEXTS = (
    "",
    "a",
    "it's",
    "''",
    '"',
    "\\",
    "a\\",
    "\\'",
    "a,b",
    "NULL",
    "two\nlines",
    "日本",
    'JSON ["a\\"b", {"c": "d\'e"}]',
    ",",
    "',",
    "%s",
)


def written(*said: str | None) -> str:
    """Return what the database makes of these as the literals of a trace."""
    vendor = connection.vendor
    names = [f"value_{place}" for place in range(len(said))]
    parts = [traces.literal(vendor, "kept", name, is_bytes=False) for name in names]
    whole = " || ',' || ".join(parts) if vendor == "sqlite" else f"CONCAT_WS(',', {', '.join(parts)})"
    columns = ", ".join(f"%s AS {name}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {whole} FROM (SELECT {columns}) AS kept", list(said))
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_one_value_among_others(text):
    found = traces.values(connection.vendor, written("first", text, None, text, "last"))
    assert len(found) == 5
    assert (found[0], found[2], found[4]) == ("first", None, "last")
    assert found[1] == found[3]
    assert found[1] is not None


def test_two_texts_that_differ_are_read_as_two():
    found = traces.values(connection.vendor, written(*TEXTS))
    assert len(set(found)) == len(TEXTS)


def test_each_trace_that_was_written_has_as_many_values_as_its_table_has_columns(ledger):
    columns = {table.name: len(table.columns) for table in traces.tables()}
    rows = Trace.objects.exclude(event=Trace.Event.DELETED).values_list("table_name", "content")
    assert [name for name, content in rows if len(traces.values(connection.vendor, content)) != columns[name]] == []
