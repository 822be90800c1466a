"""The invariants of erasures, asked of the rows alone: what is gone is what two people decided, all of that, and nothing else."""

import json
from collections.abc import Iterator

from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import BREACHES_MOST, Invariant, Scope, changes_without_rows
from ledger_app.erasures import queries as erasures
from ledger_app.erasures import rules
from ledger_app.errors.sentences import say as _
from ledger_app.members.queries import member_subjects
from ledger_app.models import Attachment, AuditRow, ErasedDigest, ErasedPart, Erasure, Holder, Trace
from ledger_app.traces.queries import erasable
from ledger_app.traces.rules import erased
from ledger_app.traces.rules.erased import Part, Recomputed

EXPECTED_TRIGGERS = frozenset(
    {
        "kakutei_erasure_begins_proposed",
        "kakutei_erasure_no_edit",
        "kakutei_erasure_no_delete",
        "kakutei_erasedpart_of_proposal",
        "kakutei_eraseddigest_of_proposal",
        erasable.ERASES,
    }
)


def deciders_are_others(_books: Scope) -> Iterator[str]:
    """Invariant 8, for erasures."""
    rows = Erasure.objects.filter(decided_by=F("proposed_by")).select_related("decided_by").order_by("id")
    for row in rows[:BREACHES_MOST]:
        assert row.decided_by is not None  # noqa: S101 - asked for
        yield _("The erasure {erasure} was asked for and decided by {user}.").format(erasure=row, user=row.decided_by.username)


def changes_have_rows(_books: Scope) -> Iterator[str]:
    """Invariant 12, for erasures: the version counts the changes."""
    changed = Erasure.objects.filter(Q(version__gt=1) | ~Q(state=Erasure.State.PROPOSED)).order_by("id")
    yield from changes_without_rows(rules.ERASURE.subject, [(row.pk, str(row), row.version, row.state) for row in changed])


def what_is_gone_was_decided(_books: Scope) -> Iterator[str]:
    """Invariant 3, for what was erased: each erasure did what its digest says, to rows of its member alone, and what it put there is there."""
    undecided = ~Q(erasure__state=Erasure.State.DONE)
    for model in (ErasedPart, ErasedDigest):
        for part in model.objects.filter(undecided).order_by("id")[:BREACHES_MOST]:
            yield _("{part} was erased by request {erasure}, which nobody approved.").format(part=part, erasure=part.erasure_id)
    for row in Erasure.objects.filter(state=Erasure.State.DONE).order_by("id").iterator(chunk_size=100):
        yield from _of_one(row)


def _of_one(row: Erasure) -> Iterator[str]:
    parts = [Part(*each) for each in row.parts.order_by("id").values_list("table_name", "row_id", "column_name", "says")]
    digests = [
        Recomputed(table, key, bytes(digest).hex())
        for table, key, digest in row.digests.order_by("id").values_list("table_name", "row_id", "digest")
    ]
    if bytes(row.digest or b"") != erased.digest(holder_id=row.holder_id, parts=parts, digests=digests):
        yield _("The erasure {erasure} is not what its digest says.").format(erasure=row)
    histories = [part.row_id for part in parts if part.table == erased.NAMES]
    gone = {row.holder_id, *Holder.history.filter(history_id__in=histories).values_list("id", flat=True)}
    # Who was merged into the member is the member's as well, with or without a name, also where a later merge or an undoing led further.
    members = erasures.ever(row.holder_id)
    if strange := gone - members:
        yield _("The erasure {erasure} took away the name of member {holder}, who is another.").format(
            erasure=row, holder=min(strange)
        )
    named = Holder.objects.filter(id__in=gone).exclude(name="").order_by("id").values_list("id", flat=True)
    for key in named[:BREACHES_MOST]:
        yield _("Member {holder} was erased by request {erasure}, and has a name.").format(holder=key, erasure=row)
    rows = {(part.table, part.row_id) for part in parts}
    for part in parts:
        if not _is_there(_newest(part)) or not _belongs(part, members, rows):
            yield _("The erasure {erasure}: {table} {key} does not say what was put there, or is not of the member.").format(
                erasure=row, table=part.table, key=part.row_id
            )


def _newest(part: Part) -> Part:
    """Return what the last erasure put in the place of a part: a text may name two members, each of whom was erased."""
    of_place = ErasedPart.objects.filter(table_name=part.table, row_id=part.row_id, column_name=part.column)
    return part._replace(says=of_place.order_by("id").values_list("says", flat=True).last() or "")


def _is_there(part: Part) -> bool:
    """Whether what an erasure put in a place is there."""
    if part.table == erased.TRACES:
        trace = Trace.objects.filter(pk=part.row_id).first()
        last = (
            None
            if trace is None
            else Trace.objects.filter(table_name=trace.table_name, row_id=trace.row_id).order_by("-id").first()
        )
        return trace is not None and last is not None and trace.content == last.content
    if part.column in erased.OF_JSON:
        row = AuditRow.objects.filter(pk=part.row_id).first()
        return row is not None and getattr(row, part.column) == json.loads(part.says)
    (each,) = [each for each in erasable.tables() if each.table.name == part.table]
    rows = each.model._base_manager.filter(pk=part.row_id)  # noqa: SLF001 - the documented interface of models
    return list(rows.values_list(part.column, flat=True)) == [part.says]


def _belongs(part: Part, members: set[int], rows: set[tuple[str, int]]) -> bool:
    """Whether what was erased is of a member: what a trace is of is one of the ``rows`` of which something was."""
    if part.table == erased.TRACES:
        trace = Trace.objects.filter(pk=part.row_id).first()
        return trace is not None and (trace.table_name, trace.row_id) in rows
    if part.table == erased.ATTACHMENTS:
        return Attachment.objects.filter(pk=part.row_id, adjustment__account__holder__in=members).exists()
    if part.table == erased.AUDIT:
        row = AuditRow.objects.filter(pk=part.row_id).first()
        return row is not None and member_subjects.is_about(row, members)
    return True


INVARIANTS = (
    Invariant(3, gettext_lazy("What was erased is what two people decided, and nothing else."), what_is_gone_was_decided),
    Invariant(8, gettext_lazy("Nobody decides what they proposed, superusers included."), deciders_are_others),
    Invariant(12, gettext_lazy("Each change of state has one audit row."), changes_have_rows),
)
