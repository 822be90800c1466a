"""Erasures of personal data: what may be erased, what stands in its place, their states, and who may decide them."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors import adjusting, erasing, members
from ledger_app.rules.deciding import decider_is_really_another
from ledger_app.rules.transitions import Machine, Transition

FORM = "kakutei-erasure-1"
ANSWER = "ledger_app.answer_member"
DECIDE = "ledger_app.decide_erasure"
ANSWERERS = _("Support")
REASON_MOST = 500
TICKET_MOST = 40

TRACES, LINKS, DECISIONS = "ledger_app_trace", "ledger_app_link", "ledger_app_adjustmentdecision"
NAMES, ATTACHMENTS, AUDIT = "ledger_app_historicalholder", "ledger_app_attachment", "ledger_app_auditrow"
# Which columns of rows that are written once an erasure may change, and no other way leads there: of a trace, what it says of such a row.
ERASABLE: Mapping[str, tuple[str, ...]] = {
    TRACES: ("content",),
    NAMES: ("name",),
    ATTACHMENTS: ("name",),
    AUDIT: ("subject", "reason", "reasons", "facts"),
}
# Columns of JSON, which the engines compare each in its own way.
OF_JSON = frozenset({"reasons", "facts"})

# What stands in the place of a name within a text. In no language: rows are read in each.
MARK = "[erased]"


def attachment_name(number: int) -> str:
    """Return what an attachment is called once it is erased: no two of a proposal are called alike."""
    return f"{MARK} {number}"


class Part(NamedTuple):
    """One value that was, or is to be, erased, and what stands there since."""

    table: str
    row_id: int
    column: str
    says: str


class Recomputed(NamedTuple):
    """What the digest of a row comes to since."""

    table: str
    row_id: int
    digest: str


def digest(*, holder_id: int, parts: Iterable[Part], digests: Iterable[Recomputed]) -> bytes:
    """Return the SHA-256 of all that an erasure took away, each in the order in which it was written."""
    said = json.dumps([holder_id, [list(each) for each in parts], [list(each) for each in digests]], separators=(",", ":"))
    return hashlib.sha256(f"{FORM}\n{said}".encode()).digest()


def without(names: Collection[str], value: Any, *, keeps_keys: bool = False) -> Any:
    """Return a text, or what JSON holds, with the mark in the place of each of ``names``, the longest first, whatever their capitals.

    With ``keeps_keys``, what the values of JSON are called stays.
    """
    wanted = sorted((name for name in names if name), key=len, reverse=True)
    if not wanted:
        return value
    # A word of letters is one where no other letter stands beside it: who is called Li is not erased from a "Licence".
    # A mark that stands there already is left as it is, whatever somebody is called.
    pattern = re.compile("|".join([re.escape(MARK), *(_pattern(name) for name in wanted)]), re.IGNORECASE)
    return _without(pattern, value, keeps_keys=keeps_keys)


def _pattern(name: str) -> str:
    before = r"(?<![^\W\d_])" if name[0].isascii() and name[0].isalpha() else ""
    after = r"(?![^\W\d_])" if name[-1].isascii() and name[-1].isalpha() else ""
    return f"{before}{re.escape(name)}{after}"


def _without(pattern: re.Pattern[str], value: Any, *, keeps_keys: bool) -> Any:
    if isinstance(value, str):
        return pattern.sub(MARK, value)
    if isinstance(value, Mapping):
        return {
            name if keeps_keys else _without(pattern, name, keeps_keys=keeps_keys): _without(pattern, each, keeps_keys=keeps_keys)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_without(pattern, each, keeps_keys=keeps_keys) for each in value]
    return value


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
    secret_known_to: tuple[str, ...]  # who proposed it and set the password of whoever asks
    waiting: tuple[str, ...] = ()  # what of the member is proposed and not decided
    is_proposer_away: bool = False
    merged_into: int | None = None


def decider_is_another(facts: ErasureFacts) -> list[errors.LedgerError]:
    """Nobody decides what they proposed, superusers included."""
    return [erasing.OwnErasure(user=facts.user_name)] if facts.user_id == facts.proposer_id else []


def proposer_still_may(facts: ErasureFacts) -> list[errors.LedgerError]:
    """Whoever asked for it may still ask."""
    return [adjusting.ProposerAway(user=facts.proposer)] if facts.is_proposer_away else []


def nothing_waits(facts: ErasureFacts) -> list[errors.LedgerError]:
    """Nothing of the member waits for a decision, which whoever decides would have to take without what is attached."""
    if not facts.waiting or facts.state != "proposed":
        return []
    return [erasing.MemberIsWaitedFor(holder=facts.holder_id, what=", ".join(facts.waiting))]


def member_remains(facts: ErasureFacts) -> list[errors.LedgerError]:
    """The member was not merged meanwhile: who remains has what there is."""
    if facts.merged_into is None or facts.state != "proposed":
        return []
    return [members.MemberMerged(holder=facts.holder_id, into=facts.merged_into)]


def proposer_withdraws(facts: ErasureFacts) -> list[errors.LedgerError]:
    """Whoever did not propose it rejects it, and says why."""
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
            told=_("approved the erasure, and erased"),
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
            told=_("rejected the erasure"),
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
            told=_("withdrew the request"),
        ),
    ),
)
