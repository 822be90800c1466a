"""Of every kind of layout: a file that is damaged, or whose records changed places, gets the same verdict with and without the quick reading."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from tests.ingestion_app.checks.test_file_groups import FIRST, NESTED, SECOND, WHOLE
from tests.ingestion_app.checks.test_file_groups import USING as GROUPS
from tests.support import definitions, json_definitions, zengin
from tests.support.file_samples import BUSINESS_DATE, END, HEADER, OTHER_PURCHASE, PURCHASE, TRAILER
from tests.support.file_samples import definition as sample

HEADINGS = b"member,shop,slip,amount,sold_on\n"
ROWS = [b"1001,31,s1,150,2017-01-05\n", b"1002,31,s2,-250,2017-01-06\n", b'"1003",31,s3,0,2017-01-07\n']
ENDED = '[layout.end]\nmarker = "E"\ncolumns = [{ name = "count", kind = "count" }]\n'
HEADED = '[layout.header]\nmarker = "H"\ncolumns = [{ name = "made_on", kind = "date", format = "YYYYMMDD" }]\n'
COUNTED = definitions.ROLES + 'end_count = "count"\n'
UTF_16 = definitions.DELIMITED.replace("utf-8", "utf-16-le")
JSON_ROWS = [f"{json_definitions.GOOD}\n".encode(), json_definitions.GOOD.replace(":7,", ": 8,").encode() + b"\n"]

# Layouts, each with the records of a file that is whole.
FILES: dict[str, tuple[Definition, Sequence[bytes]]] = {
    "all record types": (sample(), [HEADER, PURCHASE, OTHER_PURCHASE, TRAILER, END]),
    "no end": (sample(end=None), [HEADER, PURCHASE, OTHER_PURCHASE, TRAILER]),
    "no trailer": (definitions.definition(types=HEADED + ENDED, roles=COUNTED), [b"H,20170131\n", *ROWS, b"E,3\n"]),
    "data and an end": (definitions.definition(types=ENDED, roles=COUNTED), [*ROWS, b"E,3\n"]),
    "data": (definitions.definition(), ROWS),
    "headings": (definitions.definition(more_layout='header_row = "any order"'), [HEADINGS, *ROWS]),
    "lines in quotes": (definitions.definition(more_layout="quoted_newlines = true"), ROWS),
    "comments": (definitions.definition(more_layout='comment = "#"'), [*ROWS, b"# all\n"]),
    "occurrences": (
        definitions.definition(roles=definitions.ROLES.replace('["slip"]', '["slip", "@occurrence"]') + definitions.NO_CONTROLS),
        [*ROWS, ROWS[0]],
    ),
    "groups": (GROUPS, WHOLE),
    "nested groups": (NESTED, [b"F,shop\n", *FIRST, *SECOND, b"E,2,3,199,9\n"]),
    "fixed width": (toml.parse(zengin.result_source()), [each + b"\r\n" for each in zengin.RECORDS]),
    "fixed width without endings": (toml.parse(zengin.result_source(ending="none")), zengin.RECORDS),
    "json lines": (json_definitions.definition(), JSON_ROWS),
    "two bytes a character": (
        definitions.definition(UTF_16),
        [b"\xff\xfe", *[each.decode().encode("utf-16-le") for each in ROWS]],
    ),
}
ODD_BYTES = st.sampled_from([b"", b" ", b"\n", b"\r\n", b'"', b",", b"0", b"1", b"-", b"\0", b"\x1a", b"\x85\x40", b"E", b"{}"])
DAMAGE = st.tuples(st.integers(0, 10_000), st.integers(0, 2), ODD_BYTES)


def verdict(content: bytes, using: Definition, *, is_quick: bool) -> Any:
    examination = Examination(io.BytesIO(content), using, business_date=BUSINESS_DATE, sequence=1)
    if not is_quick:
        examination._data.quick = lambda *_line: None
    yielded = list(examination.rows())
    totals = (examination.received_count, examination.received_sum, examination.bad_count, examination.bad_sum)
    of_trailer = (examination.trailer_count, examination.trailer_sum)
    return yielded, totals, of_trailer, examination.bad_sum_known, examination.zero_count, examination.file_errors


@st.composite
def changed(draw: st.DrawFn, records: Sequence[bytes]) -> bytes:
    """A file whose records changed places, came twice, or are gone, and some of whose bytes are others."""
    places = list(range(len(records)))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(places)))
        places[at : at + draw(st.integers(0, 1))] = draw(st.lists(st.sampled_from(range(len(records))), max_size=2))
    content = bytearray(b"".join(records[place] for place in places))
    for place, lost, put in draw(st.lists(DAMAGE, max_size=2)):
        at = place % (len(content) + 1)
        content[at : at + lost] = put
    return bytes(content)


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_every_layout_reads_quickly_what_it_reads_carefully(name, data):
    using, records = FILES[name]
    content = data.draw(changed(records))
    assert verdict(content, using, is_quick=True) == verdict(content, using, is_quick=False)


@pytest.mark.parametrize("name", FILES)
def test_the_files_that_are_changed_are_whole(name):
    using, records = FILES[name]
    yielded, (received, *_sums), _trailer, _known, _zeros, errors = verdict(b"".join(records), using, is_quick=True)
    assert (errors, received) == (0, sum(isinstance(each, Row) for each in yielded)), yielded
    assert received > 1
