"""Merges: who remains of a member, what a merge would come to, and what the guards are asked with."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.base.queries.totals import Total
from ledger_app.books.queries import open_work
from ledger_app.books.rules.periods import DECIDE, DECIDERS, Unfinished
from ledger_app.errors import members
from ledger_app.members.queries import merge_parts
from ledger_app.members.rules import merges
from ledger_app.members.rules.merges import MemberAccount, MergeFacts, MergePlan
from ledger_app.models import Account, Book, Holder, Identifier, Merge, Period, User
from ledger_app.rights.queries import rights
from ledger_app.values.most import AMOUNT_MOST, CHAIN_MOST
from ledger_app.values.sides import natural


def survivors(holder_ids: Collection[int]) -> dict[int, int]:
    """Return, for each member, the one who remains: that member, or after merges the last of them.

    A merge that was undone leads to the member whom the undoing opened. The way is bounded, as merges never close a circle.
    """
    now = {key: key for key in holder_ids}
    for _merge in range(CHAIN_MOST):
        onward: dict[int, int | None] = {}
        for part in sql.parts(sorted(set(now.values()))):
            onward.update(Holder.objects.filter(id__in=part, merged_into__isnull=False).values_list("id", "merged_into_id"))
        if not onward:
            break
        for part in sql.parts(sorted(onward)):
            undone = Merge.objects.filter(undoes__holder_id__in=part, undoes__state=Merge.State.DONE, state=Merge.State.DONE)
            onward.update(undone.values_list("undoes__holder_id", "survivor_id"))
        now = {key: onward.get(value) or value for key, value in now.items()}
    return now


def find(number: int) -> Merge:
    """Return a merge by its number.

    :raises errors.Refused: not_found
    """
    found = Merge.objects.select_related("holder", "survivor", "undoes", "proposed_by", "decided_by").filter(pk=number).first()
    if found is None:
        raise errors.Refused([errors.NotFound(what=_("merge"), name=number)])
    return found


def accounts_of(holder_id: int | None) -> list[MemberAccount]:
    """Return the accounts of a member as they stand, in the order of book and role."""
    if holder_id is None:
        return []
    rows = Account.objects.filter(holder_id=holder_id).annotate(signed=Total("balances__amount")).order_by("book__code", "role")
    columns = ("id", "book__code", "role", "code", "category", "floor", "stripes", "state", "signed")
    return [
        MemberAccount(key, book, role, code, category, floor, stripes, state, int(signed or 0))
        for key, book, role, code, category, floor, stripes, state, signed in rows.values_list(*columns)
    ]


def facts(merge: Merge, *, user: User, at: datetime, shown: bytes | None = None) -> MergeFacts:
    """Return what the guards of a merge are asked with, as the ledger is now; of a proposal too that is not stored yet."""
    giving, taking = accounts_of(merge.holder_id), accounts_of(merge.survivor_id)
    amount_faults: list[errors.LedgerError] = []
    on = days(merge, Book.objects.filter(code__in={each.book for each in giving}), at)
    if merge.undoes is None:
        plan = merges.plan(giving, taking, identifiers=_identifiers(Identifier.objects.filter(holder_id=merge.holder_id)))
        plan = plan._replace(moves=merge_parts.with_days(plan.moves, on))
    else:
        plan, amount_faults = _undoing(merge, giving, on)
    moving = {move.source.book for move in plan.moves if move.amount or move.later}
    plan = plan._replace(days=tuple((code, on[code].isoformat()) for code in sorted(moving)))
    ids = {key for key in (merge.holder_id, merge.survivor_id) if key is not None}
    remains = survivors(ids)
    is_ended = merge.state != Merge.State.PROPOSED
    return MergeFacts(
        state=merge.state,
        user_name=user.username,
        rights=rights.rights_of(user),
        # Of a proposal that is about to be made nobody is the proposer yet.
        proposed_by=merge.proposed_by.username if merge.pk else "",
        holder=merge.holder_id,
        survivor=merge.survivor_id,
        secret_known_to=rights.secret_known_to(user, [merge.proposed_by] if merge.pk else []),
        holder_merged_into=None if is_ended else _onward(remains, merge.holder_id),
        survivor_merged_into=None if is_ended or merge.survivor_id is None else _onward(remains, merge.survivor_id),
        plan=plan,
        accounts=(*giving, *taking),
        shut=tuple(_shut(plan)),
        open_work=(
            *open_work.of(holder_ids=ids, account_ids=[each.id for each in (*giving, *taking)], at=at),
            *(open_work.lots([each.id for each in giving]) if merge.undoes is None else ()),
            *(
                (*merge_parts.overdue(merge, giving, on), *merge_parts.owing_later(giving, on))
                if merge.undoes is None and not is_ended
                else ()
            ),
        ),
        amount_faults=tuple(amount_faults),
        undoable=merge.undoes is None or _is_undoable(merge.undoes),
        number=merge.undoes_id or 0,
        is_proposer_away=bool(merge.pk) and merges.PROPOSE not in rights.rights_of(merge.proposed_by),
        shown=shown,
    )


class Preview(NamedTuple):
    """What a proposal would do now, and why it would be refused; ``shown`` is the digest of that and of the members it names."""

    plan: MergePlan
    refusals: list[errors.LedgerError]
    shown: str


def proposal(*, holder_id: int, survivor_id: int, reason: str, effective_on: date | None = None) -> Merge:
    """Return the proposal that one member be merged into another: it is not stored, and may name members that are not there."""
    return Merge(
        holder_id=holder_id, survivor_id=survivor_id, holds_holder=True, effective_on=effective_on, reason=reason.strip()
    )


def undoing(
    *,
    merge_id: int,
    reason: str,
    amounts: Sequence[tuple[str, str, int]] | None = None,
    effective_on: date | None = None,
) -> Merge:
    """Return the proposal to undo a merge, for the member who remains now of the one whom it merged into; it is not stored.

    ``amounts`` states what is given back, as (book code, role, amount in minor units in the account's natural direction); without it, what the
    merge moved, as far as it is there when it is decided.

    :raises errors.Refused: not_found
    """
    undone = find(merge_id)
    (giver,) = survivors([undone.survivor_id or undone.holder_id]).values()
    return Merge(
        holder_id=giver,
        undoes=undone,
        holds_undone=True,
        amounts=None if amounts is None else [list(each) for each in amounts],
        effective_on=effective_on,
        reason=reason.strip(),
    )


def preview(wanted: Merge, *, user: User, at: datetime) -> Preview:
    """Return what a proposal that is not stored would come to, and what would refuse it now. Nothing is locked: proposing asks again."""
    named = {key for key in (wanted.holder_id, wanted.survivor_id) if key is not None}
    # One by one: a number that no column holds is then one that is not there.
    if missing := sorted(key for key in named if not Holder.objects.filter(pk=key).exists()):
        return Preview(merges.NOTHING, [errors.NotFound(what=_("member"), name=key) for key in missing], "")
    found = facts(wanted, user=user, at=at)
    shown = merges.proposal_digest(wanted.holder_id, wanted.survivor_id, found.plan.as_json())
    return Preview(found.plan, [*merges.proposal_reasons(found), *_taken(wanted)], shown)


def shut(wanted: Merge) -> list[errors.LedgerError]:
    """Return why no proposal about this member, or to undo this merge, can be made now, whatever else it says."""
    undone = wanted.undoes
    if undone is not None:
        return [*([] if _is_undoable(undone) else [members.MergeNotDone(number=undone.pk)]), *_taken(wanted)]
    onward = _onward(survivors([wanted.holder_id]), wanted.holder_id)
    return [*([] if onward is None else [members.MemberMerged(holder=wanted.holder_id, into=onward)]), *_taken(wanted)]


def _is_undoable(merge: Merge) -> bool:
    return merge.state == Merge.State.DONE and merge.undoes_id is None


def _taken(wanted: Merge) -> list[errors.LedgerError]:
    """Return the proposals that stand in the place of this one."""
    if wanted.undoes_id is None:
        others = Merge.objects.filter(holder_id=wanted.holder_id, state=Merge.State.PROPOSED, undoes__isnull=True)
    else:
        others = Merge.objects.filter(undoes_id=wanted.undoes_id, holds_undone=True)
    return [
        members.MergeUndone(number=wanted.undoes_id, undoing=other.pk)
        if other.state == Merge.State.DONE
        else members.MergeOpen(number=other.pk)
        for other in others
    ]


def days(merge: Merge, books: Iterable[Book], at: datetime) -> dict[str, date]:
    """Return the day of the entries by book code: what the proposal states, or the day in the book's zone at ``at``."""
    return {book.code: merge.effective_on or at.astimezone(ZoneInfo(book.time_zone)).date() for book in books}


def moved_amounts(merge: Merge) -> list[tuple[str, str, int]]:
    """Return what a merge moved, as (book code, role, amount in the account's natural direction)."""
    moves = (merge.decided_preview or {}).get("moves", [])
    return [(each["book"], each["role"], each["amount"]) for each in moves if each["amount"] > 0]


def given_back(merge: Merge, at: datetime) -> dict[tuple[str, str], int]:
    """Return, by (book code, role), what undoing a merge would give back now if nothing is stated: what it moved, as far as it is there."""
    (giver,) = survivors([merge.survivor_id or merge.holder_id]).values()
    giving = {(each.book, each.role): each for each in accounts_of(giver)}
    on = days(merge, Book.objects.filter(code__in={book for book, _role in giving}), at)
    return {
        place: natural(move.source.category, move.amount) for place, move in merge_parts.given_back(merge, giving, on).items()
    }


def of_member(holder_id: int, most: int) -> list[Merge]:
    """Return the last merges that name a member, whichever way, the latest first."""
    rows = Merge.objects.filter(holder_id=holder_id) | Merge.objects.filter(survivor_id=holder_id)
    return list(rows.select_related("holder", "survivor", "proposed_by", "decided_by").order_by("-id")[:most])


def _onward(remains: Mapping[int, int], holder_id: int) -> int | None:
    return remains[holder_id] if remains[holder_id] != holder_id else None


def _identifiers(rows: Any) -> list[tuple[int, str, str]]:
    return [(each.pk, each.kind, each.shown) for each in rows.order_by("id")]


def _undoing(merge: Merge, giving: Sequence[MemberAccount], on: Mapping[str, date]) -> tuple[MergePlan, list[errors.LedgerError]]:
    """Return what an undoing would give back: the identifiers that the merge moved and the member still has, and what came with it, or is stated."""
    undone = merge.undoes
    assert undone is not None, "asked of an undoing"  # noqa: S101 - the caller has looked
    moved = {(each["book"], each["role"]): each["amount"] for each in (undone.decided_preview or {}).get("moves", [])}
    there = {(each.book, each.role): each for each in giving if (each.book, each.role) in moved}
    came = merge_parts.given_back(undone, there, on)
    signed: dict[tuple[str, str], int] = {}
    faults: list[errors.LedgerError] = []
    for book, role, amount in merge.amounts or []:
        account = there.get((book, role))
        if account is None or not 0 < amount <= AMOUNT_MOST or (book, role) in signed:
            faults.append(members.MergeAmountInvalid(book=book, role=role, amount=amount))
            continue
        if amount > moved[book, role]:
            faults.append(members.MergeAmountBeyond(book=book, role=role, amount=amount, moved=moved[book, role]))
            continue
        signed[book, role] = natural(account.category, amount)
    kept = Identifier.objects.filter(moves__merge=undone, holder_id=merge.holder_id)
    if merge.amounts is None:
        signed = {place: move.amount for place, move in came.items()}
    found = merges.plan(there.values(), (), identifiers=_identifiers(kept), amounts=signed)
    moves = tuple(merge_parts.stated(came[move.source.book, move.source.role], move.amount) for move in found.moves)
    return found._replace(moves=moves), faults


def _shut(plan: MergePlan) -> Iterable[tuple[str, str]]:
    """Yield the books that take no entry on a day of the merge, of those in which points move."""
    later = {(move.source.book, part.on.isoformat()) for move in plan.moves for part in move.later}
    for code, on in sorted({*plan.days, *later}):
        spans = Period.objects.filter(sql.meeting(on, on), book__code=code)
        if not spans.exclude(state=Period.State.FROZEN).exists():
            yield code, on


def unfinished(period: Period) -> Iterator[Unfinished]:
    """Yield each undecided proposal whose entries would be dated in ``period``, of a member with an account in its book."""
    dated = Merge.objects.filter(sql.dated_in(period), state=Merge.State.PROPOSED)
    of_book = Account.objects.filter(book=period.book_id, holder=OuterRef("holder"))
    for row in dated.filter(Exists(of_book)).select_related("holder", "survivor").order_by("id"):
        said = (_("Merge"), str(row), Merge.State(row.state).label, DECIDE, DECIDERS)
        yield Unfinished(*said, row._meta.label_lower, row.pk, row.state)  # noqa: SLF001 - Django's public API
