"""Keys of files whose sender has none: where a record stands, and which of several equal ones it is."""

from datetime import date

import pytest

from ingestion_app.checks.keys import Keys
from tests.support.definitions import NO_CONTROLS, ROLES, definition
from tests.support.file_samples import BUSINESS_DATE, codes, examine

COFFEE = b"1001,31,s1,150,2017-01-05\n"
TEA = b"1001,31,s1,120,2017-01-05\n"


def keyed(key: str):
    return definition(roles=ROLES.replace('["slip"]', key) + NO_CONTROLS)


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ('["slip", "amount", "sold_on", "@occurrence"]', ["s1/150/2017-01-05/1", "s1/120/2017-01-05/1", "s1/150/2017-01-05/2"]),
        ('["@occurrence", "slip"]', ["1/s1", "2/s1", "3/s1"]),
        ('["@business_date", "@sequence", "@line"]', ["2017-01-31/3/1", "2017-01-31/3/2", "2017-01-31/3/3"]),
        ('["slip", "@sequence", "amount"]', ["s1/3/150", "s1/3/120", "s1/3/150"]),
    ],
)
def test_a_key_is_made_of_columns_and_of_where_the_record_stands(key, keys):
    examination, rows, seen = examine(COFFEE + TEA + COFFEE, keyed(key), sequence=3)
    assert [row.key for row in rows] == keys
    assert (examination.received_count, examination.received_sum, codes(seen)) == (3, 420, ["control.none"])


def test_what_quotes_change_in_a_line_changes_nothing_in_its_key():
    using = keyed('["slip", "amount", "@occurrence"]')
    _examination, rows, _seen = examine(COFFEE + COFFEE.replace(b"s1", b'"s1"') + COFFEE, using)
    assert [row.key for row in rows] == ["s1/150/1", "s1/150/2", "s1/150/3"]


def test_occurrences_are_the_same_whichever_other_records_are_there():
    using = keyed('["slip", "amount", "@occurrence"]')
    alone = {row.key for row in examine(COFFEE + COFFEE, using)[1]}
    among = {row.key for row in examine(TEA + COFFEE + b"x\n" + TEA + COFFEE, using)[1]}
    assert alone <= among


def test_keys_that_merely_hash_alike_are_told_apart():
    using = keyed('["slip", "@occurrence"]')
    keys = Keys(using, business_date=BUSINESS_DATE, sequence=1, repeated=frozenset())
    assert [keys.of(("m", "31", "s1", 1, date(2017, 1, 5)), 1) for _ in range(2)] == ["s1/1", "s1/1"]


def test_only_a_key_without_occurrences_lets_a_file_be_read_in_parts():
    assert keyed('["slip"]').is_cut_at_lines
    assert not keyed('["slip", "@occurrence"]').is_cut_at_lines
