"""Gives identifiers to members, ends them, and renews the hashes of cards that are seen again."""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.queries import identifiers
from ledger_app.errors import members
from ledger_app.members.queries import merges
from ledger_app.models import Holder, Identifier
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.identifiers import KINDS, card_digits, shown
from ledger_app.values.most import REASON_MOST

Result = TypeVar("Result")

RIGHT = "ledger_app.change_identifiers"


class Span(NamedTuple):
    """The days on which an identifier is in use, both included; None where it has no first, or no last."""

    first: date | None = None
    last: date | None = None


class Answer(StrEnum):
    """What became of an identifier that was to be given, or to end."""

    GIVEN = "given"  # it is new
    ALREADY = "already"  # it is as it was asked for; nothing was written
    AHEAD = "ahead"  # the member has it from a later day on; nothing was written
    AGAIN = "again"  # the member had it, and has it again
    ENDED = "ended"  # it has a last day now


GIVING = (Answer.GIVEN, Answer.ALREADY, Answer.AHEAD, Answer.AGAIN)
ENDING = (Answer.ENDED, Answer.ALREADY)


class Given(NamedTuple):
    """An identifier, and what became of it."""

    identifier: Identifier
    answer: Answer


def add_identifier(
    *,
    holder_id: int,
    kind: str,
    value: str,
    caller: Caller,
    reason: str,
    active_from: date | None = None,
    active_to: date | None = None,
) -> Identifier:
    """Give an identifier to a member as ``give`` does, and return it.

    :raises errors.Refused: as ``give``
    """
    span = Span(active_from, active_to)
    return give(holder_id=holder_id, kind=kind, value=value, span=span, caller=caller, reason=reason).identifier


def give(*, holder_id: int, kind: str, value: str, span: Span, caller: Caller, reason: str) -> Given:
    """Give an identifier to a member. Of a card number a hash is kept, and the last four; one that is kept under an old key is renewed.

    One that the member has is left as it is, where nothing else was asked for. One that ended is given again with a first day after its last one:
    what it was before stands in the audit row.

    :raises errors.Refused: not_permitted, not_found, card_number_in_clear, card_number_invalid, card_key_missing, code_invalid, member_merged,
        identifier_taken, identifier_had, identifier_has_end, identifier_differs, identifier_span_invalid, reason_required; each refused attempt has its audit row,
        without the value
    """
    kind_name = KINDS[kind].label if kind in KINDS else kind[:32]

    def work() -> Given:
        reasons = [*_may(caller, reason, _("Add an identifier")), *identifiers.check(kind, value)]
        if span.first and span.last and span.last < span.first:
            reasons.append(members.IdentifierSpanInvalid(kind=kind_name, value="", active_from=span.first, active_to=span.last))
        if reasons:
            raise errors.Refused(reasons)
        _living(holder_id)
        there = identifiers.find(kind, [value]).get(value)
        if there is not None and there.holder_id != holder_id:
            text = shown(kind, value, card_digits(value)[-4:])
            raise errors.Refused([members.IdentifierTaken(kind=kind_name, value=text, holder=there.holder_id)])
        if there is not None:
            _renew(there.id, kind, value, caller, is_old=there.is_old)
            return _give_again(Identifier.objects.get(pk=there.id), span, caller, reason)
        kept = identifiers.kept(kind, value)
        row = Identifier.objects.create(
            kind=kind,
            value=kept.value,
            key_name=kept.key_name,
            last_four=kept.last_four,
            holder_id=holder_id,
            active_from=span.first,
            active_to=span.last,
        )
        _record(holder_id, "add_identifier", caller, reason=reason.strip(), facts=_facts(row))
        return Given(row, Answer.GIVEN)

    return _audited(work, holder_id, "add_identifier", caller)


def _give_again(row: Identifier, asked: Span, caller: Caller, reason: str) -> Given:
    """Return what becomes of an identifier that the member has, or had."""
    has = Span(row.active_from, row.active_to)
    today = caller.at.date()  # members live in no book, and so in no zone of one
    if asked == has or (asked == Span() and has.last is None):
        return Given(row, Answer.AHEAD if has.first and has.first > today else Answer.ALREADY)
    told: dict[str, Any] = {"kind": KINDS[row.kind].label, "value": row.shown}
    if has.last is None:
        raise errors.Refused([members.IdentifierDiffers(**told, active_from=has.first or "–")])
    if asked.first is None or asked.first <= has.last:
        raise errors.Refused([members.with_end(has.last, today, **told)])
    before = _facts(row)
    row.active_from, row.active_to = asked.first, asked.last
    Identifier.objects.filter(pk=row.pk).update(active_from=asked.first, active_to=asked.last)
    facts = {**_facts(row), "was_from": before["from"], "was_to": before["to"]}
    _record(row.holder_id, "give_again", caller, reason=reason.strip(), facts=facts)
    return Given(row, Answer.AGAIN)


def end_identifier(*, identifier_id: int, active_to: date, reason: str, caller: Caller) -> Given:
    """End an identifier: ``active_to`` is its last day. Where it ends on that day already, leave it as it is, and say so.

    :raises errors.Refused: not_found, not_permitted, identifier_ended, identifier_span_invalid, reason_required
    """
    found = Identifier.objects.filter(pk=identifier_id).first()
    if found is None:
        raise errors.Refused([errors.NotFound(what=_("identifier"), name=identifier_id)])

    def work() -> Given:
        row = locks.own_row(Identifier, identifier_id)
        reasons = _may(caller, reason, _("End an identifier"))
        told: dict[str, Any] = {"kind": KINDS[row.kind].label if row.kind in KINDS else row.kind, "value": row.shown}
        if row.active_to is not None and row.active_to != active_to:
            reasons.append(members.IdentifierEnded(**told, active_to=row.active_to))
        elif row.active_from is not None and active_to < row.active_from:
            reasons.append(members.IdentifierSpanInvalid(**told, active_from=row.active_from, active_to=active_to))
        if reasons:
            raise errors.Refused(reasons)
        if row.active_to is not None:
            return Given(row, Answer.ALREADY)
        Identifier.objects.filter(pk=row.pk).update(active_to=active_to)
        row.refresh_from_db()
        _record(row.holder_id, "end_identifier", caller, reason=reason.strip(), facts=_facts(row))
        return Given(row, Answer.ENDED)

    return _audited(work, found.holder_id, "end_identifier", caller)


def renew(*, kind: str, value: str, caller: Caller) -> bool:
    """Keep a card number that was seen again under the newest key, where it is kept under an old one; return whether it was."""

    def work() -> bool:
        there = identifiers.find(kind, [value]).get(value)
        return there is not None and _renew(there.id, kind, value, caller, is_old=there.is_old)

    return transactions.run(work)


def _renew(identifier_id: int, kind: str, value: str, caller: Caller, *, is_old: bool) -> bool:
    if not is_old:
        return False
    kept = identifiers.kept(kind, value)
    row = Identifier.objects.get(pk=identifier_id)
    there = Identifier.objects.filter(pk=identifier_id, key_name=row.key_name)
    if there.update(value=kept.value, key_name=kept.key_name) != 1:
        return False  # somebody else has seen it again at the same time
    facts = {"last_four": row.last_four, "from_key": row.key_name, "key": kept.key_name}
    _record(row.holder_id, "renew_card", caller, facts=facts)
    return True


def _living(holder_id: int) -> Holder:
    """Lock a member, and return it where it was not merged."""
    if not Holder.objects.filter(pk=holder_id).exists():
        raise errors.Refused([errors.NotFound(what=_("member"), name=holder_id)])
    holder = locks.own_row(Holder, holder_id)
    if holder.merged_into_id is not None:
        raise errors.Refused([members.MemberMerged(holder=holder_id, into=merges.survivors([holder_id])[holder_id])])
    return holder


def _may(caller: Caller, reason: str, action: Any) -> list[errors.LedgerError]:
    found: list[errors.LedgerError] = []
    if RIGHT not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=action, who=_("Support")))
    if not reason.strip():
        found.append(errors.ReasonRequired(action=action))
    if len(reason) > REASON_MOST:
        found.append(errors.ReasonTooLong(most=REASON_MOST, length=len(reason)))
    return found


def _audited(work: Callable[[], Result], holder_id: int, action: str, caller: Caller) -> Result:
    """Run ``work``; leave a row where it is refused."""
    try:
        return transactions.run(work)
    except errors.Refused as refusal:
        if not transitions.is_slip(refusal, caller):
            transactions.run(partial(_record, holder_id, action, caller, refused=refusal))
        raise


def _facts(row: Identifier) -> dict[str, Any]:
    return {"kind": row.kind, "value": row.shown, "from": str(row.active_from or ""), "to": str(row.active_to or "")}


def _record(
    holder_id: int,
    action: str,
    caller: Caller,
    *,
    reason: str = "",
    refused: errors.Refused | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        subject=audit.Subject("member", holder_id, f"#{holder_id}"),
        action=action,
        caller=caller,
        outcome="refused" if refused else "done",
        reason=reason,
        reasons=refused.reasons if refused else (),
        facts=facts,
    )
