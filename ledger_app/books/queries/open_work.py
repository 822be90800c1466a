"""What concerns a member or an account and has not ended: asked before members are merged and accounts closed."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from ledger_app import errors
from ledger_app.base.queries.totals import Total
from ledger_app.errors import members
from ledger_app.models import Merge, OpenLot

# (member ids, account ids, now) → what is open, each as a reason.
Question = Callable[[Collection[int], Collection[int], datetime], Iterable[errors.LedgerError]]

NAMED_MOST = 20
_questions: list[Question] = []


def register(question: Question) -> None:
    """Register one more question. Each application that has work which can be open calls this when it starts."""
    if question not in _questions:
        _questions.append(question)


def of(*, holder_ids: Collection[int] = (), account_ids: Collection[int] = (), at: datetime) -> tuple[errors.LedgerError, ...]:
    """Return what is open at an instant and concerns one of these members or accounts."""
    return tuple(reason for question in _questions for reason in question(holder_ids, account_ids, at))[:NAMED_MOST]


def merges(holder_ids: Collection[int]) -> list[errors.LedgerError]:
    """Return the proposals of merges that name one of these members."""
    rows = Merge.objects.filter(state=Merge.State.PROPOSED)
    found = rows.filter(holder_id__in=holder_ids) | rows.filter(survivor_id__in=holder_ids)
    return [
        members.OpenWork(what=row._meta.verbose_name, name=row, state=Merge.State(row.state).label)  # noqa: SLF001 - Django's public API
        for row in found.order_by("id")[:NAMED_MOST]
    ]


def lots(account_ids: Collection[int]) -> list[errors.LedgerError]:
    """Return those of these accounts that have as much in lots as they owe.

    Their balance is zero, so that no entry of a merge would touch them, and what is due could never expire on an account that takes no entry.
    """
    rows = OpenLot.objects.filter(account_id__in=account_ids).values("account__code").annotate(left=Total("remaining"))
    found = rows.filter(left=0).order_by("account__code").values_list("account__code", flat=True)
    return [members.LotsNotSetOff(account=code) for code in found[:NAMED_MOST]]
