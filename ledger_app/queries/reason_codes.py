"""Which account takes the other side of a reason code: now, or as it was at a time."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from ledger_app import errors
from ledger_app.models import Account, AdjustmentLimit, ContraAccount, ReasonCode
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


def differing(code: str, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the columns in which the reason code differs from what is said, with what it has; None where there is none."""
    row = ReasonCode.objects.filter(code=code).first()
    if row is None:
        return None
    contra = dict(row.contra_accounts.values_list("book__code", "account__code"))
    there = {"name": row.name, "may_waive_floor": row.may_waive_floor, "is_active": row.is_active, "contra_accounts": contra}
    return {name: there[name] for name in there if there[name] != said[name]}


def differing_limit(group: str, book: str, said: Mapping[str, int]) -> dict[str, int] | None:
    """Return the columns in which a limit differs from what is said, with what it has; None where there is none."""
    row = AdjustmentLimit.objects.filter(group__name=group, book__code=book).values(*said).first()
    return None if row is None else {name: row[name] for name in said if row[name] != said[name]}


def conflict(name: str, differs: Mapping[str, Any]) -> errors.Refused:
    """Return the refusal of a setting that is there with other content, which only a person who has the right changes."""
    told = ", ".join(f"{column} ({value})" for column, value in differs.items())
    return errors.Refused([errors.DefinitionConflict(what="Setting", name=name, differs=told)])
