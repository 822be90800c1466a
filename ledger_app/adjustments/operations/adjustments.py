"""Proposes adjustments, and decides them: an approval posts the entry in the transaction that says that it is approved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.queries import limits
from ledger_app.adjustments.queries.adjustments import Terms
from ledger_app.adjustments.rules import adjustments as rules
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT, AdjustmentFacts, Preview, Proposal
from ledger_app.base.operations import audit, bulk, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import adjusting, units
from ledger_app.errors.words import Amount, Word, differing
from ledger_app.models import Account, Adjustment, AdjustmentDecision, Attachment, Book, Posting
from ledger_app.posting.operations import entries
from ledger_app.posting.queries import bases
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.most import REASON_MOST

EXPIRED_A_CALL = 500
DECISIONS = frozenset({"approve", "endorse", "reject", "withdraw"})


def propose(*, proposal: Proposal, caller: Caller, expires_at: datetime, digest_shown: str | None = None) -> Adjustment:
    """Send a proposal, or return it where the same one was sent before under its key. A refused attempt leaves an audit row.

    ``digest_shown`` is that of the preview that the proposer was shown, where one was. Files are to be checked before
    (``attachments.check_kept``).

    :raises errors.Refused: not_permitted; whatever would refuse the entry; the refusals of ``adjustments.queries.adjustments``; preview_moved;
        proposal_conflict
    """
    if rules.PROPOSE not in rights_of(caller.user):
        right = _("Propose adjustments")
        refusal = errors.Refused([errors.NotPermitted(user=caller.user.username, right=right, who=rules.PROPOSERS)])
        transactions.run(lambda: _record_refusal(proposal, caller, refusal))
        raise refusal
    try:
        return transactions.run(lambda: _propose(proposal, caller, expires_at, digest_shown))
    except errors.Refused as error:
        refused = error
        if not transitions.is_slip(refused, caller):
            transactions.run(lambda: _record_refusal(proposal, caller, refused))
        raise


def decide(
    *, adjustment_id: int, name: str, caller: Caller, digest_shown: str = "", reason: str = "", version: int | None = None
) -> Adjustment:
    """Carry out ``approve``, ``endorse``, ``reject`` or ``withdraw``. An approval covers ``digest_shown`` and nothing else.

    :raises errors.Refused: with every reason; own_adjustment, over_limit, preview_moved and the ledger's refusals among them
    """
    if name not in DECISIONS:
        raise errors.Refused([errors.NotFound(what=_("decision"), name=name)])
    covers = digest_shown if name in {"approve", "endorse"} else None

    def write(row: Adjustment, facts: AdjustmentFacts) -> Mapping[str, Any]:
        if name == "withdraw":
            return {}
        _record_decision(row, name, caller, note=reason.strip(), covers=covers, is_sole=not facts.needs_second)
        if name == "approve":
            _post(queries.terms_of(row), caller, covers or "")
        return {}

    return transitions.perform(
        transitions.Request(
            machine=ADJUSTMENT,
            name=name,
            model=Adjustment,
            pk=adjustment_id,
            caller=caller,
            facts=lambda row: _facts(row, caller, covers),
            write=write,
            reason=reason,
            version=version,
            audit_facts=lambda _row: {"shown": covers} if covers is not None else {},
        )
    )


def expire_overdue(*, caller: Caller) -> list[int]:
    """Mark the proposals that nobody decided in time, at most ``EXPIRED_A_CALL``, and return them."""
    expired = []
    for key in queries.overdue(caller.at, EXPIRED_A_CALL):
        try:
            transitions.perform(
                transitions.Request(
                    machine=ADJUSTMENT,
                    name="expire",
                    model=Adjustment,
                    pk=key,
                    caller=caller,
                    facts=lambda row: queries.facts(row, user=caller.user, at=caller.at, now=Preview(None, ())),
                )
            )
        except errors.Refused:
            continue  # somebody was quicker; the attempt has its audit row
        expired.append(key)
    return expired


def _propose(proposal: Proposal, caller: Caller, expires_at: datetime, digest_shown: str | None) -> Adjustment:
    terms, found = queries.terms_of_proposal(proposal)
    there = Adjustment.objects.filter(proposed_by=caller.user, key=proposal.key).first()
    if there is not None:
        return _same(there, proposal)
    if terms is None:
        raise errors.Refused(found)
    draft = terms.draft()
    # The period is held, so that it does not freeze without having seen this proposal; the balances, so that what is shown is so.
    locks.ledger(bases.wanted([draft]))
    now = queries.preview(terms, at=caller.at)
    if now.refusals:
        raise errors.Refused(list(now.refusals))
    if digest_shown is not None and digest_shown != now.digest:
        raise errors.Refused([adjusting.PreviewMoved(what=queries.as_phrase(now, terms.book))])
    # From here on the proposal must be sent.
    row = history.create(
        Adjustment(
            key=proposal.key,
            book=terms.book,
            account=terms.account,
            contra_account=terms.contra,
            amount=terms.amount,
            effective_on=terms.effective_on,
            reason_code=terms.reason,
            text=terms.text,
            ticket=terms.ticket,
            waives_floor=terms.waives_floor,
            proposed_by=caller.user,
            proposed_at=caller.at,
            expires_at=expires_at,
            shown_digest=bytes.fromhex(now.digest),
        ),
        caller=caller,
        reason="propose",
    )
    files = [Attachment(adjustment=row, **file._asdict()) for file in proposal.attachments]
    bulk.create(files, within=Attachment.objects.filter(adjustment=row))
    audit.record(
        subject=audit.Subject(ADJUSTMENT.subject, row.pk, str(row)),
        action="propose",
        caller=caller,
        reason=terms.text,
        facts={"shown": now.digest, "account": terms.account.code, "amount": terms.amount},
    )
    return row


def _same(there: Adjustment, proposal: Proposal) -> Adjustment:
    """Return the proposal that was sent under the key already, where it says the same."""
    before = queries.terms_of(there)
    said: list[tuple[Word, Any, Any]] = [
        (_("book"), before.book.code, proposal.book),
        (_("account"), before.account.code, proposal.account),
        (_("amount"), Amount(before.amount), Amount(proposal.amount)),
        (_("date"), before.effective_on, proposal.effective_on),
        (_("reason code"), before.reason.code, proposal.reason),
        (_("why"), before.text, proposal.text.strip()),
        (_("ticket"), before.ticket, proposal.ticket),
        (_("breaks a floor"), before.waives_floor, proposal.waives_floor),
        (_("attachments"), before.attachments, queries.named(proposal.attachments)),
    ]
    if differs := differing(said):
        conflict = adjusting.ProposalConflict(key=proposal.key, adjustment=there, differs=differs)
        raise errors.Refused(units.belonging([conflict], there))
    return there


def _facts(row: Adjustment, caller: Caller, covers: str | None) -> AdjustmentFacts:
    """Gather the facts of a decision. An approval is asked of the ledger under its locks, by ``post``; a rejection needs no preview."""
    now = None if covers is not None else Preview(None, ())
    if covers is not None:
        # Two approvals at once, by one person or by two, would each see what was decided before both.
        locks.beside_own(limits.of_books([row.book_id]))
    return queries.facts(row, user=caller.user, at=caller.at, digest_shown=covers, now=now)


def _record_decision(row: Adjustment, name: str, caller: Caller, *, note: str, covers: str | None, is_sole: bool) -> None:
    approves = name != "reject"
    AdjustmentDecision.objects.create(
        adjustment=row,
        decision=AdjustmentDecision.Decision.APPROVED if approves else AdjustmentDecision.Decision.REJECTED,
        is_sole=approves and is_sole,
        decided_by=caller.user,
        decided_at=caller.at,
        note=note,
        version=row.version,
        digest=bytes.fromhex(covers) if covers else None,
    )


def _post(terms: Terms, caller: Caller, covers: str) -> None:
    """Post the entry, then compare it with what was shown: only the locks of ``post`` make the figures final."""
    origin = entries.Origin(Posting.Origin.ADJUSTMENT, terms.number)
    posted = entries.post(drafts=[terms.draft()], origin=origin, caller=caller, reason=terms.text)
    if posted.entry_count != 1:
        # Somebody else's entry has this adjustment's reference, and is the same to the last unit; it still is not this one.
        raise errors.Refused([errors.ReferenceConflict(reference=rules.reference(terms.number), differs=_("origin"))])
    was = queries.preview_as_posted(terms)
    if was.digest != covers:
        raise errors.Refused([adjusting.PreviewMoved(what=queries.as_phrase(was, terms.book))])


def _record_refusal(proposal: Proposal, caller: Caller, refusal: errors.Refused) -> None:
    """Leave a row with the account that was to be adjusted, or with the book where it has no such account."""
    account = Account.objects.filter(book__code=proposal.book, code=proposal.account).first()
    book = Book.objects.filter(code=proposal.book).first()
    if account is not None:
        subject = audit.Subject("account", account.pk, account.code)
    elif book is not None:
        subject = audit.Subject("book", book.pk, f"{book.code} {proposal.account}")
    else:
        return  # nothing that is here was to be changed
    audit.record(
        subject=subject,
        action="propose",
        caller=caller,
        outcome="refused",
        reason=proposal.text[:REASON_MOST],
        reasons=refusal.reasons,
    )
