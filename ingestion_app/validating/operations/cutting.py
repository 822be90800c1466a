"""Cuts the planned records of a file into chunks: once, before any of them is refused, so that what is judged is what is posted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ingestion_app.validating.operations.staging import Stage, Staged
from ledger_app.models.entries import PLACES

LINES_A_DRAFT = 2  # of what a record posts into a book

Key = Callable[[Staged], tuple[object, ...]]
ChunkOf = Callable[[int, int], int]  # holder, line → chunk


class PlannedChunk(NamedTuple):
    """A chunk of the plan: its number; the member, where it is a part of one member's records, else None; the number of its series, or None."""

    number: int
    holder_id: int | None
    series: int | None


class Cut:
    """Which chunk each record goes into, and which chunks are applied one after the other.

    A record that is refused is left out of its chunk, and no other takes its place there: so each of the others is applied among those among
    which it was judged. A chunk of which nothing is left is no part of the plan.
    """

    def __init__(self, records_of: dict[int, int], chunk_records: int) -> None:
        """Cut the holders into chunks of at most ``chunk_records`` records; each count in ``records_of`` becomes the number of a chunk.

        A chunk is whole holders, in the order of their ids. A holder with more records than that has chunks of his own, one after the other.
        """
        self._size = chunk_records
        self._chunk_of = records_of
        self._parts: dict[int, int] = {}
        self._ranks: dict[int, int] = {}  # line → which part, of records that are not cut in the order of their lines
        self._left: list[int] = []  # by chunk
        self._before: dict[int, int] = {}  # chunk → one before it with which it is tied
        self._first_of: dict[int, int] = {}  # account → the first chunk that touches it
        room = 0
        for holder_id in sorted(records_of):
            count = records_of[holder_id]
            if count > room:
                self._left.append(0)
                room = chunk_records
            records_of[holder_id] = len(self._left) - 1
            if count > chunk_records:
                self._divide(holder_id, count)
                room = 0
            else:
                self._left[-1] += count
                room -= count

    def _divide(self, holder_id: int, count: int) -> None:
        first, size = len(self._left) - 1, self._size
        self._parts[holder_id] = -(-count // size)
        self._left[first:] = [min(size, count - start) for start in range(0, count, size)]
        for number in range(first + 1, len(self._left)):
            self._before[number] = number - 1

    def sort_parts(self, stages: Sequence[Stage], key: Key) -> None:
        """Cut the holders that have several chunks in the order of ``key``, and not of the lines, as the source states it."""
        found: dict[int, list[tuple[object, ...]]] = {holder_id: [] for holder_id in self._parts}
        for row in planned_rows(stages) if found else ():
            if row.holder_id in found:
                found[row.holder_id].append((*key(row), row.line))
        for rows in found.values():
            rows.sort()
            self._ranks.update((each[-1], rank // self._size) for rank, each in enumerate(rows))  # type: ignore[misc]

    def chunk_finder(self) -> ChunkOf:
        """Return what gives each record of a holder its chunk. It is asked of all of them, in the order of the lines."""
        chunk_of, size, ranks = self._chunk_of, self._size, self._ranks
        seen = dict.fromkeys(self._parts, 0)

        def chunk_of_record(holder_id: int, line: int) -> int:
            if holder_id not in seen:
                return chunk_of[holder_id]
            before = seen[holder_id]
            seen[holder_id] = before + 1
            return chunk_of[holder_id] + (ranks[line] if ranks else before // size)

        return chunk_of_record

    def tie(self, account_id: int, number: int) -> None:
        """Have a chunk be applied before or after all others that touch the same account, of which it matters what it has."""
        first = self.series(self._first_of.setdefault(account_id, number))
        own = self.series(number)
        if first != own:
            self._before[max(first, own)] = min(first, own)

    def series(self, number: int) -> int:
        """Return the first of the chunks with which a chunk is tied, be it through others."""
        while (before := self._before.get(number)) is not None:
            # Shorten the way for the one that comes next.
            if (further := self._before.get(before)) is not None:
                self._before[number] = further
            number = before
        return number

    def leave_out(self, number: int) -> None:
        """Take a record out of its chunk."""
        self._left[number] -= 1

    def planned(self) -> list[PlannedChunk | None]:
        """Return what each chunk is in the plan; None for one of which nothing is left."""
        holders: dict[int, int] = {}
        for holder_id, parts in self._parts.items():
            first = self._chunk_of[holder_id]
            holders.update(dict.fromkeys(range(first, first + parts), holder_id))
        numbers = {number: position for position, number in enumerate(number for number, left in enumerate(self._left) if left)}
        together: dict[int, list[int]] = {}
        for number in numbers:
            together.setdefault(self.series(number), []).append(number)
        series_of = {number: numbers[each[0]] for each in together.values() if len(each) > 1 for number in each}
        return [
            PlannedChunk(numbers[number], holders.get(number), series_of.get(number)) if number in numbers else None
            for number in range(len(self._left))
        ]


def most_records(chunk_records: int, books: int) -> int:
    """Return how many records a chunk has at most: no more than one posting takes, where each posts into so many books."""
    return min(chunk_records, PLACES // (LINES_A_DRAFT * books))


def planned_rows(stages: Sequence[Stage]) -> Iterator[Staged]:
    """Yield the rows that are to be applied, in the order of the lines."""
    blocks: Iterable[Iterable[Staged]] = chain.from_iterable(stage.blocks() for stage in stages)
    return (row for row in chain.from_iterable(blocks) if row.content and row.holder_id is not None)
