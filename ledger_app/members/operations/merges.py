"""Merges members, and undoes merges: proposed by one person, decided by another, each in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks, sql
from ledger_app.base.operations import audit, bulk, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.errors import members
from ledger_app.members.queries import merges
from ledger_app.members.rules.merges import MERGE, MergeFacts, Move, Part, digest, merge_reference
from ledger_app.models import Account, Balance, Book, Holder, Identifier, Merge, MovedIdentifier, Posting, RedirectedEntry
from ledger_app.models.entries import Entry
from ledger_app.posting.operations import entries, lots
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.lots import Named, Taking
from ledger_app.values.balances import balance_id
from ledger_app.values.locked import LockedAccount
from ledger_app.values.most import REASON_MOST

MEMBER = "member"  # the kind of an audit row about a member
# The member whose account is opened in place of another's: the code of that one, cut so that this still fits.
CODE_KEPT = 48
LANE = 0  # which stripe of a striped account gives and takes


def propose(wanted: Merge, *, caller: Caller, digest_shown: str | None = None) -> Merge:
    """Store a proposal, as ``members.queries.merges.proposal`` or ``undoing`` made it, and return it. Nothing moves before another person approves it.

    Without a date of its own its entries are dated on the day of the decision, in each book's zone. When a merge is undone by a further one a new
    member is opened, and gets what is stated, and the identifiers that the merge moved and the member still has. Nothing is rewritten.

    ``digest_shown`` is that of the preview that the proposer was shown: where it is another now, nothing is stored.

    :raises errors.Refused: not_found, not_permitted, reason_required, reason_too_long, merge_into_itself, member_merged, merge_cycle, merge_open,
        merge_account_not_open, merge_accounts_differ, merge_floor_broken, merge_period_not_open, open_work, lots_not_set_off, merge_moved; of an
        undoing merge_not_done, merge_undone, merge_amount_invalid
    """
    try:
        return transactions.run(lambda: _insert(wanted, caller, digest_shown))
    except errors.Refused as refusal:
        # Of a member that is not there nothing is recorded.
        if Holder.objects.filter(pk=wanted.holder_id).exists() and not transitions.is_slip(refusal, caller):
            transactions.run(partial(_record, wanted.holder_id, "propose_merge", caller, refused=refusal))
        raise


def _insert(wanted: Merge, caller: Caller, digest_shown: str | None) -> Merge:
    plan, reasons, shown_now = merges.preview(wanted, user=caller.user, at=caller.at)
    if digest_shown not in {None, shown_now}:
        reasons.append(members.MergeMoved())
    if not wanted.reason:
        reasons.append(errors.ReasonRequired(action=_("Propose a merge")))
    if len(wanted.reason) > REASON_MOST:
        reasons.append(errors.ReasonTooLong(most=REASON_MOST, length=len(wanted.reason)))
    if reasons:
        raise errors.Refused(reasons)
    # A second try after a collision begins with a row of its own.
    wanted.pk = None
    wanted.preview = plan.as_json()
    wanted.digest = digest(wanted.preview)
    wanted.proposed_by, wanted.proposed_at = caller.user, caller.at
    history.create(wanted, caller=caller, reason="propose")
    shown: dict[str, Any] = {"holder": wanted.holder_id, "survivor": wanted.survivor_id, "undoes": wanted.undoes_id}
    audit.record(
        subject=audit.Subject(MERGE.subject, wanted.pk, str(wanted)),
        action="propose",
        caller=caller,
        reason=wanted.reason,
        facts={**shown, "digest": wanted.digest.hex(), "state": wanted.state},
    )
    return wanted


def end(*, merge_id: int, name: str, reason: str, caller: Caller, version: int | None = None) -> Merge:
    """Carry out ``reject``, by another person than the proposer, or ``withdraw``.

    :raises errors.Refused: wrong_state, not_permitted, merge_decided_by_proposer, reason_required, stale; not_found where ``name`` is none of the two
    """
    if name not in {"reject", "withdraw"}:
        raise errors.Refused([errors.NotFound(what=_("change of a merge"), name=name)])
    columns: dict[str, Any] = {"holds_holder": None, "holds_undone": None}
    if name == "reject":
        columns |= {"decided_by": caller.user, "decided_at": caller.at}
    return transitions.perform(
        transitions.Request(
            machine=MERGE,
            name=name,
            model=Merge,
            pk=merge_id,
            caller=caller,
            facts=lambda row: merges.facts(row, user=caller.user, at=caller.at),
            write=lambda _row, _facts: columns,
            reason=reason,
            version=version,
        )
    )


def approve(*, merge_id: int, digest_shown: str, caller: Caller, reason: str = "", version: int | None = None) -> Merge:
    """Approve a merge, and carry it out: points move as entries with their lots, identifiers move, and the member points to who remains.

    ``digest_shown`` is that of what the decider was shown, in hexadecimal: of the plan as it is now (``members.rules.merges.digest``).

    :raises errors.Refused: wrong_state, not_permitted, merge_decided_by_proposer, merge_moved and each reason of ``propose``, stale; as
        ``entries.post``
    """
    try:
        shown = bytes.fromhex(digest_shown)
    except ValueError:
        shown = b""
    work = _Work(caller, shown)
    return transitions.perform(
        transitions.Request(
            machine=MERGE,
            name="approve",
            model=Merge,
            pk=merge_id,
            caller=caller,
            facts=work.lock,
            write=work.write,
            reason=reason,
            version=version,
            audit_facts=lambda _row: work.told,
        )
    )


@dataclass(slots=True)
class _Work:
    """One decision on a merge: what it holds, and what it writes."""

    caller: Caller
    shown: bytes
    told: dict[str, Any] = field(default_factory=dict)  # what the audit row says of it
    locked: locks.Ledger = field(default_factory=lambda: locks.Ledger({}, {}, {}, {}))

    def lock(self, row: Merge) -> MergeFacts:
        """Lock all that the merge rests on, then read it. An account's member never changes, so it is known beforehand whose they are.

        Nobody posts to any stripe of an account whose row is held alone.
        """
        holders = {key for key in (row.holder_id, row.survivor_id) if key is not None}
        accounts = Account.objects.filter(holder_id__in=holders).select_related("book")
        days = merges.days(row, {each.book_id: each.book for each in accounts}.values(), self.caller.at).values()
        # What is granted from a later day moves on that day. Lots are no later than the lines that made them.
        latest = Balance.objects.filter(account__in=accounts).aggregate(latest=Max("last_on"))["latest"] or date.min
        # Only the periods of these days are held: who posts between them, or freezes, waits for nobody.
        matter = {*days, *(self._later(row) if latest > max(days, default=latest) else ())}
        wanted = locks.Wanted(
            book_ids=frozenset(each.book_id for each in accounts),
            first_on=min(matter, default=date.min),
            last_on=max(matter, default=date.min),
            account_ids=frozenset(each.pk for each in accounts),
            holder_ids=frozenset(holders),
            days=frozenset(matter),
        )
        self.locked = locks.ledger(wanted, lane=LANE, alone=True)
        # What is over promises nothing, and moves with the rest.
        keeping = [key for key, account in self.locked.accounts.items() if account.keeps_lots]
        lots.end_over(keeping, at=self.caller.at, caller=self.caller)
        facts = merges.facts(row, user=self.caller.user, at=self.caller.at, shown=self.shown)
        if {each.id for each in facts.accounts} - self.locked.accounts.keys() or _later_days(facts) - matter:
            # An account was opened for one of the two after their accounts were looked up, or points were granted from another day: not held.
            raise errors.Refused([members.MergeMoved()])
        return facts

    def _later(self, row: Merge) -> set[date]:
        return _later_days(merges.facts(row, user=self.caller.user, at=self.caller.at))

    def write(self, row: Merge, facts: MergeFacts) -> Mapping[str, Any]:
        """Write everything that the merge comes to, and return the columns that are set with its state."""
        holder = Holder.objects.get(pk=row.holder_id)
        if row.undoes_id is None:
            survivor = Holder.objects.get(merges_taken_in=row)
        else:
            # Who comes back is called as the member was who was taken in, not as the one who took them in.
            back = Holder(name=Holder.objects.get(merges__undone_by=row).name, opened_at=self.caller.at)
            survivor = history.create(back, caller=self.caller, reason=f"merge {row.pk}")
        targets = self._open_missing(row, survivor, facts.plan.moves)
        self._post(row, survivor, facts.plan.moves, targets)
        self._move_identifiers(row, survivor, [key for key, _kind, _shown in facts.plan.identifiers])
        if row.undoes_id is None:
            holder.merged_into = survivor
            history.save(holder, caller=self.caller, reason=f"merge {row.pk}")
        for member, action in ((holder, "gave_to"), (survivor, "took_from")):
            other = survivor if member is holder else holder
            _record(member.pk, action, self.caller, facts={"merge": row.pk, "other": other.pk}, reason=row.reason)
        preview = facts.plan.as_json()
        self.told = {"holder": holder.pk, "survivor": survivor.pk, "digest": digest(preview).hex()}
        return {
            "survivor": survivor,
            "decided_by": self.caller.user,
            "decided_at": self.caller.at,
            "decided_preview": preview,
            "decided_digest": digest(preview),
        }

    def _open_missing(self, row: Merge, survivor: Holder, moves: Sequence[Move]) -> dict[int, int]:
        """Open the accounts that the member who remains lacks; return the target's id by that of the account that gives."""
        codes = dict(Book.objects.values_list("code", "id"))
        missing = [move.source for move in moves if move.target is None]
        opened = books.create_accounts(
            [
                (
                    codes[each.book],
                    survivor,
                    books.AccountOpening(
                        f"{each.code[:CODE_KEPT]}.m{row.pk}", each.role, each.category, each.floor, each.stripes
                    ),
                )
                for each in missing
            ],
            self.caller,
        )
        # Nobody else can have them yet.
        for each in opened:
            locked = LockedAccount(
                each.code, each.book_id, each.category, each.floor, each.stripes, each.state, None, each.keeps_lots
            )
            self.locked.accounts[each.pk] = locked
            self.locked.balances[balance_id(each.pk, LANE)] = (0, 0)
        targets = {move.source.id: move.target.id for move in moves if move.target is not None}
        return targets | {source.id: account.pk for source, account in zip(missing, opened, strict=True)}

    def _post(self, row: Merge, survivor: Holder, moves: Sequence[Move], targets: Mapping[int, int]) -> None:
        named = {book.code: book for book in Book.objects.all()}
        days = merges.days(row, named.values(), self.caller.at)
        what = f"Merge {row.pk}" if row.undoes_id is None else f"Merge {row.pk}, which undoes merge {row.undoes_id}"
        drafts = [
            Draft(
                book_id=named[move.source.book].pk,
                effective_on=part.on,
                reference=merge_reference(row.pk, move.source.role, later),
                description=f"{what}: member {row.holder_id} to member {survivor.pk}",
                lines=((move.source.id, -part.amount), (targets[move.source.id], part.amount)),
                moves_lots=all(self.locked.accounts[key].keeps_lots for key in (move.source.id, targets[move.source.id])),
                lots=Named(takings=tuple(Taking(lot.id, lot.amount) for lot in part.lots)) if part.lots else None,
            )
            for move in moves
            for later, part in (
                ("", Part(days[move.source.book], move.first, move.lots)),
                *((part.on.isoformat(), part) for part in move.later),
            )
            if part.amount
        ]
        origin = entries.Origin(Posting.Origin.MERGE, row.pk)
        entries.post(drafts=drafts, origin=origin, caller=self.caller, reason=row.reason, locked=self.locked)

    def _move_identifiers(self, row: Merge, survivor: Holder, ids: Sequence[int]) -> None:
        for part in sql.parts(ids):
            Identifier.objects.filter(id__in=part).update(holder=survivor)
        bulk.create(
            [MovedIdentifier(merge=row, identifier_id=key, from_holder_id=row.holder_id, to_holder=survivor) for key in ids],
            within=MovedIdentifier.objects.filter(merge=row),
        )


def _later_days(facts: MergeFacts) -> set[date]:
    """Return the days after that of the merge on which points move: from which they were granted."""
    return {part.on for move in facts.plan.moves for part in move.later}


def record_redirects(*, posting_id: int, redirected: Mapping[tuple[int, str], tuple[int, int]]) -> None:
    """Say, beside each entry whose record named a merged member, whom it was posted to, in the transaction that is open.

    ``redirected`` maps (book id, reference) to (the member that was named, the member who remains).
    """
    rows: list[RedirectedEntry] = []
    for part in sql.parts(sorted({name for _book_id, name in redirected})):
        found = Entry.objects.filter(posting_id=posting_id, reference__in=part).values_list("id", "book_id", "reference")
        for key, book_id, name in found:
            if (way := redirected.get((book_id, name))) is not None:
                rows.append(RedirectedEntry(entry_id=key, named_id=way[0], holder_id=way[1]))
    bulk.create(rows, within=RedirectedEntry.objects.filter(entry__posting=posting_id))


def _record(
    holder_id: int,
    action: str,
    caller: Caller,
    *,
    refused: errors.Refused | None = None,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        subject=audit.Subject(MEMBER, holder_id, f"#{holder_id}"),
        action=action,
        caller=caller,
        outcome="refused" if refused else "done",
        reason=reason,
        reasons=refused.reasons if refused else (),
        facts=facts,
    )
