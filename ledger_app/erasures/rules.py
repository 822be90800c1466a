"""Erasures of personal data: their states, what refuses one, and who may decide them."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import adjusting, erasing, members

ANSWER = "ledger_app.answer_member"
DECIDE = "ledger_app.decide_erasure"
ANSWERERS = _("Support")


@dataclass(frozen=True, slots=True)
class ErasureFacts:
    """What the guards of an erasure are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    user_id: int
    proposer: str
    proposer_id: int
    holder_id: int
    secret_known_to: tuple[str, ...]  # who proposed it and set the password of the person who asks
    waiting: tuple[str, ...] = ()  # what of the member is proposed and not decided
    is_proposer_away: bool = False
    merged_into: int | None = None


def decider_is_another(facts: ErasureFacts) -> list[errors.LedgerError]:
    """Nobody decides what they proposed, superusers included."""
    return [erasing.OwnErasure(user=facts.user_name)] if facts.user_id == facts.proposer_id else []


def proposer_still_may(facts: ErasureFacts) -> list[errors.LedgerError]:
    """The person who asked for the erasure still has the right to ask."""
    return [adjusting.ProposerAway(user=facts.proposer)] if facts.is_proposer_away else []


def nothing_waits(facts: ErasureFacts) -> list[errors.LedgerError]:
    """Nothing of the member waits for a decision: an erasure would take away the attachments that the decider needs."""
    if not facts.waiting or facts.state != "proposed":
        return []
    return [erasing.MemberIsWaitedFor(holder=facts.holder_id, what=", ".join(facts.waiting))]


def member_remains(facts: ErasureFacts) -> list[errors.LedgerError]:
    """The member was not merged meanwhile: who remains has what there is."""
    if facts.merged_into is None or facts.state != "proposed":
        return []
    return [members.MemberMerged(holder=facts.holder_id, into=facts.merged_into)]


def proposer_withdraws(facts: ErasureFacts) -> list[errors.LedgerError]:
    """A person other than the proposer rejects it, and says why."""
    return [] if facts.user_id == facts.proposer_id else [adjusting.NotProposer(proposer=facts.proposer)]


ERASURE = Machine(
    subject="erasure",
    states={"proposed": _("Proposed"), "done": _("Erased"), "rejected": _("Rejected"), "withdrawn": _("Withdrawn")},
    initial="proposed",
    transitions=(
        Transition(
            name="approve",
            label=_("Approve and erase"),
            description=_("What tells who the member is goes for ever. Accounts, entries and balances stay as they are."),
            sources=("proposed",),
            target="done",
            right=DECIDE,
            who=_("Finance"),
            guards=(decider_is_another, decider_is_really_another, proposer_still_may, nothing_waits, member_remains),
            decides=True,
            writes="each part that is erased, and what each digest over it comes to since; who decided and when",
            phrase=_("approved the erasure, and erased"),
        ),
        Transition(
            name="reject",
            label=_("Reject"),
            description=_("Nothing is erased."),
            sources=("proposed",),
            target="rejected",
            right=DECIDE,
            who=_("Finance"),
            guards=(decider_is_another,),
            reason_required=True,
            decides=True,
            writes="who decided and when",
            phrase=_("rejected the erasure"),
        ),
        Transition(
            name="withdraw",
            label=_("Withdraw"),
            description=_("The request is taken back, and nothing is erased."),
            sources=("proposed",),
            target="withdrawn",
            right=ANSWER,
            who=_("Whoever proposed it"),
            guards=(proposer_withdraws,),
            phrase=_("withdrew the request"),
        ),
    ),
)
