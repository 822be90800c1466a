"""What ingestion refuses beside what the ledger refuses (``ledger_app.errors``)."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class SlotUnknown(LedgerError):
    """Neither the name nor the caller says which business date and sequence the file is for."""

    code = "slot_unknown"
    template = _(
        "Neither the name “{name}” nor what was given with it says which business date and sequence (1 to {most}) this file is for. "
        "The bytes are kept: send it again with both given."
    )


class BytesDiffer(LedgerError):
    """Other bytes came than the sender says were sent."""

    code = "bytes_differ"
    template = _(
        "{size} bytes came, with SHA-256 {sha256}; the sender says {expected_size} bytes, with SHA-256 {expected_sha256}. Nothing of them is kept: "
        "have the file sent again."
    )


class SlotConflict(LedgerError):
    """Another file came in for the same source, business date and sequence."""

    code = "slot_conflict"
    template = _(
        "Another file is already in for {source}, {business_date}, sequence {sequence} (batch {batch}, {state}). The bytes are kept. {way}"
    )


# What can be done about the batch that has a slot, by its state. A frozen one stays: corrections are new entries.
WAYS_TO_THE_SLOT = {
    "applying": _("Pause and reverse that batch, or send this one under its right sequence."),
    "applied": _("Reverse that batch, or send this one under its right sequence."),
    "frozen": _("That batch stays. Send this one under its right sequence; corrections are new entries in an open period."),
}
WAY_TO_THE_SLOT = _("Withdraw that batch, or send this one under its right sequence.")


class SlotTaken(LedgerError):
    """A later file took the place of the rejected one."""

    code = "slot_taken"
    template = _("Batch {batch} has taken this batch's place. Withdraw this one.")


class DefinitionRefused(LedgerError):
    """A source's definition has faults."""

    code = "definition_invalid"
    template = _("{place}: {sentence}")


class FileDamaged(LedgerError):
    """The stored bytes are not those that were received."""

    code = "file_damaged"
    template = _("The stored bytes have SHA-256 {found}, not {sha256}. Restore them from a copy; nothing was read.")


class FileMissing(LedgerError):
    """The stored bytes are not there."""

    code = "file_missing"
    template = _("The stored bytes of {sha256} are not there. Restore them from a copy.")


class ReceivedByApprover(LedgerError):
    """The person who received or validated the file may not approve it."""

    code = "own_proposal"
    template = _("{user} {did} this batch. Another person must approve it.")


class PlanNotShown(LedgerError):
    """The approval names another plan than the batch has."""

    code = "plan_not_shown"
    template = _("The plan you were shown is {shown}; the batch has {current}. Look at the batch again.")


class PlanMoved(LedgerError):
    """What the plan rests on has changed since validation."""

    code = "plan_moved"
    template = _("What this plan rests on has moved: {what}. Validate the batch again (by command: validate {batch} --again).")


class LotRuleMoved(LedgerError):
    """A rule of lots is another than the one that the plan was approved under."""

    code = "lot_rule_moved"
    template = _(
        "The rule of lots of {role} in book {book} is another than the plan was approved under. Put the rule back, or end the batch with what "
        "is applied of it; withdraw it where nothing is."
    )


class SourceVersionNewer(LedgerError):
    """A newer version of the source was loaded after the plan was made, and the approver has not said to know of it."""

    code = "source_version_newer"
    template = _(
        "The plan was made under version {planned} of the source, and version {newest} was loaded since. Validate the batch again (by command: "
        "validate {batch} --again), or say with the approval that you know of version {newest}."
    )


class AlertsOpen(LedgerError):
    """Nobody has acknowledged what looks wrong with the file."""

    code = "alerts_open"
    template = _(
        "Alerts of this file that nobody has acknowledged: {alerts}. Look at what moved, then acknowledge it with a reason (by command: "
        "acknowledge {batch}), or withdraw the batch."
    )


class AlertsNotShown(LedgerError):
    """The acknowledgement names other alerts than the batch has."""

    code = "alerts_not_shown"
    template = _("The alerts you were shown are {shown}; those of the batch are {current}. Look at the batch again.")


class NoAlerts(LedgerError):
    """There is nothing to acknowledge."""

    code = "no_alerts"
    template = _("Validation saw nothing in this file that has to be acknowledged. Approve the batch, or withdraw it.")


class AlertsAcknowledged(LedgerError):
    """Somebody has acknowledged the alerts of this validation."""

    code = "alerts_acknowledged"
    template = _("The alerts of this validation were acknowledged by {by}. Approve the batch, or withdraw it.")


class ReversalMoved(LedgerError):
    """What the plan of a reversal rests on has changed since it was made."""

    code = "reversal_moved"
    template = _("What this reversal rests on has moved: {what}. Validate batch {batch} again, or withdraw it.")


class PlanDamaged(LedgerError):
    """The plan's rows are not what was approved."""

    code = "plan_damaged"
    template = _("The chunks of this batch are not those that were approved (now {now}, approved {approved}). {way}")


# What can be done about a plan whose rows are not what was approved, by the state of its batch.
WAYS_FROM_DAMAGE = {
    "approved": _("Validate it again."),
    "applying": _("Pause it and reverse what is applied; then receive the file again."),
    "applied": _("Reverse it, and receive the file again."),
    "frozen": _("Run verify; what is wrong in the ledger is corrected by new entries."),
}


class ChunksLeft(LedgerError):
    """Not every chunk is applied."""

    code = "chunks_left"
    template = _("{pending} chunks are waiting and {stopped} have stopped, of {total}. Apply the batch again.")


TOTALS: Final = {"entries": _("entries"), "lines": _("lines"), "debits": _("debits")}


class RecountDiffers(LedgerError):
    """The ledger's change is not what the plan says."""

    code = "recount_differs"
    amounts = frozenset({"planned", "found"})
    template = _("Book {book}: the plan has {planned}, the ledger {found} ({what}). Run verify.")

    @property
    def amount_names(self) -> frozenset[str]:
        """Entries and lines are counted."""
        return super().amount_names if self.facts["what"] == "debits" else frozenset()

    def facts_in_words(self) -> dict[str, Any]:
        """Tell what was counted by its word."""
        facts = super().facts_in_words()
        return {**facts, "what": TOTALS.get(facts["what"], facts["what"])}


class ChunkDiffers(LedgerError):
    """The records of a chunk do not come to what the plan says."""

    code = "chunk_differs"
    template = _("Chunk {number} comes to {found} where the plan has {planned}. Nothing of it was posted.")


class RecordsDiffer(LedgerError):
    """The records of a chunk are not those that were approved."""

    code = "records_differ"
    template = _("The records of chunk {number} are not those that were approved. Nothing of it was posted. Run verify.")


class AccountAway(LedgerError):
    """An account that a record needs is not there any more."""

    code = "account_away"
    template = _("Line {line}: there is no account for {account} in book {book}. Open it, then apply again.")


class BatchAway(LedgerError):
    """The batch left its state while a step was running."""

    code = "batch_away"
    template = _("The batch is {state} and applies nothing.")


class ProcessGone(LedgerError):
    """The process that worked on the batch is not there any more."""

    code = "process_gone"
    template = _(
        "Process {process} on {host} is gone: it was killed, or its machine went down. What it had not committed was undone."
    )


class Surprise(LedgerError):
    """Something happened in a step that nobody had foreseen: a fault of the program, or of what it runs on."""

    code = "surprise"
    template = _("The step ended on a fault that was not foreseen: {what}. What it had not committed was undone.")


class Interrupted(LedgerError):
    """The step was ended from outside, as by Ctrl-C or by the end of its worker."""

    code = "interrupted"
    template = _("The step was ended from outside. What it had not committed was undone.")


class Paused(LedgerError):
    """The batch is paused."""

    code = "paused"
    template = _("Batch {batch} is paused. Resume it.")


class AlreadyPaused(LedgerError):
    """The batch is paused already."""

    code = "paused_already"
    template = _("Batch {batch} is paused already. Resume it, or reverse it.")


class ReversalOpen(LedgerError):
    """A reversal of the batch is under way."""

    code = "reversal_open"
    template = _("Batch {reversal} is to reverse this batch. Apply that one, or withdraw it.")


class EntryOfReversedBatch(LedgerError):
    """The batch of the entry is being reversed as a whole."""

    code = "entry_of_reversed_batch"
    template = _(
        "The entry {reference} is of batch {batch}, which batch {reversal} is to reverse as a whole. See that one through, or withdraw it."
    )


class ReversalOfReversalBatch(LedgerError):
    """A reversal is not reversed."""

    code = "batch_is_reversal"
    template = _("This batch is itself a reversal, of batch {batch}. Receive what is right as a new file instead.")


class StillApplying(LedgerError):
    """The batch can still be applied."""

    code = "still_applying"
    template = _("{pending} chunks of this batch are still to be applied. Let it finish, or pause it first.")


class RecordPosted(LedgerError):
    """Another batch has posted the record since the plan was made."""

    code = "record_posted"
    template = _(
        "Line {line}: the record {key} was posted in book {book} meanwhile, by batch {batch}. Nothing of this chunk was posted. "
        "Withdraw the batch and send the file without the record; or, where other chunks are applied, end it with those."
    )


class SomethingApplied(LedgerError):
    """A part of the batch is in the ledger."""

    code = "something_applied"
    template = _(
        "{applied} of {total} chunks of this batch are applied. Reverse what is applied, or end the batch with it and leave the rest out."
    )


class NothingApplied(LedgerError):
    """Nothing of the batch is in the ledger."""

    code = "nothing_applied"
    template = _("No chunk of this batch is applied. Withdraw it.")


class NothingLeft(LedgerError):
    """No chunk of the batch is left to be applied."""

    code = "nothing_left"
    template = _("Every chunk of this batch is applied: nothing is to be left out. Resume it, and it ends.")


class NothingToReverse(LedgerError):
    """Nothing of the batch is in the ledger, or all of it is reversed already."""

    code = "nothing_to_reverse"
    template = _("No entry of this batch is in the ledger that is not reversed already.")


class NoPeriodOpen(LedgerError):
    """There is no day on which an entry can be reversed."""

    code = "no_period_open"
    template = _("Entries of {date} in book {book} cannot be reversed: no period from that day on is open. Open one first.")


class MoreFloorsBroken(LedgerError):
    """More accounts than are named have not what the reversal would take."""

    code = "more_floors_broken"
    template = _("{count} more accounts have not what the reversal would take.")


class BatchOverLimit(LedgerError):
    """The adjustments of a batch come to more than the approver may decide alone."""

    code = "batch_over_limit"
    amounts = frozenset({"total", "limit"})
    template = _(
        "The adjustments of this batch come to {total} in book {book}, and {user} alone decides up to {limit}. "
        "Someone with a higher limit must approve it, or it is withdrawn, and what it adjusts is proposed one by one."
    )


class BatchOverLimitInSum(LedgerError):
    """The adjustments of a batch, with those of files that the approver has approved lately, come to more than the approver may decide alone."""

    code = "batch_over_limit_in_sum"
    amounts = frozenset({"total", "before", "limit"})
    template = _(
        "{user} alone decides up to {limit} by files in {days} days in book {book}; files of {before} were approved before, and the adjustments "
        "of this batch come to {total}. Another person must approve it, or it is withdrawn, and what it adjusts is proposed one by one."
    )


class BatchProposerAway(LedgerError):
    """The person who received or validated the file, or proposed the reversal, has lost the right to do so."""

    code = "batch_proposer_away"
    template = _(
        "{user}, on whose work this plan rests, may not do it any more. Withdraw it, or have somebody validate it again who may."
    )


class JobNotBegun(LedgerError):
    """A step that was asked for was not begun, and will not be."""

    code = "job_not_begun"
    template = _(
        "Nobody has begun this, and nobody will: batch {batch} is {state}. Look at the batch, and ask again where it is still wanted."
    )


class DemonstrationNotHere(LedgerError):
    """The demonstration makes users whose password everybody knows, and figures that are not real."""

    code = "demonstration_not_here"
    template = _("The demonstration is not for production: the password of its users is known to everybody.")


class DemonstrationStopped(LedgerError):
    """A step of the demonstration did not pass."""

    code = "demonstration_stopped"
    template = _("The demonstration stopped: {why}")
