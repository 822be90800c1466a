"""What audit rows tell of a member: of itself, and of its accounts and whatever was done, or refused, with these."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from ledger_app import sql
from ledger_app.models import Account, Adjustment, AuditRow, Entry, Erasure, Hold, Holder, Line, Merge, Reversal


def subjects(holder_ids: Collection[int]) -> Mapping[str, QuerySet[Any]]:
    """Return the rows that are these members', by what audit rows call them. An entry is of each member who has a line of it."""
    lines = Line.objects.filter(account__holder__in=holder_ids).values("entry")
    return {
        "member": Holder.objects.filter(id__in=holder_ids),
        "account": Account.objects.filter(holder__in=holder_ids),
        "adjustment": Adjustment.objects.filter(account__holder__in=holder_ids),
        "hold": Hold.objects.filter(account__holder__in=holder_ids),
        "merge": Merge.objects.filter(Q(holder__in=holder_ids) | Q(survivor__in=holder_ids)),
        "erasure": Erasure.objects.filter(holder__in=holder_ids),
        "entry": Entry.objects.filter(id__in=lines),
        "reversal": Reversal.objects.filter(entry__in=lines),
    }


def audit_rows(holder_ids: Sequence[int]) -> Iterator[AuditRow]:
    """Yield the audit rows about these members, in the order in which they were written."""
    found: set[int] = set()
    for part in sql.parts(holder_ids):
        for kind, rows in subjects(part).items():
            about = AuditRow.objects.filter(subject_type=kind, subject_id__in=rows.values("id"))
            found.update(about.values_list("id", flat=True))
    for some in sql.parts(sorted(found)):
        yield from AuditRow.objects.filter(id__in=some).order_by("id")


def is_about(row: AuditRow, holder_ids: Collection[int]) -> bool:
    """Whether an audit row is about any of these members."""
    rows = subjects(holder_ids).get(row.subject_type)
    return rows is not None and rows.filter(pk=row.subject_id).exists()
