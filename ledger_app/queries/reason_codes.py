"""Which account takes the other side of a reason code: now, or as it was at a time."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from ledger_app.models import Account, ContraAccount, ReasonCode
from ledger_app.queries import postings


def contra_accounts(book_ids: Collection[int], at: datetime | None = None) -> dict[tuple[int, str], str]:
    """Return the code of the contra account by (book id, reason code), of the reason codes in use; ``at`` a time, or now."""
    if at is None:
        rows = ContraAccount.objects.filter(book__in=book_ids, reason_code__is_active=True)
        return {(book, reason): code for book, reason, code in rows.values_list("book_id", "reason_code__code", "account__code")}
    active = {row.pk: row.code for row in ReasonCode.history.as_of(at) if row.is_active}
    there = [row for row in ContraAccount.history.as_of(at) if row.book_id in book_ids and row.reason_code_id in active]
    codes: dict[int, str] = {}
    for part in postings.parts(sorted({row.account_id for row in there})):
        codes.update(Account.objects.filter(id__in=part).values_list("id", "code"))
    return {(row.book_id, active[row.reason_code_id]): codes[row.account_id] for row in there}


def have_changed_since(book_ids: Collection[int], at: datetime) -> bool:
    """Whether a reason code has got another account in one of these books, or was put out of use or back, since ``at``."""
    since = Q(history_date__gt=at)
    contra = ContraAccount.history.filter(since, book_id__in=book_ids)
    codes = ReasonCode.history.filter(since)
    return bool(contra.exists() or codes.exists())
