"""Adjustments: what a proposal may say, what was shown of it, its states, and who may decide it."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.adjustments.rules import limits
from ledger_app.adjustments.rules.attachments import StoredFile
from ledger_app.adjustments.rules.limits import Lately, LimitCheck
from ledger_app.adjustments.rules.limits import Limit as Limit  # noqa: PLC0414 - asked for under this module too
from ledger_app.adjustments.rules.limits import widest as widest  # noqa: PLC0414 - asked for under this module too
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import adjusting
from ledger_app.errors.words import UNNUMBERED, Word, Words
from ledger_app.posting.rules.lots import ShownLot
from ledger_app.rights.rules import rights
from ledger_app.values import instants, sides
from ledger_app.values.most import AMOUNT_MOST, TICKET_MOST

PROPOSE, DECIDE = "ledger_app.propose_adjustment", "ledger_app.decide_adjustment"
PROPOSERS, DECIDERS, SYSTEM = _("Support"), _("Finance"), _("The system")

TEXT_MOST, KEY_MOST = 500, 64  # characters
AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
TICKET = re.compile(r"[\x21-\x7e]*", re.ASCII)
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*", re.ASCII)
# Line ends and tabs are what people type; the entry's description gets them as spaces.
TEXT = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
UNDECIDED = ("proposed", "endorsed")
NOTHING_LATELY = Lately()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: book, account and reason by their codes; ``amount`` in minor units, in the account's natural direction.

    ``key`` is the proposer's own name for the proposal: sent again under the same key, it is found and not made twice.
    """

    key: str
    book: str
    account: str
    amount: int
    effective_on: date
    reason: str
    text: str
    ticket: str = ""
    waives_floor: bool = False
    attachments: tuple[StoredFile, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownBalance:
    """A balance that the decision is bound to: before and after, in the account's natural direction."""

    account: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of the entry, debit positive."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is shown of an adjustment and that a decision on it covers. ``adjustment`` and ``version`` are 0 before it is sent.

    ``lots`` are the lots that the entry would make, take or give back. Balances of accounts without a floor, other than the adjusted one,
    and of striped accounts are not in it: whatever is posted meanwhile moves them, and they decide nothing (docs/decisions/0024).
    """

    adjustment: int
    version: int
    book: str
    effective_on: str
    lines: tuple[ShownLine, ...]
    balances: tuple[ShownBalance, ...]
    lots: tuple[ShownLot, ...]
    reason: str
    text: str
    ticket: str
    waives_floor: bool
    attachments: tuple[str, ...]  # SHA-256 in hexadecimal and name of each

    def digest(self) -> str:
        """Return the SHA-256 of what was shown, in hexadecimal."""
        content = json.dumps(["kakutei-adjustment-1", asdict(self)], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an adjustment would do now: the balances, and every rule that would refuse it. ``shown`` is None where no entry can be made of it."""

    shown: Shown | None
    refusals: tuple[errors.LedgerError, ...]

    @property
    def digest(self) -> str:
        """The digest of what is shown; empty where there is nothing."""
        return self.shown.digest() if self.shown is not None else ""


@dataclass(frozen=True, slots=True)
class AdjustmentFacts:
    """What the guards of an adjustment are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    user_id: int
    proposed_by: int
    proposer: str
    book: str
    size: int  # the amount without its sign
    limit: Limit
    approved_by: frozenset[int]  # users who have given one of two approvals, and may still
    at: datetime
    expires_at: datetime
    secret_known_to: tuple[str, ...]  # who proposed it, or gave the first approval, and set the password of the person who asks
    digest: str = ""  # of what would be shown now
    digest_shown: str | None = None  # None: nothing was decided yet, as when the page is only shown
    moved: Word | Words = ""  # the balances as they are now, as a phrase
    refusals: tuple[errors.LedgerError, ...] = ()  # why the ledger would not take the entry; not asked at the decision itself
    lately: Lately = NOTHING_LATELY  # what was decided before
    of_reason: tuple[LimitCheck, ...] = ()  # the limit of the reason code, where it has one, and what was decided with it before
    void: tuple[str, ...] = ()  # users whose approvals count no more
    is_proposer_away: bool = False

    @property
    def needs_second(self) -> bool:
        """Whether the amount, with what the user has decided alone before, is more than the user may decide alone."""
        return any(each.needs_second(self.size) for each in self.checks)

    @property
    def checks(self) -> tuple[LimitCheck, ...]:
        """The limits that the decision is compared with: of the book, and of the reason code where it has one."""
        return (LimitCheck(self.book, self.limit, self.lately), *self.of_reason)

    @property
    def most(self) -> int:
        """The most that the user may decide at once."""
        return min(each.limit.most for each in self.checks)


def read_amount(text: str) -> int:
    """Return an amount that is written as an integer of minor units.

    :raises errors.Refused: amount_invalid
    """
    if AMOUNT.fullmatch(text) is None or text == "-0":
        raise errors.Refused([adjusting.AmountInvalid(text=text[:40])])
    return int(text)


def form_refusals(proposal: Proposal) -> list[errors.LedgerError]:
    """Return what is wrong with a proposal by itself, in this order: key, amount, text, ticket."""
    found: list[errors.LedgerError] = []
    if len(proposal.key) > KEY_MOST or KEY.fullmatch(proposal.key) is None:
        found.append(errors.CodeInvalid(name=proposal.key[:KEY_MOST], most=KEY_MOST))
    # A bool is an int to isinstance, and 1.0 equals 1.
    if type(proposal.amount) is not int:
        found.append(adjusting.AmountInvalid(text=str(proposal.amount)[:40]))
    elif proposal.amount == 0:
        found.append(adjusting.AdjustmentZero())
    elif abs(proposal.amount) > AMOUNT_MOST:
        found.append(errors.AmountOutOfRange(amount=proposal.amount, reference=reference(0), account=proposal.account))
    if not proposal.text.strip() or len(proposal.text) > TEXT_MOST or TEXT.fullmatch(proposal.text) is None:
        found.append(adjusting.TextInvalid(most=TEXT_MOST))
    if len(proposal.ticket) > TICKET_MOST or TICKET.fullmatch(proposal.ticket) is None:
        found.append(adjusting.TicketInvalid(ticket=proposal.ticket[:TICKET_MOST], most=TICKET_MOST))
    return found


def description(*, reason: str, ticket: str, text: str) -> str:
    """Return the description of the entry: reason code and ticket first, since the text may have to be cut."""
    head = f"{reason} {ticket}".strip()
    return f"{head}: {' '.join(text.split())}"[:200]


def reference(adjustment_id: int) -> str:
    """Return the reference of an adjustment's entry. 0 stands for one that is not sent yet."""
    return f"adjustment:{adjustment_id or UNNUMBERED}"


def lines(*, account_id: int, category: str, contra_id: int, amount: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the lines of an adjustment's entry, debit positive: the account moves by ``amount`` in its natural direction."""
    signed = sides.natural(category, amount)
    return (account_id, signed), (contra_id, -signed)


def decider_is_another(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """Nobody decides what they proposed, superusers included."""
    return [adjusting.OwnAdjustment(user=facts.user_name)] if facts.user_id == facts.proposed_by else []


def decides_once(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The person who gave the first approval does not give the second."""
    return [adjusting.DecidedBefore(user=facts.user_name)] if facts.user_id in facts.approved_by else []


def is_within_limit(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The amount is one that the user's groups may decide, at once and with what the user has decided lately."""
    return [each for check in facts.checks for each in limits.beyond(check, facts.size, user=facts.user_name)]


def approvals_suffice(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The user may decide the amount alone, or another has approved it before who still may."""
    if not facts.needs_second or facts.approved_by or facts.size > facts.most:
        return []
    if facts.void:
        return [adjusting.ApprovalVoid(user=", ".join(facts.void))]
    check = next(each for each in facts.checks if each.needs_second(facts.size))
    limit, said = check.limit, {"book": check.name, "amount": facts.size, "alone": check.limit.alone}
    if facts.size > limit.alone:
        return [adjusting.SecondDeciderNeeded(**said)]
    more = {"user": facts.user_name, "days": limit.window_days, "before": check.lately.alone}
    return [adjusting.SecondDeciderNeededInSum(**said, **more)]


def needs_a_second(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The user may not decide the amount alone."""
    return [] if facts.needs_second else [adjusting.OneDeciderSuffices(user=facts.user_name, amount=facts.size)]


def first_is_wanted(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """Nobody has given the first approval whose word still counts."""
    if facts.state != "endorsed" or not facts.approved_by:
        return []
    states = ADJUSTMENT.states
    return [errors.WrongState(action=_("Approve as the first of two"), needed=states["proposed"], state=states["endorsed"])]


def proposer_still_may(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The proposer still has the right to propose."""
    return [adjusting.ProposerAway(user=facts.proposer)] if facts.is_proposer_away else []


def has_time_left(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The time in which the proposal can be decided is not over."""
    return [] if facts.at <= facts.expires_at else [adjusting.ProposalExpired(expires=instants.stamp(facts.expires_at))]


def time_is_over(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The time in which the proposal could be decided is over."""
    return [adjusting.ProposalNotExpired(expires=instants.stamp(facts.expires_at))] if facts.at <= facts.expires_at else []


def was_shown(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The decision names what would happen now: no balance it rests on has moved since it was shown."""
    # What is decided already shows nothing that could have moved: its state is the reason.
    if facts.digest_shown is None or facts.digest_shown == facts.digest or facts.state not in UNDECIDED:
        return []
    return [adjusting.PreviewMoved(what=facts.moved)]


def ledger_takes_it(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """The ledger would take the entry: account open, period not frozen, no floor broken."""
    return list(facts.refusals)


def is_proposer(facts: AdjustmentFacts) -> list[errors.LedgerError]:
    """Only the proposer withdraws."""
    return [] if facts.user_id == facts.proposed_by else [adjusting.NotProposer(proposer=facts.proposer)]


ADJUSTMENT = Machine(
    subject="adjustment",
    states={
        "proposed": _("Proposed"),
        "endorsed": _("Approved once"),
        "approved": _("Approved"),
        "rejected": _("Rejected"),
        "withdrawn": _("Withdrawn"),
        "expired": _("Expired"),
    },
    initial="proposed",
    transitions=(
        Transition(
            name="approve",
            label=_("Approve"),
            description=_("Posts the entry as it is shown, in the same transaction. Only a new entry undoes it."),
            sources=UNDECIDED,
            target="approved",
            right=DECIDE,
            who=DECIDERS,
            guards=(
                decider_is_another,
                decider_is_really_another,
                decides_once,
                proposer_still_may,
                has_time_left,
                is_within_limit,
                approvals_suffice,
                was_shown,
                ledger_takes_it,
            ),
            decides=True,
            writes="the decision, the entry",
            phrase=_("approved and posted the adjustment"),
        ),
        Transition(
            name="endorse",
            label=_("Approve as the first of two"),
            description=_(
                "Gives the first of the two approvals that this amount needs. Nothing is posted until another person approves."
            ),
            sources=UNDECIDED,
            target="endorsed",
            right=DECIDE,
            who=DECIDERS,
            guards=(
                decider_is_another,
                decider_is_really_another,
                first_is_wanted,
                proposer_still_may,
                has_time_left,
                is_within_limit,
                needs_a_second,
                was_shown,
                ledger_takes_it,
            ),
            decides=True,
            writes="the decision",
            phrase=_("gave the first approval"),
        ),
        Transition(
            name="reject",
            label=_("Reject"),
            description=_("Ends the proposal; nothing is posted. The proposer reads the reason."),
            sources=UNDECIDED,
            target="rejected",
            right=DECIDE,
            who=DECIDERS,
            guards=(decider_is_another, decides_once),
            reason_required=True,
            decides=True,
            writes="the decision",
            phrase=_("rejected the adjustment"),
        ),
        Transition(
            name="withdraw",
            label=_("Withdraw"),
            description=_("Takes your own proposal back; nothing is posted."),
            sources=UNDECIDED,
            target="withdrawn",
            right=PROPOSE,
            who=PROPOSERS,
            guards=(is_proposer,),
            phrase=_("withdrew the proposal"),
        ),
        Transition(
            name="expire",
            label=_("Expire"),
            description=_("The time in which the proposal could be decided is over."),
            sources=UNDECIDED,
            target="expired",
            right=rights.EXPIRE,
            who=SYSTEM,
            guards=(time_is_over,),
            automatic=True,
            phrase=_("let the proposal expire, which nobody decided in time"),
        ),
    ),
)
