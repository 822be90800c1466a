"""What of a member an erasure would take away, what keeps it all the same, and what the guards of an erasure are asked with."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.erasures.rules import ANSWER, ErasureFacts
from ledger_app.members.queries import member_subjects, merges
from ledger_app.models import (
    Adjustment,
    AdjustmentDecision,
    Attachment,
    AuditRow,
    ErasedPart,
    Erasure,
    Holder,
    Link,
    Merge,
    Posting,
    Trace,
    User,
)
from ledger_app.rights.queries.rights import rights_of, secret_known_to
from ledger_app.traces.rules import erased
from ledger_app.traces.rules.erased import Part

# Members who were merged into one; more are no member's but a mistake's.
FAMILY_MOST = 1000


class Plan(NamedTuple):
    """What an erasure takes away: of whom, by which names they were ever called, and the values; ``is_named`` where a name is there now."""

    holder_ids: tuple[int, ...]
    names: frozenset[str]
    parts: tuple[Part, ...]
    is_named: bool
    attachments: tuple[tuple[int, str, bytes], ...]  # number, name, SHA-256
    adjustments: tuple[int, ...]  # those that have the attachments

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be taken away."""
        return not self.parts and not self.is_named


def find(pk: int) -> Erasure:
    """Return an erasure.

    :raises errors.Refused: not_found
    """
    row = Erasure.objects.select_related("holder", "proposed_by", "decided_by").filter(pk=pk).first()
    if row is None:
        raise errors.Refused([errors.NotFound(what=_("erasure"), name=pk)])
    return row


def family(holder_id: int) -> list[int]:
    """Return a member and all who were merged into it and remain in it: they are one person.

    Whom an undoing gave back under a new number is that new member; the row of before is of the family of the new one, as nobody else has it.
    """
    found = ever(holder_id)
    remains = merges.survivors(found)
    return sorted(key for key in found if remains[key] == holder_id)


def ever(holder_id: int) -> set[int]:
    """Return a member and everybody whom merges that were done ever led to it, whatever became of them since."""
    found, edge = {holder_id}, {holder_id}
    while edge and len(found) < FAMILY_MOST:
        edge = {key for part in sql.parts(sorted(edge)) for key in _before(part)} - found
        found |= edge
    return found


def _before(ids: Sequence[int]) -> set[int]:
    """Return who was merged into any of these, and who they were before an undoing gave them back."""
    merged = Merge.objects.filter(survivor__in=ids, state=Merge.State.DONE, undoes__isnull=True)
    return {*merged.values_list("holder_id", flat=True), *_given_back(ids)}


def _given_back(ids: Sequence[int]) -> set[int]:
    undoings = Merge.objects.filter(survivor__in=ids, state=Merge.State.DONE, undoes__isnull=False)
    return set(undoings.values_list("undoes__holder_id", flat=True))


def _same(holder_id: int) -> set[int]:
    """Return the numbers under which a member was known before undoings gave it back, with that of now."""
    found, edge = {holder_id}, {holder_id}
    while edge and len(found) < FAMILY_MOST:
        edge = _given_back(sorted(edge)) - found
        found |= edge
    return found


def plan(holder_id: int) -> Plan:
    """Return what an erasure of a member would take away, as things are now."""
    ids = family(holder_id)
    histories: Any = Holder.history.model
    said = list(histories.objects.filter(id__in=ids).exclude(name="").order_by("history_id").values_list("history_id", "name"))
    named = set(Holder.objects.filter(id__in=ids).exclude(name="").values_list("name", flat=True))
    adjustments = list(Adjustment.objects.filter(account__holder__in=ids).order_by("id").values_list("id", flat=True))
    files = [
        (key, name, bytes(sha256))
        for part in sql.parts(adjustments)
        for key, name, sha256 in Attachment.objects.filter(adjustment__in=part).order_by("id").values_list("id", "name", "sha256")
        if name != erased.attachment_name(key)
    ]
    names = named | {name for _key, name in said} | {name for _key, name, _sha256 in files}
    parts = [Part(erased.NAMES, key, "name", "") for key, _name in said]
    parts += [Part(erased.ATTACHMENTS, key, "name", erased.attachment_name(key)) for key, _name, _sha256 in files]
    parts += _of_audit_rows(ids, names)
    keys = {key for key, _name, _sha256 in files}
    with_files = Adjustment.objects.filter(attachments__in=keys).order_by("id").distinct().values_list("id", flat=True)
    return Plan(tuple(ids), frozenset(names), tuple(parts), bool(named), tuple(files), tuple(with_files) if keys else ())


def _of_audit_rows(ids: Sequence[int], names: Collection[str]) -> Iterator[Part]:
    """Yield what audit rows about a member, its accounts and what was done with them say of the names."""
    for row in member_subjects.audit_rows(ids):
        for column in erased.ERASABLE[erased.AUDIT]:
            before = getattr(row, column)
            after = _fitting(column, erased.without(names, before))
            if after != before:
                says = json.dumps(after) if column in erased.OF_JSON else after
                yield Part(erased.AUDIT, row.pk, column, says)


def _fitting(column: str, value: Any) -> Any:
    """Return what the column takes: the mark is longer than a short name is, and the end of a long text goes."""
    most = getattr(AuditRow._meta.get_field(column), "max_length", None)  # noqa: SLF001 - the documented interface of models
    return value[:most] if most is not None and isinstance(value, str) else value


def keeping(plan: Plan) -> list[str]:
    """Return the things whose texts name the member and stay: decisions and postings, which nothing changes."""
    return [shown for shown, said in _kept_texts(plan.holder_ids) if erased.without(plan.names, said) != said]


def _kept_texts(ids: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """Yield what people call each thing of a member that keeps its texts, and those texts."""
    rows = member_subjects.subjects(ids)
    for row in rows["adjustment"].order_by("id").prefetch_related("decisions"):
        yield str(row), [row.text, row.ticket, row.key, *(word.note for word in row.decisions.all())]
    for hold in rows["hold"].order_by("id"):
        yield str(hold), [hold.description, hold.reference]
    for merge in rows["merge"].order_by("id"):
        yield str(merge), [merge.reason]
    for reversal in rows["reversal"].select_related("entry").order_by("id"):
        yield str(reversal), [reversal.reason, reversal.ticket]
    # What was posted without a proposal: an adjustment's entry has the words of the adjustment, which is named above.
    entries = rows["entry"].exclude(posting__origin_kind=Posting.Origin.ADJUSTMENT).order_by("id")
    said = entries.values_list("reference", "description", "posting__reason")
    for reference, description, reason in said.iterator(chunk_size=1_000):
        yield reference, [reference, description, reason]


def facts(row: Erasure, *, user: User) -> ErasureFacts:
    """Return what the guards of an erasure are asked with."""
    remains = merges.survivors([row.holder_id])[row.holder_id]
    return ErasureFacts(
        state=row.state,
        user_name=user.username,
        rights=rights_of(user),
        user_id=user.pk,
        proposer=row.proposed_by.username,
        proposer_id=row.proposed_by_id,
        holder_id=row.holder_id,
        secret_known_to=secret_known_to(user, [row.proposed_by]),
        waiting=tuple(waiting(row.holder_id)),
        is_proposer_away=ANSWER not in rights_of(row.proposed_by),
        merged_into=remains if remains != row.holder_id else None,
    )


def waiting(holder_id: int) -> list[str]:
    """Return what of a member is proposed and not decided, by what people call it."""
    ids = family(holder_id)
    undecided = Adjustment.objects.filter(account__holder__in=ids, state__in=["proposed", "endorsed"]).order_by("id")
    found = [str(row) for row in undecided]
    merging = Merge.objects.filter(Q(holder__in=ids) | Q(survivor__in=ids), state=Merge.State.PROPOSED).order_by("id")
    return found + [str(row) for row in merging]


def of_member(holder_id: int) -> Erasure | None:
    """Return the last erasure of a member that was carried out, of itself or of who it is one with; None where there was none."""
    return of_members(_same(holder_id))


def of_members(holder_ids: Collection[int]) -> Erasure | None:
    """Return the last erasure that was carried out of any of these members; None where there was none."""
    parts = ErasedPart.objects.filter(
        table_name=erased.NAMES,
        row_id__in=Holder.history.filter(id__in=holder_ids).values("history_id"),
    ).values("erasure")
    done = Erasure.objects.filter(Q(holder__in=holder_ids) | Q(id__in=parts), state=Erasure.State.DONE)
    return done.select_related("proposed_by", "decided_by").order_by("-id").first()


def of_attachments(numbers: Collection[int]) -> dict[int, Erasure]:
    """Return by which erasure each of these attachments went; those that did not are left out."""
    rows = ErasedPart.objects.filter(
        table_name=erased.ATTACHMENTS, row_id__in=numbers, erasure__state=Erasure.State.DONE
    ).select_related("erasure__decided_by")
    return {part.row_id: part.erasure for part in rows}


def traces_of(parts: Collection[Part]) -> list[int]:
    """Return the numbers of the traces of the rows that parts are of, rising."""
    keys: dict[str, set[int]] = {}
    for part in parts:
        keys.setdefault(part.table, set()).add(part.row_id)
    return sorted(
        key
        for table, ids in keys.items()
        for some in sql.parts(sorted(ids))
        for key in Trace.objects.filter(table_name=table, row_id__in=some).values_list("id", flat=True)
    )


def traces_between(parts: Collection[Part], before: Collection[int]) -> list[int]:
    """Return the traces that were written while ``parts`` were, without the last of each row, which says what the row says now."""
    new = sorted(set(traces_of(parts)) - set(before))
    rows = [
        row
        for some in sql.parts(new)
        for row in Trace.objects.filter(id__in=some).order_by("id").values_list("id", "table_name", "row_id")
    ]
    last = {(table, row_id): key for key, table, row_id in rows}
    return [key for key, table, row_id in rows if last[table, row_id] != key]


def links_of(numbers: Sequence[int]) -> list[Link]:
    """Return the links that cover any of these traces, by number."""
    found: dict[int, Link] = {}
    for key in numbers:
        if any(_covers(link, key) for link in found.values()):
            continue
        # The first that reaches so far, or one after it, which filled a gap.
        for link in Link.objects.filter(last_trace__gte=key).order_by("number").iterator(chunk_size=100):
            if _covers(link, key):
                found[link.number] = link
                break
    return [found[number] for number in sorted(found)]


def _covers(link: Link, key: int) -> bool:
    return any(first <= key <= last for first, last in link.spans)


def approvals_of(adjustments: Collection[int]) -> list[AdjustmentDecision]:
    """Return the last approval of each adjustment that is approved."""
    words: dict[int, AdjustmentDecision] = {}
    rows = AdjustmentDecision.objects.filter(
        adjustment__in=adjustments,
        adjustment__state=Adjustment.State.APPROVED,
        decision=AdjustmentDecision.Decision.APPROVED,
    )
    for word in rows.select_related(
        "adjustment__book", "adjustment__account", "adjustment__contra_account", "adjustment__reason_code"
    ).order_by("version"):
        words[word.adjustment_id] = word
    return [words[key] for key in sorted(words)]
