"""Tries the reversal of a batch: asks ``post``'s own judge, chunk by chunk and in the order of posting, what it would refuse. Writes nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from ingestion_app.models import Batch, Chunk
from ingestion_app.reversing.queries import reversible
from ledger_app.base.queries import clock
from ledger_app.errors import LedgerError
from ledger_app.models import Account, Book
from ledger_app.posting.queries import bases
from ledger_app.posting.rules import reversal_dates
from ledger_app.posting.rules.drafts import Basis, Draft
from ledger_app.posting.rules.posting import Decision
from ledger_app.values.balances import balance_id
from ledger_app.values.locked import LockedPeriod


def refusals(batch: Batch) -> Iterator[LedgerError]:
    """Yield each refusal of each entry that would reverse one of the batch, as the ledger is now. Holds that are over hold nothing.

    What has no day is left out: it is told by itself. A chunk that would be refused changes nothing, as it stops; the chunks of a
    series are tried in the light of those before, up to the first that stops.
    """
    day_of = _days(reversible.periods_of(Book.objects.values_list("id", flat=True)))
    moved, now = _Moved(), clock.now()
    together: dict[int, list[Chunk]] = {}
    for chunk in reversible.applied_chunks(batch).order_by("-number").only("id", "number", "series"):
        together.setdefault(-chunk.number - 1 if chunk.series is None else chunk.series, []).append(chunk)
    for parts in together.values():
        of_parts = [list(_drafts(part, day_of)) for part in parts]
        drafts = [draft for of_part in of_parts for draft in of_part]
        if drafts:
            basis = moved.after(bases.unlocked(drafts, are_new=True, at=now), drafts)
            decision = Decision(basis, 0, by_hand=False, is_preview=True)
            for of_part in of_parts:
                for draft in of_part:
                    decision.ask(draft)
                # What comes after a chunk that stops waits for it, and is not asked.
                if decision.refusals:
                    break
                moved.add(of_part)
            yield from decision.refusals


def _drafts(chunk: Chunk, day_of: reversible.DayOf) -> Iterator[Draft]:
    return reversible.drafts(reversible.unreversed(chunk.pk), chunk.pk, day_of)


def _days(periods: Mapping[int, Sequence[LockedPeriod]]) -> reversible.DayOf:
    """Return what gives each day the day that a plan would give it now."""
    known: dict[tuple[int, date], tuple[date, str] | None] = {}

    def day_of(book_id: int, on: date) -> tuple[date, str] | None:
        key = (book_id, on)
        if key not in known:
            given = reversal_dates.outcome(on, periods[book_id])
            known[key] = None if given is None else (given.moved_to or on, given.period if given.moved_to else "")
        return known[key]

    return day_of


class _Moved:
    """What the chunks so far would have added, by account and date, to the accounts that have a floor and that members share."""

    def __init__(self) -> None:
        shared = Account.objects.filter(floor__isnull=False, holder__isnull=True)
        self._added: dict[int, Counter[date]] = {key: Counter() for key in shared.values_list("id", flat=True)}

    def add(self, drafts: Sequence[Draft]) -> None:
        """Keep what a chunk adds."""
        for draft in drafts if self._added else ():
            for account_id, amount in draft.lines:
                if account_id in self._added:
                    self._added[account_id][draft.effective_on] += amount

    def after(self, basis: Basis, drafts: Sequence[Draft]) -> Basis:
        """Return the basis of a chunk as it is once the chunks before it are posted."""
        met = [key for key in basis.accounts if self._added.get(key)]
        if not met:
            return basis
        balances, last_on, days = dict(basis.balances), dict(basis.last_on), dict(basis.days)
        first_on = min(draft.effective_on for draft in drafts)
        for account_id in met:
            added, key = self._added[account_id], balance_id(account_id, 0)
            amount, sequence = balances[key]
            balances[key] = (amount + sum(added.values()), sequence)
            last_on[key] = max([*added, *([last_on[key]] if key in last_on else [])])
            by_day = dict(days.get(account_id, {}))
            for on, more in added.items():
                if on > first_on:
                    by_day[on] = by_day.get(on, 0) + more
            days[account_id] = by_day
        return replace(basis, balances=balances, last_on=last_on, days=days)
