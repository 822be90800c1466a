"""Which account takes the other side of a reason code."""

from collections.abc import Collection
from typing import NamedTuple

from ledger_app.models import ContraAccount


class Contra(NamedTuple):
    """The account that takes the other side."""

    account_id: int
    code: str


def contra_accounts(book_ids: Collection[int]) -> dict[tuple[int, str], Contra]:
    """Return the contra account by (book id, reason code), as they are now, of the reason codes in use."""
    rows = ContraAccount.objects.filter(book__in=book_ids, reason_code__is_active=True)
    columns = ("book_id", "reason_code__code", "account_id", "account__code")
    return {(book, reason): Contra(key, code) for book, reason, key, code in rows.values_list(*columns)}
