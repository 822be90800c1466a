"""What a merge of two members comes to, and what refuses it. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import adjusting, members
from ledger_app.errors.words import UNNUMBERED
from ledger_app.posting.rules import floors
from ledger_app.values.sides import natural

PROPOSE = "ledger_app.propose_merge"
FORM = "kakutei-merge-1"
STATES = {"open": _("Open"), "suspended": _("Suspended"), "closed": _("Closed")}


class MemberAccount(NamedTuple):
    """An account of a member as it stands. ``amount`` is signed, debit positive, over all stripes."""

    id: int
    book: str
    role: str
    code: str
    category: str
    floor: int | None
    stripes: int
    state: str
    amount: int


class CarriedLot(NamedTuple):
    """A lot of which ``amount`` goes to another account as it is: days in ISO 8601, the last empty where it never expires."""

    id: int
    kind: str
    granted_on: str
    expires_on: str
    amount: int


class Part(NamedTuple):
    """What of a move is dated on a day of its own, later than the rest: ``amount`` signed, debit positive, in ``lots`` where it is in any."""

    on: date
    amount: int
    lots: tuple[CarriedLot, ...] = ()


class Move(NamedTuple):
    """What goes from one account to another: ``amount`` signed, debit positive; no target: an account that is still to be opened.

    ``later`` is what of it is not there before a later day. ``lots`` are those that go first, where they are named. Of an undoing, ``moved`` is what
    the merge moved, signed.
    """

    source: MemberAccount
    target: MemberAccount | None
    amount: int
    later: tuple[Part, ...] = ()
    lots: tuple[CarriedLot, ...] = ()
    moved: int | None = None

    @property
    def first(self) -> int:
        """What goes on the day of the merge."""
        return self.amount - sum(part.amount for part in self.later)

    def as_json(self) -> dict[str, Any]:
        """Return the move as it is shown and stored: what there is to say of lots and later days, and no more."""
        category = self.source.category
        said: dict[str, Any] = {
            "book": self.source.book,
            "role": self.source.role,
            "from": self.source.code,
            "to": self.target.code if self.target else None,
            "amount": natural(category, self.amount),
            "from_balance": natural(category, self.source.amount),
            "to_balance": natural(category, self.target.amount) if self.target else 0,
        }
        if self.moved is not None:
            said["moved"] = natural(category, self.moved)
        if self.later:
            said["later"] = [[part.on.isoformat(), natural(category, part.amount)] for part in self.later]
        if lots := [list(lot) for lot in (*self.lots, *(lot for part in self.later for lot in part.lots))]:
            said["lots"] = lots
        return said


class MergePlan(NamedTuple):
    """What a merge, or the undoing of one, would do: accounts in the order of book and role, identifiers as (id, kind, value for the eye)."""

    moves: tuple[Move, ...]
    identifiers: tuple[tuple[int, str, str], ...]
    days: tuple[tuple[str, str], ...] = ()  # (book code, day of its entries), of those in which something moves

    def as_json(self) -> dict[str, Any]:
        """Return the plan as it is shown and stored."""
        return {
            "moves": [move.as_json() for move in self.moves],
            "identifiers": [list(each) for each in self.identifiers],
            "days": dict(self.days),
        }


NOTHING = MergePlan((), ())


@dataclass(frozen=True, slots=True)
class MergeFacts:
    """What the guards of a merge are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    proposed_by: str
    holder: int
    survivor: int | None  # none while an undoing has opened no member yet
    secret_known_to: tuple[str, ...]  # who proposed it and set the password of the person who asks
    holder_merged_into: int | None = None  # the member who remains after all merges
    survivor_merged_into: int | None = None
    plan: MergePlan = NOTHING
    accounts: tuple[MemberAccount, ...] = ()  # of both
    shut: tuple[tuple[str, str], ...] = ()  # (book, day) that take no entry
    open_work: tuple[errors.LedgerError, ...] = ()
    amount_faults: tuple[errors.LedgerError, ...] = ()
    undoable: bool = True
    number: int = 0  # of the merge that is undone
    is_proposer_away: bool = False
    shown: bytes | None = None  # the digest that the user was shown; None: the page is only looked at


def digest(content: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of a plan as it was shown."""
    return hashlib.sha256(json.dumps([FORM, content], sort_keys=True, separators=(",", ":")).encode()).digest()


def proposal_digest(holder: int, survivor: int | None, content: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of a proposal as it was shown: the members that it names, and what would move."""
    return digest({"holder": holder, "survivor": survivor, "plan": content}).hex()


def plan(
    sources: Iterable[MemberAccount],
    targets: Iterable[MemberAccount],
    *,
    identifiers: Iterable[tuple[int, str, str]],
    amounts: Mapping[tuple[str, str], int] | None = None,
) -> MergePlan:
    """Return what goes from ``sources`` to ``targets``: every balance, or what ``amounts`` states by (book, role), signed.

    An account that has nothing to give still names the account that takes its place, so that what comes later finds one.
    """
    there = {(each.book, each.role): each for each in targets}
    moves = []
    for source in sorted(sources, key=lambda each: (each.book, each.role)):
        place = (source.book, source.role)
        amount = source.amount if amounts is None else amounts.get(place, 0)
        if source.state == "closed" and not amount:
            continue
        moves.append(Move(source, there.get(place), amount))
    return MergePlan(tuple(moves), tuple(sorted(identifiers)))


def merge_reference(number: int | None, role: str, later: str = "") -> str:
    """Return the reference of an entry of a merge; ``later`` is the day, in ISO 8601, of what is not there before it.

    ``number`` is None where the merge is not proposed yet.
    """
    reference = f"merge:{number or UNNUMBERED}:{role}"
    return f"{reference}:{later}" if later else reference


def parts_by_day(*, balance: int, later: Mapping[date, int], sign: int) -> tuple[Part, ...]:
    """Return what of ``balance`` is not there to be taken on a day, with the days from which it is: no day then closes below what is left.

    ``later`` is what each later day adds; ``sign`` makes an amount natural. What a later day takes was there before it, and is no part.
    """
    days = sorted(later)
    closing, closings = balance * sign, []
    for day in reversed(days):
        closings.append(closing)
        closing -= later[day] * sign
    free = min([closing, *closings])
    found = []
    for place, day in enumerate(days):
        most = min(closings[: len(days) - place])
        if most > free:
            found.append(Part(day, (most - free) * sign))
            free = most
    return tuple(found)


def decider_is_another(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """Nobody decides what they proposed."""
    return [members.MergeDecidedByProposer(user=facts.user_name)] if facts.user_name == facts.proposed_by else []


def proposer_still_may(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """The proposer still has the right to propose."""
    return [adjusting.ProposerAway(user=facts.proposed_by)] if facts.is_proposer_away else []


def is_proposer(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """Only the proposer withdraws."""
    return [] if facts.user_name == facts.proposed_by else [adjusting.NotProposer(proposer=facts.proposed_by)]


def members_are_two(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """A member is merged into another."""
    return [members.MergeIntoItself(holder=facts.holder)] if facts.holder == facts.survivor else []


def neither_is_merged(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """Neither of the two was merged before; no merge closes a circle."""
    found: list[errors.LedgerError] = []
    if facts.holder_merged_into is not None:
        found.append(members.MemberMerged(holder=facts.holder, into=facts.holder_merged_into))
    if facts.survivor_merged_into is not None:
        if facts.survivor_merged_into == facts.holder:
            found.append(members.MergeCycle(holder=facts.holder, survivor=facts.survivor))
        else:
            found.append(members.MemberMerged(holder=facts.survivor, into=facts.survivor_merged_into))
    return found


def accounts_take_it(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """No account of the two is suspended, none that takes points closed, and those with one role are of one category."""
    found: list[errors.LedgerError] = [
        members.MergeAccountNotOpen(account=each.code, state=STATES[each.state])
        for each in facts.accounts
        if each.state == "suspended"
    ]
    for source, target, amount, *_how in facts.plan.moves:
        if source.state == "closed" and amount:
            found.append(members.MergeAccountNotOpen(account=source.code, state=STATES[source.state]))
        if target is not None and target.state == "closed":
            found.append(members.MergeAccountNotOpen(account=target.code, state=STATES[target.state]))
        if target is not None and target.category != source.category:
            found.append(members.MergeAccountsDiffer(account=source.code, target=target.code))
    return found


def floors_hold(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """Neither account falls below its floor: the one that gives, where its floor is not zero, nor the one that takes a balance below zero."""
    found: list[errors.LedgerError] = []
    for source, target, amount, *_how in facts.plan.moves:
        for account, change in ((source, -amount), (target, amount)):
            if account is None:
                continue
            after = natural(account.category, account.amount + change)
            if natural(account.category, change) < 0 and floors.is_below(account.floor, after):
                found.append(members.MergeFloorBroken(account=account.code, balance=after, floor=account.floor))
    return found


def days_take_entries(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """The period of each book that points move in takes entries."""
    return [members.MergePeriodNotOpen(book=book, date=day) for book, day in facts.shut]


def nothing_is_open(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """No hold and no other proposal that concerns one of the two is open."""
    return facts.open_work


def can_be_undone(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """What is undone was carried out, and the amounts that are given back are those of accounts that there are."""
    return [*([] if facts.undoable else [members.MergeNotDone(number=facts.number)]), *facts.amount_faults]


def is_what_was_shown(facts: MergeFacts) -> Sequence[errors.LedgerError]:
    """What would be done is what the decider was shown."""
    return [members.MergeMoved()] if facts.shown is not None and facts.shown != digest(facts.plan.as_json()) else []


# What a proposal is asked, and a decision again.
GUARDS = (members_are_two, neither_is_merged, can_be_undone, accounts_take_it, floors_hold, days_take_entries, nothing_is_open)


def proposal_reasons(facts: MergeFacts) -> list[errors.LedgerError]:
    """Return why a merge cannot be proposed."""
    found: list[errors.LedgerError] = []
    if PROPOSE not in facts.rights:
        found.append(errors.NotPermitted(user=facts.user_name, right=_("Propose a merge"), who=_("Support")))
    for guard in GUARDS:
        found += guard(facts)
    return found


MERGE = Machine(
    subject="merge",
    states={"proposed": _("Proposed"), "done": _("Carried out"), "rejected": _("Rejected"), "withdrawn": _("Withdrawn")},
    initial="proposed",
    transitions=(
        Transition(
            name="approve",
            label=_("Approve"),
            description=_(
                "Identifiers and points move to the member who remains, at once. Nothing undoes this but a further merge event."
            ),
            sources=("proposed",),
            target="done",
            right="ledger_app.decide_merge",
            who=_("Finance"),
            guards=(decider_is_another, decider_is_really_another, proposer_still_may, *GUARDS, is_what_was_shown),
            decides=True,
            writes="entries, accounts that were missing, identifiers, the holder",
            phrase=_("approved the merge, which was carried out"),
        ),
        Transition(
            name="reject",
            label=_("Reject"),
            description=_("Nothing moves. Whoever proposed it reads why."),
            sources=("proposed",),
            target="rejected",
            right="ledger_app.decide_merge",
            who=_("Finance"),
            guards=(decider_is_another,),
            reason_required=True,
            decides=True,
            phrase=_("rejected the merge"),
        ),
        Transition(
            name="withdraw",
            label=_("Withdraw"),
            description=_("Nothing moves. The proposal ends."),
            sources=("proposed",),
            target="withdrawn",
            right=PROPOSE,
            who=_("Support"),
            guards=(is_proposer,),
            reason_required=True,
            phrase=_("withdrew the proposal"),
        ),
    ),
)
