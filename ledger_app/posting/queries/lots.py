"""Reads the lots that ``post`` decides on and that pages show. Each statement goes by an index from the ids it is given to their lots."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from ledger_app import sql
from ledger_app.models import Hold, HoldLot, LotRule, OpenLot
from ledger_app.posting.queries.postings import roles_of
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.lots import Done, LockedLot, LockedLots, Rule
from ledger_app.values.locked import LockedAccount
from ledger_app.values.sides import sign

OPEN = """
    SELECT lot.account_id, lot.id, lot.kind, lot.granted_on, remainder.due_on, remainder.remaining, remainder.held
      FROM {given}
      {then} ledger_app_openlot AS remainder ON remainder.{column} = given.id
      {then} ledger_app_lot AS lot ON lot.id = remainder.lot_id
"""
USED = """
    SELECT line.entry_id, line.id, line.account_id, line.amount, used.lot_id, used.amount
      FROM {given}
      {then} ledger_app_line AS line ON line.entry_id = given.id
      LEFT JOIN ledger_app_lotuse AS used ON used.line_id = line.id
     ORDER BY line.id, used.id
"""
MADE = """
    SELECT line.id, lot.id, lot.amount
      FROM {given}
      {then} ledger_app_line AS line ON line.entry_id = given.id
      {then} ledger_app_lot AS lot ON lot.line_id = line.id
     ORDER BY lot.id
"""
CLOSED = """
    SELECT lot.account_id, lot.id, lot.kind, lot.granted_on, lot.expires_on
      FROM {given}
      {then} ledger_app_lot AS lot ON lot.id = given.id
"""


def rules(accounts: Mapping[int, LockedAccount]) -> dict[tuple[int, str], LotRule]:
    """Return the rules of the books of ``accounts`` by book and role."""
    found = LotRule.objects.filter(book_id__in={account.book_id for account in accounts.values()})
    return {(rule.book_id, rule.role): rule for rule in found}


def rule_of(row: LotRule) -> Rule:
    """Return a rule as decisions take it."""
    return Rule(row.expiry, row.validity, row.fixed_on, row.order, row.kind)


def done_by(entry_ids: Collection[int], signs: Mapping[int, int]) -> dict[int, list[Done]]:
    """Return what entries did to lots, line by line; of those lines that are on accounts of ``signs``."""
    given = sorted(entry_ids)
    made: dict[int, list[tuple[int, int]]] = {}
    for line_id, lot_id, amount in _rows(MADE, given):
        made.setdefault(line_id, []).append((lot_id, amount))
    lines: dict[int, tuple[int, int, int, list[tuple[int, int]]]] = {}
    for entry_id, line_id, account_id, amount, lot_id, used in _rows(USED, given):
        uses = lines.setdefault(line_id, (entry_id, account_id, amount, []))[3]
        if lot_id is not None:
            uses.append((lot_id, used))
    found: dict[int, list[Done]] = {}
    for line_id, (entry_id, account_id, amount, uses) in lines.items():
        if account_id in signs:
            done = Done(account_id, amount * signs[account_id], tuple(uses), tuple(made.get(line_id, ())))
            found.setdefault(entry_id, []).append(done)
    return found


def of_accounts(
    accounts: Mapping[int, LockedAccount], drafts: Sequence[Draft]
) -> tuple[dict[int, LockedLots], dict[int, list[Done]]]:
    """Return the lots of those of ``accounts`` that keep lots, under the locks of their balances, and what is to be reversed did to them.

    Where an account's drafts name the lots that they take, only those are read.
    """
    keeping = {account_id: account for account_id, account in accounts.items() if account.keeps_lots}
    if not keeping:
        return {}, {}
    signs = {account_id: sign(account.category) for account_id, account in keeping.items()}
    done = done_by({draft.reverses.id for draft in drafts if draft.reverses}, signs)
    lots: dict[int, dict[int, LockedLot]] = {account_id: {} for account_id in keeping}
    named, whole = _named(drafts, keeping)
    for column, ids in (("lot_id", named), ("account_id", whole)):
        for account_id, *row in _rows(OPEN, ids, column=column):
            if account_id in lots:
                lots[account_id][row[0]] = LockedLot(*row)
    touched = {lot_id for lines in done.values() for line in lines for lot_id, _amount in (*line.uses, *line.made)}
    missing = touched - {lot_id for of_account in lots.values() for lot_id in of_account}
    for account_id, lot_id, kind, granted_on, expires_on in _rows(CLOSED, sorted(missing)):
        if account_id in lots:
            lots[account_id][lot_id] = LockedLot(lot_id, kind, granted_on, expires_on, 0, 0, is_open=False)
    rule_by_account = _rules_by_account(keeping)
    found = {
        account_id: LockedLots(
            account.code,
            account.book_id,
            signs[account_id],
            account.floor,
            rule_by_account[account_id],
            tuple(lots[account_id].values()),
        )
        for account_id, account in keeping.items()
    }
    return found, done


def over_at(at: datetime) -> QuerySet[HoldLot]:
    """Return what holds keep of lots whose time is over at ``at``, and that nobody has ended yet: all of it can be spent, and expires."""
    return HoldLot.objects.filter(hold__state=Hold.State.OPEN, hold__expires_at__lte=at)


def held_at(remainders: Iterable[OpenLot], at: datetime) -> dict[int, int]:
    """Return what of lots is held at ``at``, by lot, as the standing of their account has it."""
    held = {row.lot_id: row.held for row in remainders}
    for part in sql.parts(sorted(lot_id for lot_id, amount in held.items() if amount)):
        for lot_id, amount in over_at(at).filter(lot__in=part).values_list("lot", "amount"):
            held[lot_id] -= amount
    return held


def without_over(kept: Mapping[int, LockedLots], at: datetime) -> dict[int, LockedLots]:
    """Return lots as they are once the holds are ended whose time is over at ``at``: a posting ends those first."""
    holding = [account_id for account_id, of_account in kept.items() if any(lot.held for lot in of_account.lots)]
    over: dict[int, int] = {}
    for part in sql.parts(holding):
        for lot_id, amount in over_at(at).filter(hold__account__in=part).values_list("lot", "amount"):
            over[lot_id] = over.get(lot_id, 0) + amount
    if not over:
        return dict(kept)
    return {
        account_id: of_account._replace(
            lots=tuple(lot._replace(held=lot.held - over[lot.id]) if lot.id in over else lot for lot in of_account.lots)
        )
        for account_id, of_account in kept.items()
    }


def _rules_by_account(keeping: Mapping[int, LockedAccount]) -> dict[int, Rule]:
    """Return the rule of each account; where its book has but one, nobody need be asked for the account's role."""
    of_book: dict[int, dict[str, Rule]] = {}
    for (book_id, role), row in rules(keeping).items():
        of_book.setdefault(book_id, {})[role] = rule_of(row)
    several = [account_id for account_id, account in keeping.items() if len(of_book[account.book_id]) > 1]
    roles = roles_of(several) if several else {}
    return {
        account_id: of_book[account.book_id][roles[account_id]]
        if account_id in roles
        else next(iter(of_book[account.book_id].values()))
        for account_id, account in keeping.items()
    }


def _named(drafts: Sequence[Draft], keeping: Collection[int]) -> tuple[list[int], list[int]]:
    """Return the lots that drafts name, and the accounts of which all lots are wanted."""
    named: set[int] = set()
    whole: set[int] = set()
    for draft in drafts:
        if draft.lots is not None and draft.lots.takings and not draft.moves_lots:
            named.update(taking.lot_id for taking in draft.lots.takings)
        else:
            whole.update(account_id for account_id, _amount in draft.lines if account_id in keeping)
    return sorted(named), sorted(whole)


def _rows(statement: str, ids: Sequence[int], column: str = "") -> list[tuple[Any, ...]]:
    filled = statement.format(given=sql.given_keys(), then=sql.then(), column=column)
    rows: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for document in sql.documents(ids):
            cursor.execute(filled, [document])
            rows += (
                [tuple(_value(value) for value in row) for row in cursor.fetchall()]
                if connection.vendor == "sqlite"
                else cursor.fetchall()
            )
    return rows


def _value(value: Any) -> Any:
    """Return a value as the database keeps it: SQLite gives dates as text, since no column of a model names them here."""
    if isinstance(value, str) and len(value) == len("2017-01-31") and value[4] == value[7] == "-":
        return date.fromisoformat(value)
    return value
