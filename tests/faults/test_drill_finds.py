"""With each of these faults planted the drill fails, and says what it found."""

import re
from collections.abc import Callable

import pytest

from tests.faults import planted
from tests.faults.tally import Tally

pytestmark = [pytest.mark.mariadb, pytest.mark.serial, pytest.mark.slow]

MET = "two writers met on a unique key of the ledger"
LAST_HOLDER = "chunk_applied_by_last"


@pytest.mark.parametrize(
    ("fault", "seed", "wanted", "found"),
    [
        # Entries without their chunk: the next run finds them in the ledger, and stops the chunk for a person to look at.
        ("the chunk's row in another transaction", 5, {"cuts": 300}, "chunk_differs|was reversed already|posting_origin_unique"),
        (
            "the balances in another transaction",
            4,
            {"cuts": 300},
            f"chunk_differs|was reversed already|posting_origin_unique|{MET}",
        ),
        # The locks keep our own workers apart. A rival that takes none is stopped by the keys alone, and doubles entries without them.
        ("no keys", 1, {"rivals": 10}, r'"doubled": [1-9]'),
        # The keys stop what the locks would have kept apart; that two ever meet there is the failure.
        ("no locks where it posts", 1, {"together": 20}, f"{MET}|{LAST_HOLDER}"),
        ("balances from a plain read", 3, {"together": 20}, MET),
        # Without either, the balances are wrong and nothing has complained.
        ("balances from a plain read and no keys", 3, {"together": 20}, "(balance|line) rows|verify: |ended with status 1"),
        # The transaction was undone by the server: what is tried again inside it stands on nothing.
        ("tried again inside the transaction", 1, {"deadlocks": 30}, "row_linked|recount_differs| rows "),
        # The schema holds the same as the fence; without either, a chunk is applied by one who has lost it.
        ("no fence", 6, {"stops": 30}, LAST_HOLDER),
        ("no fence and no check", 6, {"stops": 30}, "chunk applied under another token"),
        ("a lost answer taken for a commit", 3, {"cuts": 300}, "plan_not_said|wrong_state|not_found| rows missing"),
    ],
)
def test_the_drill_finds(fault: str, seed: int, wanted: dict[str, int], found: str, drill: Callable[..., Tally]) -> None:
    tally = drill(seed=seed, fault=fault, **wanted)
    assert tally.difference
    told = "\n".join(tally.lines())
    assert re.search(found, told), told


def test_every_fault_is_shown() -> None:
    (marker,) = (each for each in test_the_drill_finds.pytestmark if each.name == "parametrize")
    assert {case[0] for case in marker.args[1]} | {planted.NONE} == set(planted.FAULTS)
