"""The drill in its short form. ``make drill`` runs it at length."""

import json
import os
import time
from collections.abc import Callable

import pytest

from tests.faults.tally import Tally

pytestmark = [pytest.mark.mariadb, pytest.mark.serial, pytest.mark.slow]


def test_whatever_strikes_the_rows_are_those_of_an_undisturbed_run(drill: Callable[..., Tally]) -> None:
    seed = int(os.environ.get("SEED") or time.time_ns() % 10**9)
    tally = drill(seed=seed, kills=40, cuts=30, stops=2, deadlocks=6, together=2, rivals=1, pools=1)
    assert tally.difference == ""
    told = json.loads(tally.lines()[-1])
    assert (told["seed"], told["lost"], told["doubled"]) == (seed, 0, 0)
    assert told["kills"] >= 40
    assert told["cuts"] >= 30
    assert told["stops"] >= 2
