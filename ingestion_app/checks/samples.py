"""Samples of what a file holds: always the same ones of the same contents, whatever their order, and bounded whatever the file's size."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

EVERY = 1 << 32  # digests are below it


class Sample:
    """Keeps, of all digests that were added, the ``most`` lowest, each with how often it was there.

    Two samples are of the same contents below the lower of their bounds, so that what files share is told from a sample of each.
    """

    def __init__(self, most: int) -> None:
        """Begin with none."""
        self._most = most
        self.below = EVERY
        self.counts: Counter[int] = Counter()

    def add(self, digests: Iterable[int]) -> None:
        """Take digests in."""
        below = self.below
        if below < EVERY:
            digests = [each for each in digests if each < below]
        self.counts.update(digests)
        if len(self.counts) > 4 * self._most:
            self._cut()

    def merge(self, other: "Sample") -> None:
        """Take in what another process sampled."""
        self.below = min(self.below, other.below)
        self.counts.update(other.counts)
        self._cut()

    def repeated(self) -> list[int]:
        """Return how many contents were sampled, and how many of them equal another."""
        self._cut()
        return [sum(self.counts.values()), sum(self.counts.values()) - len(self.counts)]

    def as_kept(self, most: int = 0) -> dict[str, Any]:
        """Return the sample as it is kept, of ``most`` contents where that is said. It is not added to afterwards."""
        self._most = most or self._most
        self._cut()
        return {"below": self.below, "counts": {str(digest): count for digest, count in sorted(self.counts.items())}}

    def _cut(self) -> None:
        if len(self.counts) > self._most:
            self.below = min(self.below, sorted(self.counts)[self._most])
        self.counts = Counter({digest: count for digest, count in self.counts.items() if digest < self.below})


Kept = Mapping[str, Any]


def within(kept: Kept, below: int) -> dict[int, int]:
    """Return the part of a sample, as it is kept, that lies below a bound."""
    return {int(digest): count for digest, count in kept["counts"].items() if int(digest) < below}


def shared(one: Kept, other: Kept) -> tuple[int, int]:
    """Return how many of the sampled contents of ``one`` are in ``other`` too, and how many were asked."""
    below = min(one["below"], other["below"])
    mine, theirs = within(one, below), within(other, below)
    return sum(min(count, theirs.get(digest, 0)) for digest, count in mine.items()), sum(mine.values())


def unknown(one: Kept, others: Iterable[Kept]) -> tuple[int, int]:
    """Return how many of the sampled contents of ``one``, each counted once, are in none of the others, and how many were asked."""
    known_before = list(others)
    below = min([one["below"], *[other["below"] for other in known_before]])
    known = {digest for other in known_before for digest in within(other, below)}
    mine = within(one, below)
    return sum(digest not in known for digest in mine), len(mine)
