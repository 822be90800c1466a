"""What ``post`` would decide of many drafts that are posted, or left out, in groups, as the records of a file are. Pure.

There is one judge: every draft is asked by ``posting.Decision``, as it is when it is posted. Here it is only said in which light.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from ledger_app import errors
from ledger_app.rules.posting import DEBIT_CATEGORIES, Decision, Draft, Held, HeldAccount

Group = Sequence[Draft]
ROUNDS_MOST = 20


class Verdict(NamedTuple):
    """What is decided of a group: which drafts are refused and why, and which, as (book id, reference), stand in the ledger, the same in every field."""

    refusals: tuple[tuple[Draft, errors.LedgerError], ...]
    standing: tuple[tuple[int, str], ...]

    @property
    def passes(self) -> bool:
        """Whether all of the group would be posted."""
        return not self.refusals and not self.standing


def is_watched(account: HeldAccount) -> bool:
    """Whether what an account can give depends on what came before: it has a floor, or keeps lots."""
    return account.floor is not None or account.keeps_lots


def takes(account: HeldAccount, amount: int) -> bool:
    """Whether a line takes from such an account. What adds to one passes, or does not, whatever came before it."""
    return is_watched(account) and (amount < 0) == (account.category in DEBIT_CATEGORIES)


def alone(groups: Sequence[Group], *, held: Held) -> list[Verdict]:
    """Return what is decided of each group by itself. None of them may take from an account that is watched."""
    decision = Decision(held, 0, by_hand=False, is_preview=True)
    return [_ask(decision, group) for group in groups]


def in_order(groups: Sequence[Group], *, held: Held, lane: int = 0) -> list[Verdict]:
    """Return what is decided of each group in the light of those before it, of which those that do not pass are left out.

    Groups that share no watched account say nothing of each other: where one is left out, only those that hang together with it are asked
    again, without it. So often as ``ROUNDS_MOST``: whose file still has more of them on one account gets the rest told as if they had been posted.
    """
    verdicts: dict[int, Verdict] = {}
    parts = _parts(groups, held.accounts)
    waiting = list(range(len(groups)))
    for rounds_left in reversed(range(ROUNDS_MOST)):
        decision = Decision(held, lane, by_hand=False, is_preview=True)
        spoiled: set[int] = set()
        for place in waiting:
            if rounds_left and parts[place] in spoiled:
                continue
            verdicts[place] = verdict = _ask(decision, groups[place])
            # What stands already as a whole has moved nothing.
            if verdict.refusals or 0 < len(verdict.standing) < len(groups[place]):
                spoiled.add(parts[place])
        waiting = [place for place in waiting if parts[place] in spoiled and (place not in verdicts or verdicts[place].passes)]
        if not waiting:
            break
    return [verdicts[place] for place in range(len(groups))]


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


def _parts(groups: Sequence[Group], accounts: Mapping[int, HeldAccount]) -> list[int]:
    """Return for each group a number that it shares with those to which it is tied by watched accounts, be it through others."""
    leaders: dict[int, int] = {}

    def leader(account_id: int) -> int:
        while (above := leaders.setdefault(account_id, account_id)) != account_id:
            leaders[account_id] = leaders[above]
            account_id = above
        return account_id

    firsts: list[int] = []
    for place, group in enumerate(groups):
        ids = list(_watched(group, accounts))
        for one, other in pairwise(ids):
            leaders[leader(other)] = leader(one)
        # A group on no such account is a part by itself, under a number that no account has.
        firsts.append(ids[0] if ids else -1 - place)
    return [leader(first) if first >= 0 else first for first in firsts]


def _watched(group: Group, accounts: Mapping[int, HeldAccount]) -> Iterator[int]:
    for draft in group:
        for account_id, _amount in draft.lines:
            account = accounts.get(account_id)
            if account is not None and is_watched(account):
                yield account_id
