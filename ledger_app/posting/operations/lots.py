"""Writes what a plan does to lots, under the locks of the accounts' balances; and ends the holds whose time is over."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from ledger_app import errors, locks, sql
from ledger_app.base.operations import bulk, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import totals
from ledger_app.models import Hold, HoldLot
from ledger_app.models.entries import PLACES
from ledger_app.posting.queries import lots as lot_rows
from ledger_app.posting.rules.drafts import Draft, Plan
from ledger_app.posting.rules.holds import HOLD
from ledger_app.posting.rules.lots import Done, LockedLots
from ledger_app.values.balances import balance_id
from ledger_app.values.locked import LockedAccount
from ledger_app.values.sides import natural

LOT_COLUMNS = {
    "id": bulk.INTEGER,
    "account_id": bulk.INTEGER,
    "line_id": bulk.INTEGER,
    "kind": bulk.TEXT,
    "granted_on": bulk.DATE,
    "expires_on": bulk.DATE,
    "amount": bulk.INTEGER,
}
USE_COLUMNS = dict.fromkeys(("id", "lot_id", "line_id", "amount"), bulk.INTEGER)
OPEN_COLUMNS = {
    "lot_id": bulk.INTEGER,
    "account_id": bulk.INTEGER,
    "book_id": bulk.INTEGER,
    "due_on": bulk.DATE,
    "remaining": bulk.INTEGER,
    "held": bulk.INTEGER,
}


def hold(
    accounts: Mapping[int, LockedAccount], drafts: Sequence[Draft], *, caller: Caller
) -> tuple[dict[int, LockedLots], dict[int, list[Done]]]:
    """Return the lots that a decision rests on, holds that are over having been ended. The balances of ``accounts`` are locked."""
    locked, done = lot_rows.of_accounts(accounts, drafts)
    holding = [account_id for account_id, of_account in locked.items() if any(lot.held for lot in of_account.lots)]
    if holding and end_over(holding, at=caller.at, caller=caller):
        locked, done = lot_rows.of_accounts(accounts, drafts)
    return locked, done


def end_over(account_ids: Collection[int], *, at: datetime, caller: Caller) -> int:
    """End the holds of accounts whose time is over, under the locks of their balances; return how many."""
    count = 0
    for part in sql.parts(sorted(account_ids)):
        over = Hold.objects.filter(account_id__in=part, state=Hold.State.OPEN, expires_at__lte=at).order_by("id")
        # One that is being settled or released is passed over: the one who does that holds its row, and waits for the balance that we hold.
        for row in locks.free_rows(over):
            unhold(row.pk)
            transitions.compare_and_set(
                row,
                transition=HOLD.transition("end"),
                subject_type=HOLD.subject,
                caller=caller,
                reason="",
                columns={},
                facts={},
            )
            count += 1
    return count


OPEN_LOTS, REMAINDER = "ledger_app_openlot", "remainder"


def unhold(hold_id: int) -> None:
    """Let go what a hold has reserved, all of it."""
    statement = bulk.setting(
        given="ledger_app_holdlot AS part",
        table=OPEN_LOTS,
        row=REMAINDER,
        on="remainder.lot_id = part.lot_id AND part.hold_id = %s",
        values={"held": "remainder.held - part.amount"},
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [hold_id])
        count = cursor.rowcount
    planned = HoldLot.objects.filter(hold=hold_id).count()
    if count != planned:
        raise errors.WrittenDiffers(what=f"lots of hold {hold_id}", planned=planned, found=count)


def let_go(parts: Mapping[int, int]) -> None:
    """Let go what is held of lots, by lot, under the lock of their account's balance."""
    statement = bulk.setting(
        given=sql.given_rows({"lot_id": sql.INTEGER, "amount": sql.INTEGER}, "planned"),
        table=OPEN_LOTS,
        row=REMAINDER,
        on="remainder.lot_id = planned.lot_id",
        values={"held": "remainder.held - planned.amount"},
    )
    _change("remainders let go", statement, sorted(parts.items()))


def write(
    plan: Plan, posting_id: int, accounts: Mapping[int, LockedAccount]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Write the lots, uses and remainders of a plan whose lines are written, and assert that each account's lots sum to its balance.

    Return the rows of lots and of uses, which the posting's digest covers.
    """
    if not plan.lots and not plan.uses:
        return [], []
    first = posting_id * PLACES

    def key(ref: int) -> int:
        return ref if ref >= 0 else first - 1 - ref

    new = [
        (place, account_id, first + line, kind, granted_on, expires_on, amount)
        for place, (line, account_id, kind, granted_on, expires_on, amount) in enumerate(plan.lots, first)
    ]
    bulk.insert_all("lots", "ledger_app_lot", LOT_COLUMNS, new)
    uses = [(place, key(ref), first + line, amount) for place, (ref, line, amount) in enumerate(plan.uses, first)]
    bulk.insert_all("uses of lots", "ledger_app_lotuse", USE_COLUMNS, uses)
    opened, kept, gone = [], [], []
    for ref, (account_id, book_id, due_on, remaining, held, before) in sorted(plan.remainders.items()):
        if before is None:
            opened.append((key(ref), account_id, book_id, due_on, remaining, held))
        elif remaining:
            kept.append([ref, *before, remaining, held])
        else:
            gone.append([ref, *before, 0, 0])
    _set("remainders set", kept)
    _drop("remainders gone", gone)
    bulk.insert_all("remainders opened", "ledger_app_openlot", OPEN_COLUMNS, opened)
    touched = {account_id for _line, account_id, *_ in plan.lots} | {each.account_id for each in plan.remainders.values()}
    # An account that keeps lots has one balance, which is compared with the plan where the lines are.
    _assert_sums({key: natural(accounts[key].category, plan.balances[balance_id(key, 0)].amount) for key in touched})
    return new, uses


def reserve(takings: Sequence[tuple[int, int, int, int]]) -> None:
    """Hold more of lots: (lot, remaining, held before, amount) as they were read under the lock of their account's balance."""
    _set("remainders held", [[lot, left, held, left, held + more] for lot, left, held, more in takings])


# Each names what was there before: anyone who writes without the lock of the balance finds nothing to write.
PLANNED = dict.fromkeys(("lot_id", "remaining_before", "held_before", "remaining", "held"), sql.INTEGER)
AS_BEFORE = "remainder.lot_id = planned.lot_id AND remainder.remaining = remaining_before AND remainder.held = held_before"


def _set(what: str, rows: Sequence[Sequence[int]]) -> None:
    values = {"remaining": "planned.remaining", "held": "planned.held"}
    given = sql.given_rows(PLANNED, "planned")
    _change(what, bulk.setting(given=given, table=OPEN_LOTS, row=REMAINDER, on=AS_BEFORE, values=values), rows)


def _drop(what: str, rows: Sequence[Sequence[int]]) -> None:
    given = sql.given_rows(PLANNED, "planned")
    _change(what, bulk.removing(given=given, table=OPEN_LOTS, row=REMAINDER, on=AS_BEFORE, key="lot_id"), rows)


def _change(what: str, statement: str, rows: Sequence[Sequence[int]]) -> None:
    """Carry out a statement over ``rows``, which are of as many rows that are there."""
    count = 0
    with connection.cursor() as cursor:
        for document in bulk.documents(rows) if rows else ():
            cursor.execute(statement, [document])
            count += cursor.rowcount
    if count != len(rows):
        raise errors.WrittenDiffers(what=what, planned=len(rows), found=count)


# What lots are left of accounts, by the index; an account that has none left has no row.
SUMS = """
    SELECT remainder.account_id, EXACT_SUM(remainder.remaining)
      FROM {given}
      {then} ledger_app_openlot AS remainder ON remainder.account_id = given.id
     GROUP BY remainder.account_id
"""


def _assert_sums(balances: Mapping[int, int]) -> None:
    """Read back that what is open of each account's lots sums to its balance, in its natural direction; by account."""
    statement = totals.sql(SUMS.format(given=sql.given_keys(), then=sql.then()))
    found = dict.fromkeys(balances, 0)
    with connection.cursor() as cursor:
        ids = sorted(balances)
        for document in sql.documents(ids):
            cursor.execute(statement, [document])
            found.update((account_id, int(remaining)) for account_id, remaining in cursor.fetchall())
    for account_id, amount in balances.items():
        if found[account_id] != amount:
            raise errors.WrittenDiffers(what=f"lots of account {account_id}", planned=amount, found=found[account_id])
