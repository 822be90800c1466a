"""Finds files whose records came before: wrapped anew, in another order, in another encoding, or under another day."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from ingestion_app.checks import samples
from ingestion_app.checks.rules import Seen

KNOWN_PERCENT = 99
ASKED_LEAST = 20  # records of a sample, below which it does not tell nearly all from half of them


class KeysOf(NamedTuple):
    """A file that came before: the sample of its records, by key and content, with the line of each."""

    batch: int
    date: str
    state: str
    keys: Mapping[str, Any]


# Of a batch and lines of it, those whose records are, or are to be, in the ledger.
Standing = Callable[[int, Collection[int]], Collection[int]]


def known(keys: Mapping[str, Any], others: Iterator[KeysOf], standing: Standing) -> Iterator[Seen]:
    """Yield a finding where nearly all records of a file are in another file that still has them; it names the first such file."""
    for other in others:
        below = min(keys["below"], other.keys["below"])
        mine, theirs = samples.within(keys, below), samples.within(other.keys, below)
        both = mine.keys() & theirs.keys()
        # Where every record of both is in the samples, however few they are, nothing is supposed.
        if len(mine) < (1 if below == samples.EVERY else ASKED_LEAST) or len(both) * 100 < KNOWN_PERCENT * len(mine):
            continue
        lines = {other.keys["lines"][str(digest)] for digest in both}
        # What was set aside there may come again: nothing of it stands.
        stand = len(standing(other.batch, lines))
        if stand * 100 >= KNOWN_PERCENT * len(mine):
            share = stand * 1000 // len(mine)
            facts = {"share": f"{share // 10}.{share % 10} %", "batch": other.batch, "date": other.date, "state": other.state}
            yield Seen("file.records_known", 0, 0, 0, b"", facts)
            return
