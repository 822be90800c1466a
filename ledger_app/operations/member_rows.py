"""Writes many members at once: with their identifiers, accounts, balances and the first lines of their histories, a table at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, models

from ledger_app.models import STRIPES_MOST, Account, AccountTemplate, Holder, LotRule
from ledger_app.operations.audit import Caller
from ledger_app.operations.bulk import INTEGER, OPTIONAL_INTEGER, TEXT, insert
from ledger_app.queries import identifiers

HOLDER = {"id": INTEGER, "name": TEXT, "opened_at": TEXT}
IDENTIFIER = {"kind": TEXT, "value": TEXT, "key_name": TEXT, "last_four": TEXT, "holder_id": INTEGER}
ACCOUNT = {
    "id": INTEGER,
    "book_id": INTEGER,
    "code": TEXT,
    "role": TEXT,
    "category": TEXT,
    "holder_id": INTEGER,
    "floor": OPTIONAL_INTEGER,
    "stripes": INTEGER,
    "state": TEXT,
    "keeps_lots": INTEGER,
    "version": INTEGER,
    "opened_at": TEXT,
}
BALANCE = {"id": INTEGER, "account_id": INTEGER, "stripe": INTEGER, "amount": INTEGER, "sequence": INTEGER}
HISTORY = {"history_date": TEXT, "history_type": TEXT, "history_user_id": INTEGER}


class NewMember(NamedTuple):
    """A member who is not there yet, with every identifier as (kind, value), checked."""

    name: str
    identifiers: tuple[tuple[str, str], ...]


class Opened(NamedTuple):
    """An account to be opened for a member who is there, or has just been written."""

    template: AccountTemplate
    holder_id: int
    code: str


def write_members(members: Sequence[NewMember], caller: Caller) -> list[int]:
    """Write members in the transaction that is open; return their numbers. Who meets another writer on a number is tried again as a whole."""
    first = _next(Holder)
    at = _instant(caller)
    rows = [(first + place, member.name, at) for place, member in enumerate(members)]
    insert(Holder._meta.db_table, HOLDER, rows)  # noqa: SLF001 - Django's public API
    past = [(*row, at, "+", caller.user.pk) for row in rows]
    insert("ledger_app_historicalholder", {**HOLDER, **HISTORY}, past)
    kept = [
        (kind, hashed.value, hashed.key_name, hashed.last_four, first + place)
        for place, member in enumerate(members)
        for kind, value in member.identifiers
        for hashed in (identifiers.kept(kind, value),)
    ]
    insert("ledger_app_identifier", IDENTIFIER, kept)
    return [key for key, _name, _at in rows]


def write_accounts(wanted: Sequence[Opened], caller: Caller) -> None:
    """Write accounts with a balance row each, in the transaction that is open: a row that does not exist cannot be locked."""
    if not wanted:
        return
    ruled = set(LotRule.objects.values_list("book_id", "role"))
    first = _next(Account)
    at = _instant(caller)
    rows = [
        (
            first + place,
            each.template.book_id,
            each.code,
            each.template.role,
            each.template.category,
            each.holder_id,
            each.template.floor,
            1,
            Account.State.OPEN.value,
            int((each.template.book_id, each.template.role) in ruled),
            1,
            at,
        )
        for place, each in enumerate(wanted)
    ]
    insert(Account._meta.db_table, ACCOUNT, rows)  # noqa: SLF001 - Django's public API
    insert("ledger_app_historicalaccount", {**ACCOUNT, **HISTORY}, [(*row, at, "+", caller.user.pk) for row in rows])
    insert("ledger_app_balance", BALANCE, [(row[0] * STRIPES_MOST, row[0], 0, 0, 0) for row in rows])


def _next(model: type[models.Model]) -> int:
    # The rows need their numbers before they are written: not every database tells those of a bulk insert.
    last: int | None = model._default_manager.aggregate(last=models.Max("id"))["last"]  # noqa: SLF001 - the public name of a model's manager varies
    return (last or 0) + 1


def _instant(caller: Caller) -> str:
    return str(connection.ops.adapt_datetimefield_value(caller.at))
