"""Writes down what approvals moved that are no adjustment of their own, in the transaction of the approval, so that limits count it."""

from collections.abc import Sequence
from datetime import datetime

from ledger_app.adjustments.rules.limits import Weight
from ledger_app.base.operations import bulk
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Book, DecidedAmount


def record(
    *, kind: DecidedAmount.Kind, subject_id: int, book: Book, weights: Sequence[Weight], caller: Caller
) -> list[DecidedAmount]:
    """Write down what an approval moves on the accounts of a book, and return the rows; an earlier approval of the same is to be void."""
    rows = [
        DecidedAmount(
            kind=kind,
            subject_id=subject_id,
            book=book,
            account_id=each.account_id,
            reason_code_id=each.reason_id,
            amount=each.amount,
            decided_by=caller.user,
            decided_at=caller.at,
        )
        for each in weights
    ]
    standing = DecidedAmount.objects.filter(kind=kind, subject_id=subject_id, book=book, voided_at__isnull=True)
    bulk.create(rows, within=standing)
    return rows


def void(*, kind: DecidedAmount.Kind, subject_id: int, at: datetime) -> int:
    """Count an approval no more, of which nothing was posted; return how many rows said something of it."""
    return DecidedAmount.objects.filter(kind=kind, subject_id=subject_id, voided_at__isnull=True).update(voided_at=at)
