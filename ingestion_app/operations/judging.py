"""Judges the records that take from accounts of which it matters what they have: in the order in which apply will post them, by ``post``'s judge."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from itertools import chain
from typing import NamedTuple

from ingestion_app.checks.rules import RULES, Seen, Severity
from ingestion_app.operations import drafting
from ingestion_app.operations.drafting import Drawing
from ingestion_app.operations.plans import Cut, Stage, Staged
from ingestion_app.queries.refusals import Telling
from ledger_app.queries import holding
from ledger_app.rules import judging as rules

RECORDS_A_ROUND = 100_000


class Judged(NamedTuple):
    """A record that was judged, and what was seen; ``is_refused`` says that it cannot be applied."""

    row: Staged
    seen: list[Seen]
    is_refused: bool
    dates: list[date]  # of its entries


def judge(stages: Sequence[Stage], cut: Cut, taken: AbstractSet[int], drawing: Drawing) -> Iterator[Judged]:
    """Yield each planned record about which there is something to say, of those that touch an account that is ``taken`` from.

    They are judged chunk by chunk and in each line by line, as many at a time as memory bears, and never in parts what hangs together: the
    records of a member, and all of them where members share an account. What one record brings an account to is what the next one finds. A
    record that is refused is left out, and brings it to nothing.
    """
    touching: Counter[int] = Counter()
    holder_of: dict[int, int] = {}
    are_shared = False
    for number, row in _touching(stages, cut, taken):
        touching[number] += 1
        for account_id in taken & set(row.watched):
            are_shared = are_shared or holder_of.setdefault(account_id, row.holder_id or 0) != row.holder_id
    for numbers in [frozenset(touching)] if are_shared else _rounds(touching, cut.holders()):
        rows = sorted(
            ((number, row) for number, row in _touching(stages, cut, taken) if number in numbers), key=lambda each: each[0]
        )
        yield from _judge([row for _number, row in rows], drawing)


def _touching(stages: Sequence[Stage], cut: Cut, taken: AbstractSet[int]) -> Iterator[tuple[int, Staged]]:
    """Yield the planned records that touch one of these accounts, each with the number of its chunk, in the order of the lines."""
    place: Callable[[int], int] = cut.placing()
    for row in chain.from_iterable(chain.from_iterable(stage.blocks() for stage in stages)):
        if row.content and row.holder_id is not None:
            number = place(row.holder_id)
            if not taken.isdisjoint(row.watched):
                yield number, row


def _rounds(touching: Counter[int], holders: Sequence[int | None]) -> Iterator[frozenset[int]]:
    """Cut the chunks into runs of about as many records as are judged together; ``holders`` names by number whose parts chunks are."""
    numbers: list[int] = []
    records = 0
    for number, count in sorted(touching.items()):
        is_next_part = bool(numbers) and holders[number] is not None and holders[number] == holders[numbers[-1]]
        if numbers and records + count > RECORDS_A_ROUND and not is_next_part:
            yield frozenset(numbers)
            numbers, records = [], 0
        numbers.append(number)
        records += count
    if numbers:
        yield frozenset(numbers)


def _judge(rows: Sequence[Staged], drawing: Drawing) -> Iterator[Judged]:
    groups = drafting.draw(rows, drawing)
    drafts = list(chain.from_iterable(groups))
    held = holding.unlocked(drafts)
    verdicts = rules.in_order(groups, held=held)
    telling = Telling(held.accounts, held.known, {book.pk: code for code, book in drawing.books.items()})
    for row, group, verdict in zip(rows, groups, verdicts, strict=True):
        told = telling.told(group, verdict)
        if not row.is_open:
            # It was judged by itself before: what stands or stood under its reference has been said.
            told = [each for each in told if RULES[each[0]].severity is Severity.ERROR]
        if told:
            seen = [Seen(rule, row.line, column, row.offset, b"", facts) for rule, column, facts in told]
            is_refused = any(each.severity is Severity.ERROR for each in seen)
            yield Judged(row, seen, is_refused, [draft.effective_on for draft in group])
