"""A file is that of another where nearly all of what is asked of both is the same, and enough is asked to tell."""

from collections.abc import Collection
from typing import Any

import pytest

from ingestion_app.checks.known import ASKED_LEAST, KeysOf, known
from ingestion_app.checks.samples import EVERY


def keys(records: range, below: int) -> dict[str, Any]:
    """Return a sample of these records, of one line each."""
    there = [each for each in records if each < below]
    return {"below": below, "counts": dict.fromkeys(map(str, there), 1), "lines": {str(each): each for each in there}}


def all_stand(_batch: int, lines: Collection[int]) -> Collection[int]:
    return lines


@pytest.mark.parametrize(
    ("asked", "below", "is_known"),
    [
        (0, EVERY, False),
        (1, EVERY, True),
        (ASKED_LEAST - 1, EVERY, True),
        (0, 1000, False),
        (1, 1000, False),
        (ASKED_LEAST - 1, 1000, False),
        (ASKED_LEAST, 1000, True),
    ],
)
@pytest.mark.parametrize("of_other", [True, False])
def test_few_records_tell_a_file_only_where_they_are_all_there_is(asked: int, below: int, is_known: bool, of_other: bool) -> None:
    """Whichever of the two is too large to be kept whole."""
    mine, other = keys(range(asked), EVERY if of_other else below), keys(range(asked), below if of_other else EVERY)
    found = list(known(mine, iter([KeysOf(7, "2017-01-31", "applied", other)]), all_stand))
    assert [each.facts["batch"] for each in found] == ([7] if is_known else [])
