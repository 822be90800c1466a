"""Reverses an entry at once, as the decision on a proposal does, for tests of what comes of it. The program has no such way."""

from datetime import date

from ledger_app import locks
from ledger_app.models import Entry, Posting
from ledger_app.operations import entries, transactions
from ledger_app.operations.audit import Caller
from ledger_app.operations.entries import Origin, Posted
from ledger_app.rules.posting import Draft, Reversed


def reverse_entry(*, entry_id: int, effective_on: date, reason: str, caller: Caller) -> Posted:
    """Post the entry that undoes another, dated ``effective_on``, in a transaction of its own."""

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
        return entries.post(drafts=[draft], origin=origin, caller=caller, reason=reason)

    return transactions.run(work)
