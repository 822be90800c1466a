"""Writes many members at once: with their identifiers, accounts, balances and the first lines of their histories, a table at a time."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from ledger_app.base.operations import bulk
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.bulk import INTEGER, OPTIONAL_INTEGER, TEXT
from ledger_app.books.queries import identifiers
from ledger_app.members.rules.member_files import Row
from ledger_app.models import Account, AccountTemplate, Holder, LotRule
from ledger_app.values.balances import balance_id

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


def code_of(template: AccountTemplate, row: Row) -> str:
    """Return the code of the account that a member is opened: the role and the member number."""
    return f"{template.role}.{row.member_number}"


def write_members(members: Sequence[NewMember], caller: Caller) -> list[int]:
    """Write members in the transaction that is open; return their numbers, which the database gives."""
    holders = bulk.numbered([Holder(name=member.name, opened_at=caller.at) for member in members])
    at = _instant(caller)
    past = [(holder.pk, holder.name, at, at, "+", caller.user.pk) for holder in holders]
    bulk.insert_all("histories of members", "ledger_app_historicalholder", {**HOLDER, **HISTORY}, past)
    kept = [
        (kind, hashed.value, hashed.key_name, hashed.last_four, holder.pk)
        for holder, member in zip(holders, members, strict=True)
        for kind, value in member.identifiers
        for hashed in (identifiers.kept(kind, value),)
    ]
    bulk.insert_all("identifiers", "ledger_app_identifier", IDENTIFIER, kept)
    return [holder.pk for holder in holders]


def write_accounts(wanted: Sequence[Opened], caller: Caller) -> None:
    """Write accounts with a balance row each, in the transaction that is open: a row that does not exist cannot be locked."""
    if not wanted:
        return
    ruled = set(LotRule.objects.values_list("book_id", "role"))
    accounts = bulk.numbered(
        [
            Account(
                book_id=each.template.book_id,
                code=each.code,
                role=each.template.role,
                category=each.template.category,
                holder_id=each.holder_id,
                floor=each.template.floor,
                keeps_lots=(each.template.book_id, each.template.role) in ruled,
                opened_at=caller.at,
            )
            for each in wanted
        ]
    )
    at = _instant(caller)
    past = [(*_said(account), at, at, "+", caller.user.pk) for account in accounts]
    bulk.insert_all("histories of accounts", "ledger_app_historicalaccount", {**ACCOUNT, **HISTORY}, past)
    balances = [(balance_id(account.pk, 0), account.pk, 0, 0, 0) for account in accounts]
    bulk.insert_all("balances", "ledger_app_balance", BALANCE, balances)


def _said(account: Account) -> tuple[Any, ...]:
    """Return what a row of an account says, but for when it was opened, in the order of ``ACCOUNT``."""
    return (
        account.pk,
        account.book_id,
        account.code,
        account.role,
        account.category,
        account.holder_id,
        account.floor,
        account.stripes,
        Account.State(account.state).value,
        int(account.keeps_lots),
        account.version,
    )


def _instant(caller: Caller) -> str:
    return str(connection.ops.adapt_datetimefield_value(caller.at))
