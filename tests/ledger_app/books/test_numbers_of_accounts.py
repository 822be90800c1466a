"""A number in a file of accounts is taken as every door takes it, or refused by its line with what is really wrong."""

import pytest

from ledger_app.members.operations import opening
from ledger_app.values.openings import FLOOR_MOST

HEAD = b"code,role,category,floor,stripes\n"
WHOLE, RANGE, STRIPES = "it is a whole number, or empty", "it is beyond the ledger's range", "it is 1 to 64"


def found(floor: str, stripes: str) -> list[tuple[int, str, str]]:
    _openings, findings = opening.read_accounts([HEAD, f"a.b,r,expense,{floor},{stripes}\n".encode()])
    return [(each.line, each.column, str(each.error.facts["why"])) for each in findings]


@pytest.mark.parametrize(
    ("floor", "stripes", "why"),
    [
        ("", "", []),
        ("0", "1", []),
        (str(-FLOOR_MOST), "", []),
        (str(-FLOOR_MOST - 1), "", [("floor", RANGE)]),
        ("9" * 20, "", [("floor", RANGE)]),
        ("9" * 5000, "", [("floor", RANGE)]),
        ("", "9" * 5000, [("stripes", RANGE)]),
        ("", "99", [("stripes", STRIPES)]),
        ("1.5", "", [("floor", WHOLE)]),
        ("1e3", "", [("floor", WHOLE)]),
        ("\uff10", "", [("floor", WHOLE)]),
        ("--1", "", [("floor", WHOLE)]),
    ],
)
def test_a_number_is_taken_or_refused_for_what_it_is(floor: str, stripes: str, why: list[tuple[str, str]]) -> None:
    assert found(floor, stripes) == [(2, column, said) for column, said in why]
