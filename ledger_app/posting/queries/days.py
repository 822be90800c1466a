"""What accounts have on days: the sums of their lines by date, read along the index over account."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection

from ledger_app import sql
from ledger_app.base.queries import totals
from ledger_app.models import Account, Balance
from ledger_app.posting.rules.floors import Days
from ledger_app.values import sides

# From the few accounts to their lines, and from each of those to its entry: what an account has on a day stands in no row.
AFTER = """
    SELECT line.account_id, entry.effective_on, EXACT_SUM(line.amount)
      FROM {given}
      {then} ledger_app_line AS line ON line.account_id = given.id
      {then} ledger_app_entry AS entry ON entry.id = line.entry_id AND entry.effective_on > given.after_on
     GROUP BY line.account_id, entry.effective_on
"""


def after(wanted: Mapping[int, date]) -> dict[int, dict[date, int]]:
    """Return, by account, the signed sums of its lines by date, of all dates after the one that ``wanted`` states for it."""
    found: dict[int, dict[date, int]] = {}
    given = sql.given_rows({"id": sql.INTEGER, "after_on": sql.DAY})
    statement = totals.sql(AFTER.format(given=given, then=sql.then()))
    rows = [[account_id, on.isoformat()] for account_id, on in sorted(wanted.items())]
    with connection.cursor() as cursor:
        for document in sql.documents(rows):
            cursor.execute(statement, [document])
            for account_id, on, amount in cursor.fetchall():
                found.setdefault(account_id, {})[day(on)] = int(amount)
    return found


class Ahead(NamedTuple):
    """What an account that has lines of later days has on a day, and the lowest of the days from it on, the first of several: in the natural direction."""

    balance: int
    lowest: int
    lowest_on: date


def ahead(account: Account, today: date) -> Ahead | None:
    """Return what an account has today, where it has lines of later days; None where it has none, and its balance is that of today."""
    balances = Balance.objects.filter(account=account).values_list("amount", "last_on")
    if not any(last_on is not None and last_on > today for _amount, last_on in balances):
        return None
    added = after({account.pk: today}).get(account.pk, {})
    total, sign = sum(amount for amount, _last_on in balances), sides.sign(account.category)
    lowest, on = Days(added).lowest(today, after=total, sign=sign)
    return Ahead((total - sum(added.values())) * sign, lowest, on)


def day(value: date | str) -> date:
    """Return a day: SQLite gives it as text where no column of a model names it."""
    return date.fromisoformat(value) if isinstance(value, str) else value
