"""Reverses an entry at once, as the decision on a proposal does, for tests of what comes of it. The program has no such way."""

from dataclasses import replace
from datetime import date

from ledger_app import locks
from ledger_app.base.operations import audit, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Entry, Posting, Reversal, User
from ledger_app.posting.operations import entries
from ledger_app.posting.operations.entries import Origin, Posted
from ledger_app.posting.rules.drafts import Draft, Reversed
from ledger_app.reversals.rules import REVERSAL

DIGEST = bytes(32)  # nobody was shown anything


def reverse_entry(*, entry_id: int, effective_on: date, reason: str, caller: Caller) -> Posted:
    """Post the entry that undoes another, dated ``effective_on``, in a transaction of its own, as the decision on a proposal by somebody else."""

    def work() -> Posted:
        entry = locks.own_row(Entry, entry_id)
        draft = Draft(
            book_id=entry.book_id,
            effective_on=effective_on,
            reference=f"reversal:{entry.pk}",
            description=f"Reversal of {entry.reference}",
            lines=tuple((key, -amount) for key, amount in entry.lines.order_by("id").values_list("account_id", "amount")),
            reverses=Reversed(entry.pk, entry.reference),
        )
        origin = Origin(Posting.Origin.REVERSAL, entry.pk)
        posted = entries.post(drafts=[draft], origin=origin, caller=caller, reason=reason)
        # One that is proposed, or was decided, has the entry to itself.
        if not Reversal.objects.filter(entry=entry, holds_entry=True).exists():
            _decide(entry, effective_on, reason, caller)
        return posted

    return transactions.run(work)


def _decide(entry: Entry, on: date, reason: str, caller: Caller) -> None:
    """Write down the proposal of somebody else, and that the caller decided it: without that, ``verify`` names the entry that reverses."""
    proposer = User.objects.get_or_create(username="proposer-of-reversals")[0]
    proposing = replace(caller, user=proposer)
    row = history.create(
        Reversal(entry=entry, effective_on=on, reason=reason, digest=DIGEST, proposed_by=proposer, proposed_at=caller.at),
        caller=proposing,
    )
    audit.record(subject=audit.Subject(REVERSAL.subject, row.pk, str(row)), action="propose", caller=proposing, reason=reason)
    columns = {
        "decided_by": caller.user,
        "decided_at": caller.at,
        "decided_digest": DIGEST,
        "reversal": Entry.objects.get(reverses=entry),
    }
    transition, subject = REVERSAL.transition("approve"), REVERSAL.subject
    transitions.compare_and_set(
        row, transition=transition, subject_type=subject, caller=caller, reason=reason, columns=columns, facts={}
    )
