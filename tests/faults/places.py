"""The places at which the drill can strike."""

import random
import re
from collections.abc import Collection

from tests.faults.disturbing import COMMIT, Disturbance

WHEN = ("before", "after")
AT_A_CLAIM = "at a claim"
FRESH_MOST = 6  # places to choose between, where no kill has struck yet
WRITING = re.compile("INSERT|UPDATE|DELETE")
POSTING = re.compile(
    "(INSERT INTO|UPDATE) `?ledger_app_(posting|entry|line|balance)|UPDATE `ingestion_app_chunk` SET .*`applied_token` = "
)
FIRST_WRITE = re.compile("INSERT INTO `ledger_app_posting`")
# A worker has taken a chunk when this is committed.
CLAIM = re.compile(f"{COMMIT} after UPDATE `ingestion_app_chunk` SET .*`lease_token` = ")


class Places:
    """Where something can strike: before and after each step of each command, those first that no kill has struck yet."""

    def __init__(self) -> None:
        """Begin with nothing: what there is becomes known by undisturbed runs."""
        self._counts: dict[str, dict[str, int]] = {}
        self._struck: set[tuple[str, str, str]] = set()

    def learn(self, step: str, counts: dict[str, int]) -> None:
        """Take in which statements a step of a file's way has, in their order, and how often each."""
        for name, count in counts.items():
            self._counts.setdefault(step, {}).setdefault(name, count)

    def choose(self, step: str, kind: str, chance: random.Random, missed: Collection[Disturbance]) -> Disturbance:
        """Return a disturbance of a kind. Early places come first, as whatever was committed is not done again in a file's later runs."""
        fresh = [
            disturbance
            for name in self._counts[step]
            for when in WHEN
            if (step, name, when) not in self._struck and (disturbance := Disturbance(kind, name, 1, when)) not in missed
        ]
        if kind == "kill" and fresh:
            return chance.choice(fresh[:FRESH_MOST])
        places = [(name, count) for name, count in self._counts[step].items() if kind != "deadlock" or WRITING.match(name)]
        name, count = chance.choice(places)
        return Disturbance(kind, name, chance.randint(1, min(3, count)), chance.choice(WHEN))

    def claim(self, step: str) -> Disturbance:
        """Return the stop of a worker that has just taken its first chunk."""
        (name,) = [name for name in self._counts[step] if CLAIM.match(name)]
        return Disturbance("stop", name, 1, "after")

    def stop(self, step: str, chance: random.Random) -> tuple[str, Disturbance]:
        """Choose where a worker stops, and say where that is: the more often the more another may do meanwhile."""
        where = chance.choices([AT_A_CLAIM, "while it posts", "somewhere"], weights=[3, 2, 1])[0]
        if where == AT_A_CLAIM:
            first = self.claim(step)
        elif where == "while it posts":
            first = self.posting(step, "stop", chance)
        else:
            first = self.choose(step, "stop", chance, ())
        return where, first._replace(occurrence=chance.randint(1, 3))

    def write(self, step: str) -> Disturbance:
        """Return the stop of a worker that has decided on its first chunk, and has written nothing yet."""
        (name,) = [name for name in self._counts[step] if FIRST_WRITE.match(name)]
        return Disturbance("stop", name, 1, "before")

    def posting(self, step: str, kind: str, chance: random.Random) -> Disturbance:
        """Return a disturbance of a worker that has decided on a chunk and is about to write."""
        names = [name for name in self._counts[step] if POSTING.match(name)]
        return Disturbance(kind, chance.choice(names), chance.randint(1, 3), "before")

    def strike(self, step: str, disturbance: Disturbance) -> None:
        """Note that a kill struck."""
        if disturbance.kind == "kill":
            self._struck.add((step, disturbance.name, disturbance.when))

    def left(self, *steps: str) -> list[tuple[str, str, str]]:
        """Return the places that no kill has struck yet, of some steps or of all: step, statement, before or after."""
        places = {(step, name, when) for step in steps or self._counts for name in self._counts[step] for when in WHEN}
        return sorted(places - self._struck)
