"""Reverses one entry by hand: somebody proposes it, another decides, and the decision posts."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.adjustments.operations import weighing
from ledger_app.adjustments.queries import limits, weights
from ledger_app.base.operations import audit, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError, reversing
from ledger_app.models import DecidedAmount, Entry, Line, Posting, Reversal
from ledger_app.points.queries import shown_lots
from ledger_app.posting.operations import entries
from ledger_app.posting.queries import bases
from ledger_app.posting.rules import reversal_dates
from ledger_app.reversals import queries as reversals
from ledger_app.reversals.queries import Preview
from ledger_app.reversals.rules import PROPOSE, REVERSAL, TICKET, ReversalFacts
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.most import REASON_MOST, TICKET_MOST

PROPOSING = _("Propose a reversal")


class _DayMoved(Exception):
    """A period changed its state between the look for the day of a reversal and the lock of its period."""


class Wish(NamedTuple):
    """What the proposer typed, and the digest of what was shown, where something was."""

    reason: str
    ticket: str
    digest_shown: str | None


def propose(*, entry_id: int, reason: str, caller: Caller, ticket: str = "", digest_shown: str | None = None) -> Reversal:
    """Propose to reverse an entry and return the proposal. Nothing is posted before another person approves it.

    The date is given by the rule: the entry's own where its period takes it, else the first day of the first later one that does.
    ``digest_shown`` is that of the preview which was shown, where one was.

    :raises errors.Refused: not_permitted, reason_required, reason_too_long, reversal_ticket_invalid, entry_reversal_open, no_reversal_day,
        already_reversed, reversal_of_reversal, account_not_open, holder_merged, floor_broken, what other applications object, and
        reversal_preview_moved; a refused attempt has its audit row
    """
    wish = Wish(reason.strip(), ticket.strip(), digest_shown)
    try:
        for _look in range(locks.LOOKS_MOST):
            with suppress(_DayMoved):
                return transactions.run(lambda: _propose(entry_id, wish, caller))
        raise errors.TryAgain(cause=_("periods changed meanwhile"))
    except errors.Refused as refusal:
        if not transitions.is_slip(refusal, caller):
            transactions.run(partial(_record_refusal, entry_id, reason, refusal, caller))
        raise


def approve(*, reversal_id: int, digest_shown: str, caller: Caller, note: str = "", version: int | None = None) -> Reversal:
    """Decide that a reversal is right, and post it in the same transaction. ``digest_shown`` is the preview's, in hexadecimal.

    :raises errors.Refused: with every reason; own_reversal, reversal_preview_moved and what posting refuses among them
    """

    def write(row: Reversal, facts: ReversalFacts) -> Mapping[str, Any]:
        posted = _post(row, facts.digest, caller)
        moved = weights.of_entry(row.entry)
        kind = DecidedAmount.Kind.REVERSAL
        weighing.record(kind=kind, subject_id=row.pk, book=row.entry.book, weights=moved, caller=caller)
        return {
            "decided_by": caller.user,
            "decided_at": caller.at,
            "decided_digest": bytes.fromhex(facts.digest),
            "reversal": posted,
        }

    return _decide("approve", reversal_id, caller, note, version, digest_shown=digest_shown, write=write)


def reject(*, reversal_id: int, reason: str, caller: Caller, version: int | None = None) -> Reversal:
    """Decide that a reversal is not to be.

    :raises errors.Refused: with every reason
    """
    columns = {"decided_by": caller.user, "decided_at": caller.at, "holds_entry": None}
    return _decide("reject", reversal_id, caller, reason, version, write=lambda _row, _facts: columns)


def withdraw(*, reversal_id: int, caller: Caller, reason: str = "", version: int | None = None) -> Reversal:
    """Take one's own proposal back.

    :raises errors.Refused: with every reason
    """
    return _decide("withdraw", reversal_id, caller, reason, version, write=lambda _row, _facts: {"holds_entry": None})


def _decide(
    name: str,
    reversal_id: int,
    caller: Caller,
    reason: str,
    version: int | None,
    *,
    write: Any,
    digest_shown: str | None = None,
) -> Reversal:
    reversals.find(reversal_id)
    return transitions.perform(
        transitions.Request(
            machine=REVERSAL,
            name=name,
            model=Reversal,
            pk=reversal_id,
            caller=caller,
            facts=lambda row: _facts(row, caller, digest_shown),
            write=write,
            reason=reason,
            version=version,
            audit_facts=lambda row: {"entry": row.entry_id, "digest": bytes(row.digest).hex(), "shown": digest_shown or ""},
        )
    )


def _facts(row: Reversal, caller: Caller, digest_shown: str | None) -> ReversalFacts:
    if digest_shown is not None:
        # Two approvals at once would each see what was decided before both.
        locks.beside_own(limits.of_books([row.entry.book_id]))
    return reversals.facts(row, user=caller.user, digest_shown=digest_shown, at=caller.at)


def _propose(entry_id: int, wish: Wish, caller: Caller) -> Reversal:
    try:
        entry = locks.own_row(Entry, entry_id)
    except Entry.DoesNotExist as missing:
        raise errors.Refused([errors.NotFound(what=_("entry"), name=entry_id)]) from missing
    _hold(entry)
    shown = reversals.preview(entry, at=caller.at)
    if found := _reasons(entry, wish, shown, caller):
        raise errors.Refused(found)
    assert shown.draft is not None  # noqa: S101 - without a day there is a reason above
    row = Reversal(
        entry=entry,
        effective_on=shown.draft.effective_on,
        prior_period=shown.prior_period,
        reason=wish.reason,
        ticket=wish.ticket,
        digest=bytes.fromhex(shown.digest),
        proposed_by=caller.user,
        proposed_at=caller.at,
    )
    history.create(row, caller=caller, reason="propose")
    audit.record(
        subject=audit.Subject(REVERSAL.subject, row.pk, str(row)),
        action="propose",
        caller=caller,
        reason=wish.reason,
        facts={"entry": entry.pk, "digest": shown.digest, "date": row.effective_on.isoformat(), "ticket": wish.ticket},
    )
    return row


def _reasons(entry: Entry, wish: Wish, shown: Preview, caller: Caller) -> list[LedgerError]:
    """Return why a proposal is refused: the right first, then what was typed, then what the ledger says."""
    found: list[LedgerError] = []
    if PROPOSE not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=PROPOSING, who=_("Support and finance")))
    if not wish.reason:
        found.append(errors.ReasonRequired(action=PROPOSING))
    if len(wish.reason) > REASON_MOST:
        found.append(errors.ReasonTooLong(most=REASON_MOST, length=len(wish.reason)))
    if len(wish.ticket) > TICKET_MOST or TICKET.fullmatch(wish.ticket) is None:
        found.append(reversing.ReversalTicketInvalid(most=TICKET_MOST))
    found += [*reversals.standing(entry), *shown.refusals]
    if wish.digest_shown is not None and wish.digest_shown != shown.digest:
        found.append(reversing.ReversalPreviewMoved(reference=entry.reference))
    return found


def _hold(entry: Entry) -> None:
    """Hold the period that the reversal is dated in, shared, until the proposal is there to be seen, and what its preview rests on.

    A freeze of that period waits for it, and then finds it undecided; or it came first, and the day is a later one. No other period is held: who
    proposes while a month freezes has nobody wait.

    :raises _DayMoved: where the rule gives another day under the lock than before it
    """
    found = reversals.day(entry)
    locks.ledger(bases.wanted([reversals.draft_of(entry, _day_of(entry, found), "")]))
    if _day_of(entry, reversals.day(entry)) != _day_of(entry, found):
        raise _DayMoved


def _day_of(entry: Entry, found: reversal_dates.Outcome | None) -> date:
    return (found and found.moved_to) or entry.effective_on


def _post(row: Reversal, decided: str, caller: Caller) -> Entry:
    """Post the reversal and return its entry, having seen that the balances it is bound to came out as they were shown.

    :raises errors.Refused: as ``entries.post``; already_reversed, reversal_preview_moved
    """
    shown = reversals.preview_on(row.entry, row.effective_on, row.prior_period, at=caller.at)
    assert shown.draft is not None  # noqa: S101 - a day was given
    moved = errors.Refused([reversing.ReversalPreviewMoved(reference=row.entry.reference)])
    if shown.digest != decided:
        raise moved
    origin = entries.Origin(Posting.Origin.REVERSAL, row.entry_id)
    posted = entries.post(drafts=[shown.draft], origin=origin, caller=caller, reason=row.reason)
    entry = Entry.objects.get(reverses=row.entry_id)
    if posted.entry_count != 1:
        raise errors.Refused([errors.AlreadyReversed(reference=row.entry.reference, by=entry.reference)])
    # From the guard's look to the lock of the balances somebody else may have posted: only what was shown is decided.
    after = _after(entry)
    if any(each.is_bound and after[each.account_id] != each.after for each in shown.balances):
        raise moved
    if shown_lots.of_lines(entry.lines.all()) != shown.lots:
        raise moved
    return entry


def _after(entry: Entry) -> dict[int, int]:
    """Return the balance after the last line of an entry, by account."""
    return dict(Line.objects.filter(entry=entry).order_by("id").values_list("account_id", "balance_after"))


def _record_refusal(entry_id: int, reason: str, refusal: errors.Refused, caller: Caller) -> None:
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is not None:
        audit.record(
            subject=audit.Subject("entry", entry.pk, entry.reference),
            action="propose",
            caller=caller,
            outcome="refused",
            reason=reason[:REASON_MOST],
            reasons=refusal.reasons,
        )
