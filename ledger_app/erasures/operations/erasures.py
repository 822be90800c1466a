"""Erases what tells who a member is: asked for by one person under the member's own request, decided by another.

Entries, lines and balances carry no name and stay. What goes is put away by writing what is put in its place (``ErasedPart``): triggers change the
rows that it names, and their traces, and refuse every other change. What digests over them come to since is written beside it, so that ``verify`` knows
an erasure that two people decided from rows that somebody has changed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.adjustments.proofs import adjustment as adjustment_proofs
from ledger_app.adjustments.queries import adjustments
from ledger_app.base.operations import audit, filing, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.erasures import queries as asked
from ledger_app.erasures import rules
from ledger_app.erasures.queries import Plan
from ledger_app.erasures.rules import ANSWER, ERASURE, ErasureFacts
from ledger_app.errors import erasing, members
from ledger_app.members.queries import merges
from ledger_app.models import Attachment, ErasedDigest, ErasedPart, Erasure, Holder, Link
from ledger_app.programs.operations import idempotency
from ledger_app.rights.queries.rights import rights_of
from ledger_app.traces.queries import links
from ledger_app.traces.queries.erased import digests
from ledger_app.traces.rules import erased
from ledger_app.traces.rules.erased import Part, Recomputed
from ledger_app.values.most import REASON_MOST, TICKET_MOST

PROPOSING = _("Ask for an erasure")


def propose(*, holder_id: int, reason: str, ticket: str, caller: Caller) -> tuple[Erasure, bool]:
    """Ask that what tells who a member is be erased; return the request, and whether it is new. Nothing is erased before another person approves it.

    Where the same person has asked for it in the same words under the same ticket and it waits, that request is returned.

    :raises errors.Refused: not_found, not_permitted, reason_required, reason_too_long, ticket_required, member_merged, erasure_waits,
        nothing_to_erase, text_names_member
    """
    reason, ticket = reason.strip(), ticket.strip()

    def work() -> tuple[Erasure, bool]:
        holder = _holder(holder_id)
        if found := _unfit(reason, ticket, caller):
            raise errors.Refused(found)
        remains = merges.survivors([holder_id])[holder_id]
        if remains != holder_id:
            raise errors.Refused([members.MemberMerged(holder=holder_id, into=remains)])
        waiting = Erasure.objects.filter(holder=holder, state=Erasure.State.PROPOSED).first()
        if waiting is not None:
            if (waiting.proposed_by_id, waiting.ticket, waiting.reason) == (caller.user.pk, ticket, reason):
                return waiting, False
            raise errors.Refused([erasing.ErasureWaits(holder=holder_id, erasure=waiting.pk)])
        plan = asked.plan(holder_id)
        if plan.is_empty:
            raise errors.Refused([erasing.NothingToErase(holder=holder_id)])
        said = {_("reason"): reason, _("ticket"): ticket}
        if naming := [what for what, text in said.items() if erased.without(plan.names, text) != text]:
            raise errors.Refused([erasing.TextNamesMember(field=what) for what in naming])
        row = Erasure(holder=holder, ticket=ticket, reason=reason, proposed_by=caller.user, proposed_at=caller.at)
        history.create(row, caller=caller, reason="propose")
        _record(row, "propose", caller, reason=reason)
        return row, True

    try:
        return transactions.run(work)
    except errors.Refused as refusal:
        if not transitions.is_slip(refusal, caller):
            transactions.run(partial(_record_refused, holder_id, caller, refusal))
        raise


def approve(*, erasure_id: int, caller: Caller, directory: Path, note: str = "", version: int | None = None) -> Erasure:
    """Decide that a member's personal data goes, and erase it; then remove the bytes of what was attached, which lie in ``directory``.

    Killed before the bytes are removed, the same again removes them, and until then ``verify`` names them.

    :raises errors.Refused: with every reason; erasure_would_hide, where what would be erased is not what was written down of it
    """
    asked.find(erasure_id)
    work = _Work(caller, note)
    row = transitions.perform(
        transitions.Request(
            machine=ERASURE,
            name="approve",
            model=Erasure,
            pk=erasure_id,
            caller=caller,
            facts=lambda row: asked.facts(row, user=caller.user),
            write=work.write,
            reason=note,
            version=version,
            audit_facts=lambda _row: work.told,
        )
    )
    # Where this is a part of a request under a key, the request may still be undone; then all of it is there, with its evidence.
    transaction.on_commit(partial(remove_bytes, directory=directory, before=caller.at - filing.YOUNG))
    return row


def end(*, erasure_id: int, name: str, reason: str, caller: Caller, version: int | None = None) -> Erasure:
    """Carry out ``reject``, by another person than the proposer, or ``withdraw``. Nothing is erased.

    :raises errors.Refused: with every reason; not_found where ``name`` is none of the two
    """
    if name not in {"reject", "withdraw"}:
        raise errors.Refused([errors.NotFound(what=_("change of an erasure"), name=name)])
    asked.find(erasure_id)
    columns = {"decided_by": caller.user, "decided_at": caller.at} if name == "reject" else {}
    return transitions.perform(
        transitions.Request(
            machine=ERASURE,
            name=name,
            model=Erasure,
            pk=erasure_id,
            caller=caller,
            facts=lambda row: asked.facts(row, user=caller.user),
            write=lambda _row, _facts: columns,
            reason=reason,
            version=version,
        )
    )


@dataclass(slots=True)
class _Work:
    """One erasure as it is carried out, and what its audit row tells of it."""

    caller: Caller
    note: str
    told: dict[str, Any] = field(default_factory=dict)

    def write(self, row: Erasure, _facts: ErasureFacts) -> Mapping[str, Any]:
        """Erase, under the lock of the request: the members are held, then the chain, so that no link is written meanwhile."""
        locks.beside_own(Holder.objects.filter(id__in=asked.family(row.holder_id)))
        locks.beside_own(Link.objects.filter(number=0))
        plan = asked.plan(row.holder_id)
        traced = asked.traces_of(plan.parts)
        covering = asked.links_of(traced)
        words = asked.approvals_of(plan.adjustments)
        if erased.without(plan.names, self.note) != self.note:
            raise errors.Refused([erasing.TextNamesMember(field=_("note"))])
        self._refuse_differing(covering, words)
        # From here on, the member must be erased.
        for holder in Holder.objects.filter(id__in=plan.holder_ids).exclude(name="").order_by("id"):
            holder.name = ""
            history.save(holder, caller=self.caller, reason="erase")
        _put(row, plan.parts)
        # A row that changes twice was traced in between: one column says the name there, and another does not any more.
        traces = [Part(erased.TRACES, key, "content", "") for key in (*traced, *asked.traces_between(plan.parts, traced))]
        _put(row, traces)
        parts = [*plan.parts, *traces]
        digests = [Recomputed(erased.LINKS, link.pk, _link_digest(link).hex()) for link in covering]
        digests += [Recomputed(erased.DECISIONS, word.pk, _approval_digest(word).hex()) for word in words]
        for each in digests:
            ErasedDigest.objects.create(erasure=row, table_name=each.table, row_id=each.row_id, digest=bytes.fromhex(each.digest))
        # Answers that wait for a request to be sent again are no evidence: they are changed, and named nowhere.
        idempotency.erase(plan.names)
        digest = erased.digest(holder_id=row.holder_id, parts=parts, digests=digests)
        self.told = {"member": row.holder_id, "ticket": row.ticket, "digest": digest.hex(), **_counts(plan)}
        return {"decided_by": self.caller.user, "decided_at": self.caller.at, "digest": digest}

    def _refuse_differing(self, covering: Sequence[Link], words: Sequence[Any]) -> None:
        """Refuse where a digest over what goes does not recompute as it is: what was changed by another hand would not be seen any more."""
        since = digests(erased.LINKS)
        found: list[errors.LedgerError] = [
            erasing.ErasureWouldHide(what=_("link"), number=link.number)
            for link in covering
            if not links.recomputes(link, Link.objects.get(number=link.number - 1), since)
        ]
        approvals = digests(erased.DECISIONS)
        found += [
            erasing.ErasureWouldHide(what=_("adjustment"), number=word.adjustment_id)
            for word in words
            if _approval_digest(word) != approvals.get(word.pk, bytes(word.digest or b""))
        ]
        if found:
            raise errors.Refused(found)


def _put(row: Erasure, parts: Sequence[Part]) -> None:
    """Write parts, which erases what they name."""
    for part in parts:
        ErasedPart.objects.create(erasure=row, table_name=part.table, row_id=part.row_id, column_name=part.column, says=part.says)


def _link_digest(link: Link) -> bytes:
    return links.recomputed(link, Link.objects.get(number=link.number - 1))[1]


def _approval_digest(word: Any) -> bytes:
    return adjustment_proofs.recomputed(adjustments.terms_of(word.adjustment), word)


def _counts(plan: Plan) -> dict[str, int]:
    """Return how many values went, by what they were."""
    kinds = {"names": erased.NAMES, "attachments": erased.ATTACHMENTS, "audit_texts": erased.AUDIT}
    return {name: sum(part.table == table for part in plan.parts) for name, table in kinds.items()}


def remove_bytes(*, directory: Path, before: datetime) -> int:
    """Remove the bytes of attachments that were erased, unless another attachment has the same; return how many files went.

    Bytes that were stored after ``before`` stay: somebody may be about to propose with them. They are put aside in one step, and looked at again
    there: bytes that somebody stored or attached meanwhile go back.
    """
    removed = 0
    gone = ErasedPart.objects.filter(table_name=erased.ATTACHMENTS, erasure__state=Erasure.State.DONE).values("row_id")
    for sha256 in sorted({bytes(each) for each in Attachment.objects.filter(id__in=gone).values_list("sha256", flat=True)}):
        path = filing.path_of(directory, sha256)
        aside = filing.aside_of(path)
        if filing.is_old(path, before) and not _is_attached(sha256, gone):
            with suppress(FileNotFoundError):  # another erasure may be removing it
                filing.put_aside(path)
        if aside.exists():
            if not filing.is_old(aside, before) or _is_attached(sha256, gone):
                filing.put_back(aside)
            else:
                aside.unlink(missing_ok=True)
                removed += 1
    return removed


def _is_attached(sha256: bytes, gone: Any) -> bool:
    return Attachment.objects.filter(sha256=sha256).exclude(id__in=gone).exists()


def _holder(holder_id: int) -> Holder:
    if not Holder.objects.filter(pk=holder_id).exists():
        raise errors.Refused([errors.NotFound(what=_("member"), name=holder_id)])
    return locks.own_row(Holder, holder_id)


def _unfit(reason: str, ticket: str, caller: Caller) -> list[errors.LedgerError]:
    found: list[errors.LedgerError] = []
    if ANSWER not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=PROPOSING, who=rules.ANSWERERS))
    if not reason:
        found.append(errors.ReasonRequired(action=PROPOSING))
    if len(reason) > REASON_MOST:
        found.append(errors.ReasonTooLong(most=REASON_MOST, length=len(reason)))
    if not 0 < len(ticket) <= TICKET_MOST:
        found.append(erasing.TicketRequired(most=TICKET_MOST))
    return found


def _record(row: Erasure, action: str, caller: Caller, *, reason: str) -> None:
    audit.record(
        subject=audit.Subject(ERASURE.subject, row.pk, str(row)),
        action=action,
        caller=caller,
        reason=reason,
        facts={"member": row.holder_id, "ticket": row.ticket},
    )


def _record_refused(holder_id: int, caller: Caller, refusal: errors.Refused) -> None:
    audit.record(
        subject=audit.Subject("member", holder_id, f"#{holder_id}"),
        action="erase",
        caller=caller,
        outcome="refused",
        reasons=refusal.reasons,
    )
