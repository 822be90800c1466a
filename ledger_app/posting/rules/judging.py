"""What ``post`` would decide of many drafts that are posted, or left out, in groups, as the records of a file are. Pure.

There is one judge: every draft is asked by ``posting.Decision``, as it is when it is posted. Here it is only said in which light.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger_app import errors
from ledger_app.posting.rules import objections
from ledger_app.posting.rules.drafts import Basis, Draft
from ledger_app.posting.rules.lot_decisions import KeptLots
from ledger_app.posting.rules.lot_decisions import Line as LotLine
from ledger_app.posting.rules.posting import Decision
from ledger_app.values import sides
from ledger_app.values.locked import LockedAccount

Group = Sequence[Draft]


class Verdict(NamedTuple):
    """What is decided of a group: which drafts are refused and why, and which, as (book id, reference), stand in the ledger, the same in every field."""

    refusals: tuple[tuple[Draft, errors.LedgerError], ...]
    standing: tuple[tuple[int, str], ...]

    @property
    def passes(self) -> bool:
        """Whether all of the group would be posted."""
        return not self.refusals and not self.standing


def is_watched(account: LockedAccount) -> bool:
    """Whether what an account can give depends on what came before: it has a floor, or keeps lots."""
    return account.floor is not None or account.keeps_lots


def takes(account: LockedAccount, amount: int) -> bool:
    """Whether a line takes from such an account. What adds to one passes, or does not, whatever came before it."""
    return is_watched(account) and (amount < 0) == sides.is_debit(account.category)


def alone(groups: Sequence[Group], *, basis: Basis) -> list[Verdict]:
    """Return the verdict on each group, in the light of the groups before it that passed. A group that does not pass is left out."""
    decision = _Alone(basis, 0, by_hand=False, is_preview=True)
    return [_PASSES if decision.passes(group) else _ask(decision, group) for group in groups]


def in_order(groups: Sequence[Group], *, basis: Basis, lane: int = 0) -> list[Verdict]:
    """Return what is decided of each group in the light of those before it, of which those that do not pass are left out.

    Each is asked once. Whatever a group that does not pass has moved is put back before the next is asked.
    """
    decision = _InOrder(basis, lane, by_hand=False, is_preview=True)
    verdicts = []
    for group in groups:
        kept = decision.keep(group)
        verdict = _ask(decision, group)
        if not verdict.passes:
            decision.put_back(kept)
        verdicts.append(verdict)
    return verdicts


_PASSES = Verdict((), ())


def _ask(decision: Decision, group: Group) -> Verdict:
    refused: list[tuple[Draft, errors.LedgerError]] = []
    for draft in group:
        decision.ask(draft)
        if decision.refusals:
            refused += [(draft, refusal) for refusal in decision.refusals]
            decision.refusals.clear()
    standing = decision.replays()
    return Verdict(tuple(refused), tuple(standing)) if refused or standing else _PASSES


class _Alone(Decision):
    """Decides on drafts that say nothing of each other: no balance is counted up, and no lot is kept from one to the next."""

    def passes(self, group: Group) -> bool:
        """Whether all of a group would be posted. Why not is to be asked again: nothing is kept of it."""
        for draft in group:
            self.ask(draft)
        if not self.refusals and not self._plan.replayed:
            return True
        self.refusals.clear()
        self._plan.replayed.clear()
        return False

    def _place_lines(self, draft: Draft, found: list[errors.LedgerError]) -> None:
        """Add to ``found`` what the accounts refuse whatever they have."""
        accounts, book_id = self._basis.accounts, draft[0]
        for account_id, _amount in draft[4]:
            _code, of_book, _category, _floor, _stripes, state, merged_into, _keeps_lots = accounts[account_id]
            if state != "open" or merged_into is not None or of_book != book_id:
                found += objections.of_account(draft, account_id, self._basis)

    def _place_lots(self, draft: Draft) -> list[errors.LedgerError]:
        """Decide what the rules of lots say of a draft that only grants."""
        lots = self._lots
        assert lots is not None, "asked where an account keeps lots"  # noqa: S101 - what a file posts never moves lots by name
        lines = [
            LotLine(0, account_id, amount * lots.sign(account_id), draft.effective_on, draft.reference)
            for account_id, amount in draft.lines
            if lots.keeps(account_id)
        ]
        if not lines:
            return []
        kept = lots.keep([line.account_id for line in lines])
        found = lots.ask(lines, named=None, moves_lots=False, reverses=None)
        lots.put_back(kept)
        return found


class _Kept(NamedTuple):
    """What a group may move, as it was before: balances with their latest dates, what days add, and lots."""

    balances: list[tuple[int, tuple[int, int], date | None]]
    days: list[tuple[int, date, int | None]]
    lots: KeptLots | None


class _InOrder(Decision):
    """Decides on groups of drafts of which some are left out."""

    def keep(self, group: Group) -> _Kept:
        """Return what stands of all that a group may move, to be put back where it does not pass; let go of lines, which nobody will write."""
        self._plan.lines.clear()
        balances, days, keeping = [], [], []
        reverses = [draft.reverses.id for draft in group if draft.reverses is not None]
        for draft in group:
            for account_id, _amount in draft.lines:
                if account_id not in self._basis.accounts:
                    continue  # which refuses the draft
                place = self._places[account_id]
                key = place.balance_id
                balances.append((key, self._running[key], self._last_on.get(key)))
                if place.floor is not None:
                    of_account = self._days.get(account_id)
                    before = self._basis.days.get(account_id, {}) if of_account is None else of_account
                    days.append((account_id, draft.effective_on, before.get(draft.effective_on)))
                if self._lots is not None and self._lots.keeps(account_id):
                    keeping.append(account_id)
        return _Kept(balances, days, self._lots.keep(keeping, reverses) if self._lots is not None else None)

    def put_back(self, kept: _Kept) -> None:
        """Have everything stand as it was."""
        for key, running, last_on in kept.balances:
            self._running[key] = running
            if last_on is None:
                self._last_on.pop(key, None)
            else:
                self._last_on[key] = last_on
        for account_id, on, added in kept.days:
            if account_id in self._days:
                self._days[account_id].put_back(on, added)
        if self._lots is not None and kept.lots is not None:
            self._lots.put_back(kept.lots)
