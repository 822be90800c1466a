"""Which account takes the other side of a reason code."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ledger_app.models import AdjustmentLimit, ContraAccount, ReasonCode


class Contra(NamedTuple):
    """The account that takes the other side."""

    account_id: int
    code: str


def contra_accounts(book_ids: Collection[int]) -> dict[tuple[int, str], Contra]:
    """Return the contra account by (book id, reason code), as they are now, of the reason codes in use."""
    rows = ContraAccount.objects.filter(book__in=book_ids, reason_code__is_active=True)
    columns = ("book_id", "reason_code__code", "account_id", "account__code")
    return {(book, reason): Contra(key, code) for book, reason, key, code in rows.values_list(*columns)}


def differing(code: str, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the columns in which the reason code differs from what is said, with what it has; None where there is none."""
    row = ReasonCode.objects.filter(code=code).first()
    if row is None:
        return None
    contra = dict(row.contra_accounts.values_list("book__code", "account__code"))
    there = {"name": row.name, "may_waive_floor": row.may_waive_floor, "is_active": row.is_active, "contra_accounts": contra}
    return {name: there[name] for name in there if there[name] != said[name]}


def differing_limit(group: str, book: str, said: Mapping[str, int], reason_code: str = "") -> dict[str, int] | None:
    """Return the columns in which a limit differs from what is said, with what it has; None where there is none."""
    row = AdjustmentLimit.objects.filter(group__name=group, book__code=book, reason_code=reason_code).values(*said).first()
    return None if row is None else {name: row[name] for name in said if row[name] != said[name]}
