"""What accounts have on days: the sums of their lines by date, read along the index over account."""

import json
from collections.abc import Mapping
from datetime import date

from django.db import connection

from ledger_app.queries.postings import JOIN_IN_ORDER, REFERENCES_A_CALL

# From the few accounts to their lines, and from each of those to its entry: what an account has on a day stands in no row.
AFTER = """
    SELECT line.account_id, entry.effective_on, SUM(line.amount)
      FROM {given}
      {then} ledger_app_line AS line ON line.account_id = given.id
      {then} ledger_app_entry AS entry ON entry.id = line.entry_id AND entry.effective_on > given.after_on
     GROUP BY line.account_id, entry.effective_on
"""
GIVEN = {
    "mysql": "JSON_TABLE(%s, '$[*]' COLUMNS (id BIGINT PATH '$[0]', after_on DATE PATH '$[1]')) AS given",
    "sqlite": "(SELECT value ->> 0 AS id, value ->> 1 AS after_on FROM json_each(%s)) AS given",
}


def after(wanted: Mapping[int, date]) -> dict[int, dict[date, int]]:
    """Return, by account, the signed sums of its lines by date, of all dates after the one that ``wanted`` states for it."""
    found: dict[int, dict[date, int]] = {}
    vendor = connection.vendor
    sql = AFTER.format(given=GIVEN[vendor], then=JOIN_IN_ORDER[vendor])
    rows = [[account_id, on.isoformat()] for account_id, on in sorted(wanted.items())]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), REFERENCES_A_CALL):
            cursor.execute(sql, [json.dumps(rows[start : start + REFERENCES_A_CALL])])
            for account_id, on, amount in cursor.fetchall():
                found.setdefault(account_id, {})[day(on)] = int(amount)
    return found


def day(value: date | str) -> date:
    """Return a day: SQLite gives it as text where no column of a model names it."""
    return date.fromisoformat(value) if isinstance(value, str) else value
