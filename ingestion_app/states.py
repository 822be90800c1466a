"""The states of a batch: the one table of its transitions, and the guards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.alert_guards import alerts_are_acknowledged, alerts_are_open, alerts_are_there, alerts_were_shown
from ledger_app.adjustments.rules.limits import Weight
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import LedgerError
from ledger_app.errors.words import Phrase


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What the guards of a batch are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    user_id: int
    received_by: int
    planned_by: int | None
    plan_digest: str  # hexadecimal; empty before validation
    approved_digest: str
    secret_known_to: tuple[str, ...]  # who received or planned it and set the password of the person who asks
    rows_digest: str = ""  # of the plan as its rows are now; empty where it was not asked for
    digest_shown: str | None = None  # None: nothing was decided yet, as when the page is only shown
    slot_taken_by: int | None = None
    moved: tuple[Phrase, ...] = ()  # what the plan rests on and has changed, each as a phrase
    chunks: int = 0
    chunks_pending: int = 0
    chunks_stopped: int = 0
    recount: tuple[tuple[str, str, int, int], ...] = ()  # (book, what, planned, found), where they differ
    batch_id: int = 0
    is_paused: bool = False
    reverses: int | None = None  # the batch that this one reverses
    reversal: int | None = None  # the batch that is to reverse this one
    beyond_limits: tuple[
        tuple[str, int, int], ...
    ] = ()  # (book, total, limit) where adjustments come to more than the user decides alone
    beyond_in_sum: tuple[LedgerError, ...] = ()  # why they are too much with what was decided lately
    weights: Mapping[str, Sequence[Weight]] = field(
        default_factory=dict
    )  # what is adjusted, by book; empty where it was not asked for
    proposers_away: tuple[str, ...] = ()  # users who received or planned it and may not any more
    planned_version: int = 0  # of the source, under which the plan was made
    newer_version: int | None = None  # of the source, loaded since
    acknowledged_version: int | None = None  # the newer one that the approver says to know of
    alerts: int = 0
    alerts_digest: str = ""  # of the alerts, hexadecimal; empty where there is none
    alerts_shown: str | None = None  # None: nothing was decided yet
    alerts_acknowledged_by: str = ""  # empty: nobody has, since the last validation


def slot_is_free(facts: BatchFacts) -> list[LedgerError]:
    """No later file has taken the place of this one."""
    return [] if facts.slot_taken_by is None else [errors.SlotTaken(batch=facts.slot_taken_by)]


def approver_is_another(facts: BatchFacts) -> list[LedgerError]:
    """Nobody decides what they proposed, superusers included."""
    found: list[LedgerError] = []
    if facts.user_id == facts.received_by:
        found.append(errors.ReceivedByApprover(user=facts.user_name, did=_("received")))
    if facts.user_id == facts.planned_by:
        found.append(errors.ReceivedByApprover(user=facts.user_name, did=_("validated")))
    return found


def plan_was_shown(facts: BatchFacts) -> list[LedgerError]:
    """The decision names the plan that the batch has."""
    if facts.digest_shown is None or facts.digest_shown == facts.plan_digest:
        return []
    return [errors.PlanNotShown(shown=facts.digest_shown[:12] or "–", current=facts.plan_digest[:12] or "–")]


def is_within_limits(facts: BatchFacts) -> list[LedgerError]:
    """Adjustments in the batch come to no more than the approver may decide alone, at once and with what was decided lately."""
    found: list[LedgerError] = [
        errors.BatchOverLimit(user=facts.user_name, book=book, total=total, limit=limit)
        for book, total, limit in facts.beyond_limits
    ]
    return found or list(facts.beyond_in_sum)


def proposers_still_may(facts: BatchFacts) -> list[LedgerError]:
    """The people who received and validated the file, or proposed the reversal, still have the right to do so."""
    return [errors.BatchProposerAway(user=name) for name in facts.proposers_away]


def plan_holds(facts: BatchFacts) -> list[LedgerError]:
    """Nothing that the plan rests on has changed since validation, or since the reversal was proposed."""
    return plan_moved(facts.batch_id, facts.moved, is_reversal=facts.reverses is not None)


def plan_moved(batch_id: int, moved: Sequence[Phrase], *, is_reversal: bool) -> list[LedgerError]:
    """Return why a plan does not hold, of what has changed that it rests on."""
    error = errors.ReversalMoved if is_reversal else errors.PlanMoved
    return [error(what=what, batch=batch_id) for what in moved]


def newer_rules_are_known(facts: BatchFacts) -> list[LedgerError]:
    """The approver of a plan that was made under an earlier version of the source confirms that they know of the newer one."""
    # Where nothing is decided yet nobody was asked: the page says it.
    if facts.newer_version in {None, facts.acknowledged_version} or facts.digest_shown is None:
        return []
    return [errors.SourceVersionNewer(batch=facts.batch_id, planned=facts.planned_version, newest=facts.newer_version)]


def plan_is_approved(facts: BatchFacts) -> list[LedgerError]:
    """The plan's rows are, to the bit, what was approved."""
    # Where the rows were not asked, nothing is decided, or the state is the reason.
    if not facts.rows_digest or facts.rows_digest == facts.approved_digest:
        return []
    way = errors.WAYS_FROM_DAMAGE.get(facts.state, "")
    return [errors.PlanDamaged(now=facts.rows_digest[:12] or "–", approved=facts.approved_digest[:12] or "–", way=way)]


def every_chunk_is_applied(facts: BatchFacts) -> list[LedgerError]:
    """No chunk is waiting or stopped."""
    # Before anything is applied the state is the reason: there is nothing to apply again.
    if facts.state not in {"applying", "applied"} or facts.chunks_pending + facts.chunks_stopped == 0:
        return []
    return [errors.ChunksLeft(pending=facts.chunks_pending, stopped=facts.chunks_stopped, total=facts.chunks)]


def recount_equals_plan(facts: BatchFacts) -> list[LedgerError]:
    """What the batch changed in the ledger, counted from its rows, is what its plan says."""
    return [
        errors.RecountDiffers(book=book, what=what, planned=planned, found=found) for book, what, planned, found in facts.recount
    ]


def is_not_paused(facts: BatchFacts) -> list[LedgerError]:
    """Nobody, and no circuit breaker, has paused the batch."""
    return [errors.AlreadyPaused(batch=facts.batch_id)] if facts.is_paused else []


def no_reversal_is_open(facts: BatchFacts) -> list[LedgerError]:
    """No other batch is about to reverse this one."""
    return [] if facts.reversal is None else [errors.ReversalOpen(reversal=facts.reversal)]


def is_no_reversal(facts: BatchFacts) -> list[LedgerError]:
    """The batch came as a file."""
    return [] if facts.reverses is None else [errors.ReversalOfReversalBatch(batch=facts.reverses)]


def nobody_applies(facts: BatchFacts) -> list[LedgerError]:
    """Every chunk is applied, or the batch is paused: nothing of it can be posted while its reversal is planned."""
    if facts.state != "applying" or facts.is_paused or facts.chunks_pending + facts.chunks_stopped == 0:
        return []
    return [errors.StillApplying(pending=facts.chunks_pending + facts.chunks_stopped)]


def nothing_is_applied(facts: BatchFacts) -> list[LedgerError]:
    """No chunk of the batch is in the ledger: what is there is reversed, and not withdrawn."""
    applied = facts.chunks - facts.chunks_pending - facts.chunks_stopped
    if facts.state != "applying" or applied == 0:
        return []
    return [errors.SomethingApplied(applied=applied, total=facts.chunks)]


def something_is_applied(facts: BatchFacts) -> list[LedgerError]:
    """A part of the batch is in the ledger, and a part is not."""
    left = facts.chunks_pending + facts.chunks_stopped
    if facts.state != "applying":
        return []
    if left == 0:
        return [errors.NothingLeft()]
    return [errors.NothingApplied()] if left == facts.chunks else []


def something_is_there(facts: BatchFacts) -> list[LedgerError]:
    """A chunk of the batch is in the ledger."""
    is_none = facts.chunks == facts.chunks_pending + facts.chunks_stopped
    return [errors.NothingToReverse()] if is_none and facts.state in {"applying", "applied"} else []


BATCH = Machine(
    subject="batch",
    states={
        "received": _("Received"),
        "rejected": _("Rejected"),
        "validated": _("Validated"),
        "approved": _("Approved"),
        "applying": _("Applying"),
        "applied": _("Applied"),
        "frozen": _("Frozen"),
        "withdrawn": _("Withdrawn"),
        "reversed": _("Reversed"),
    },
    initial="received",
    transitions=(
        Transition(
            name="validate",
            label=_("Validate"),
            description=_(
                "Reads the whole file, or the batch that is reversed, checks every record, and plans what would be posted. Posts nothing."
            ),
            sources=("received", "rejected", "validated", "approved"),
            target="validated",
            right="ingestion_app.validate_batch",
            who=_("Engineers"),
            guards=(slot_is_free,),
            writes="records, findings, chunks, the plan's digest; an earlier approval is void",
            phrase=_("validated it"),
        ),
        Transition(
            name="reject",
            label=_("Reject"),
            description=_("Validation found errors: the findings are kept, the slot is free for the corrected file."),
            sources=("received", "rejected", "validated", "approved"),
            target="rejected",
            right="ingestion_app.validate_batch",
            who=_("Engineers"),
            automatic=True,
            writes="findings",
            phrase=_("rejected the file, whose findings are kept"),
        ),
        Transition(
            name="acknowledge",
            label=_("Acknowledge alerts"),
            description=_("Says why the file is right although it does not look like the ones before it. Approves nothing yet."),
            sources=("validated",),
            target="",
            right="ingestion_app.approve_batch",
            who=_("Finance"),
            guards=(approver_is_another, decider_is_really_another, alerts_are_there, alerts_are_open, alerts_were_shown),
            reason_required=True,
            decides=True,
            writes="the acknowledgement; another validation asks for another",
            phrase=_("acknowledged the alerts"),
        ),
        Transition(
            name="approve",
            label=_("Approve"),
            description=_("Binds you to the plan as it is shown: these records, these sums, these findings."),
            sources=("validated",),
            target="approved",
            right="ingestion_app.approve_batch",
            who=_("Finance"),
            guards=(
                approver_is_another,
                decider_is_really_another,
                proposers_still_may,
                is_within_limits,
                plan_was_shown,
                newer_rules_are_known,
                alerts_are_acknowledged,
                plan_holds,
            ),
            decides=True,
            writes="approver and approved digest",
            phrase=_("approved the plan"),
        ),
        Transition(
            name="apply",
            label=_("Apply"),
            description=_("Posts the plan, chunk by chunk. It can be stopped and run again at any time."),
            sources=("approved",),
            target="applying",
            right="ingestion_app.apply_batch",
            who=_("Engineers"),
            guards=(plan_is_approved, plan_holds),
            writes="attempt",
            phrase=_("began to apply the plan"),
        ),
        Transition(
            name="resume",
            label=_("Resume"),
            description=_("Applies the chunks that are left. Chunks that are applied are skipped."),
            sources=("applying",),
            target="applying",
            right="ingestion_app.apply_batch",
            who=_("Engineers"),
            guards=(plan_is_approved, no_reversal_is_open),
            writes="attempt; a pause ends",
            phrase=_("resumed applying"),
        ),
        Transition(
            name="pause",
            label=_("Pause"),
            description=_(
                "Lets the chunks that are being applied come to their end, and begins no other until somebody resumes."
            ),
            sources=("applying",),
            target="",
            right="ingestion_app.apply_batch",
            who=_("Engineers"),
            guards=(is_not_paused,),
            reason_required=True,
            writes="the pause",
            phrase=_("paused applying"),
        ),
        Transition(
            name="trip",
            label=_("Stop after failing chunks"),
            description=_("As many chunks have stopped as the source allows: something is wrong with more than one of them."),
            sources=("applying",),
            target="",
            right="ingestion_app.apply_batch",
            who=_("Engineers"),
            guards=(is_not_paused,),
            automatic=True,
            writes="the pause",
            phrase=_("applied chunks until too many had stopped; the batch is paused"),
        ),
        Transition(
            name="finish",
            label=_("Finish"),
            description=_("Every chunk is applied, and the ledger's change, counted from its rows, equals the plan."),
            sources=("applying",),
            target="applied",
            right="ingestion_app.apply_batch",
            who=_("Engineers"),
            guards=(plan_is_approved, every_chunk_is_applied, recount_equals_plan),
            automatic=True,
            phrase=_("applied the last chunk; the recount equals the plan"),
        ),
        Transition(
            name="freeze",
            label=_("Freeze"),
            description=_("Ends the batch. Nothing undoes this; corrections are new entries."),
            sources=("applied",),
            target="frozen",
            right="ingestion_app.freeze_batch",
            who=_("Finance"),
            guards=(plan_is_approved, every_chunk_is_applied, recount_equals_plan, no_reversal_is_open),
            decides=True,
            phrase=_("froze the batch"),
        ),
        Transition(
            name="reverse",
            label=_("Reverse"),
            description=_(
                "Proposes a batch that undoes this one, entry by entry. A worker makes its plan, which another person approves; nothing is posted yet."
            ),
            sources=("applying", "applied"),
            target="",
            right="ingestion_app.reverse_batch",
            who=_("Engineers"),
            guards=(is_no_reversal, no_reversal_is_open, nobody_applies, something_is_there),
            reason_required=True,
            decides=True,
            writes="a batch that reverses this one, whose validation is asked for",
            phrase=_("proposed the reversal of the batch"),
        ),
        Transition(
            name="undo",
            label=_("Reversed"),
            description=_("The batch that reverses this one is applied: what this one changed is undone."),
            sources=("applying", "applied"),
            target="reversed",
            right="ingestion_app.apply_batch",
            who=_("Engineers"),
            automatic=True,
            writes="slot and bytes are free for a new batch",
            phrase=_("applied the reversal; what the batch had changed is undone"),
        ),
        Transition(
            name="leave",
            label=_("End with what is applied"),
            description=_(
                "Sets aside the records of every chunk that is not applied, and binds you to what is left of the plan. "
                "What was left out can come in again under its own keys."
            ),
            sources=("applying",),
            target="applied",
            right="ingestion_app.approve_batch",
            who=_("Finance"),
            guards=(approver_is_another, decider_is_really_another, nobody_applies, something_is_applied, no_reversal_is_open),
            reason_required=True,
            decides=True,
            writes="records set aside, findings; the plan without them, approver and approved digest",
            phrase=_("ended the batch with what was applied, and left the rest out"),
        ),
        Transition(
            name="withdraw",
            label=_("Withdraw"),
            description=_("The batch ends without effect; its bytes and findings are kept."),
            sources=("received", "rejected", "validated", "approved", "applying"),
            target="withdrawn",
            right="ingestion_app.withdraw_batch",
            who=_("Engineers"),
            guards=(nothing_is_applied,),
            reason_required=True,
            decides=True,
            writes="slot and bytes are free for a new batch",
            phrase=_("withdrew the batch"),
        ),
    ),
)
