"""Judges the records that take from limited accounts (with a floor or lots), in the order in which apply will post them, by ``post``'s judge."""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime
from itertools import chain
from typing import NamedTuple

from ingestion_app.batches.queries.refusals import Telling
from ingestion_app.checks.rules import RULES, Seen, Severity
from ingestion_app.validating.operations import drafting
from ingestion_app.validating.operations.cutting import Cut, planned_rows
from ingestion_app.validating.operations.drafting import Drawing
from ingestion_app.validating.operations.staging import Stage, Staged
from ledger_app.posting.queries import bases, judging
from ledger_app.posting.rules import judging as rules
from ledger_app.posting.rules.drafts import Basis
from ledger_app.values.balances import balance_id

RECORDS_A_ROUND = 100_000


class Judged(NamedTuple):
    """A record that was judged, in the chunk of this number, and what was seen; ``is_refused`` says that it cannot be applied."""

    row: Staged
    number: int
    seen: list[Seen]
    is_refused: bool
    dates: list[date]  # of its entries


def judge(stages: Sequence[Stage], cut: Cut, taken: AbstractSet[int], drawing: Drawing, *, at: datetime) -> Iterator[Judged]:
    """Yield each planned record about which there is something to say, of those that touch an account that is ``taken`` from.

    They are judged chunk by chunk, and in each in the order that the source states, as many at a time as memory bears, and never in parts what
    hangs together: chunks that touch the same account are tied in ``cut``, and so applied in this order too. What one record brings an account
    to is what the next one finds. A record that is refused is left out, and brings it to nothing. Holds that are over ``at`` the time are ended.
    """
    touching: Counter[int] = Counter()
    for number, row in _touching(stages, cut, taken):
        touching[number] += 1
        for account_id in taken & set(row.watched):
            cut.tie(account_id, number)
    for numbers in _rounds(touching, cut):
        yield from _judge([each for each in _touching(stages, cut, taken) if each[0] in numbers], drawing, at)


def _touching(stages: Sequence[Stage], cut: Cut, taken: AbstractSet[int]) -> Iterator[tuple[int, Staged]]:
    """Yield the planned records that touch one of these accounts, each with the number of its chunk, in the order of the lines."""
    chunk_of = cut.chunk_finder()
    for row in planned_rows(stages):
        number = chunk_of(row.holder_id or 0, row.line)
        if not taken.isdisjoint(row.watched):
            yield number, row


def _rounds(touching: Counter[int], cut: Cut) -> Iterator[frozenset[int]]:
    """Divide the chunks into sets of about as many records as are judged together; chunks that are tied are in one of them."""
    together: dict[int, list[int]] = {}
    for number in sorted(touching):
        together.setdefault(cut.series(number), []).append(number)
    numbers: list[int] = []
    records = 0
    for series in together.values():
        count = sum(touching[number] for number in series)
        if numbers and records + count > RECORDS_A_ROUND:
            yield frozenset(numbers)
            numbers, records = [], 0
        numbers += series
        records += count
    if numbers:
        yield frozenset(numbers)


def _judge(placed: Sequence[tuple[int, Staged]], drawing: Drawing, at: datetime) -> Iterator[Judged]:
    key = drafting.staged_order(drawing.definition)
    placed = sorted(placed, key=lambda each: (each[0], *key(each[1]), each[1].line))
    groups = drafting.draw([row for _number, row in placed], drawing)
    drafts = list(chain.from_iterable(groups))
    basis = _farthest_out(bases.unlocked(drafts, at=at))
    verdicts = rules.in_order(groups, basis=basis)
    telling = Telling(basis.accounts, basis.known, {book.pk: code for code, book in drawing.books.items()})
    for (number, row), group, verdict in zip(placed, groups, verdicts, strict=True):
        told = telling.seen_in(group, verdict)
        if not row.is_open:
            # It was judged by itself before: what stands or stood under its reference has been said.
            told = [each for each in told if RULES[each[0]].severity is Severity.ERROR]
        if told:
            seen = [Seen(rule, row.line, column, row.offset, b"", facts) for rule, column, facts in told]
            is_refused = any(each.severity is Severity.ERROR for each in seen)
            yield Judged(row, number, seen, is_refused, [draft.effective_on for draft in group])


def _farthest_out(basis: Basis) -> Basis:
    """Have striped accounts near the end of the range of balances be judged by the stripe that is nearest to it: which one is posted to is not asked."""
    striped = judging.near_the_end([key for key, account in basis.accounts.items() if account.stripes > 1])
    if not striped:
        return basis
    amounts = {balance_id(key, 0): (amount, basis.balances[balance_id(key, 0)][1]) for key, amount in striped.items()}
    return replace(basis, balances={**basis.balances, **amounts})
