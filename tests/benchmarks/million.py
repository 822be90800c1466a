"""Times one file of a million records, from bytes to applied, against the floor: loading the same finished rows in bulk.

Run by ``make bench``. On MariaDB the database that DATABASE_URL names must be a server of its own: its rows are replaced. On SQLite there is
no floor, whose measure is ``LOAD DATA``. ``LEDGER`` fills the ledger with so many entries first. The last line is one JSON object.
"""

import json
import os
from pathlib import Path
from typing import Any

from tests.benchmarks import filling, ground
from tests.benchmarks.ground import HOLDERS, RECORDS, STORES, WORKERS, lap, say

LEDGER = int(os.environ.get("LEDGER", "0"))
TABLES = ("ledger_app_entry", "ledger_app_line", "ingestion_app_record")


def report(folder: Path) -> None:
    """Run everything and print the figures."""
    from django.db import connection

    say(f"{RECORDS:,} records, {HOLDERS:,} holders (Zipf), {STORES} stores, {WORKERS} workers")
    ground.apart(ground.prepare)
    if LEDGER:
        with lap({}, f"{LEDGER:,} entries before"):
            filling.fill(LEDGER)
    path = ground.apart(ground.write_file, folder)
    before = ground.status()
    phases, batch_id, peak = ground.apart(ground.take_in, path)
    after = ground.status()
    seconds = sum(phases.values())
    floor = load_floor() if connection.vendor == "mysql" and not LEDGER else {}
    found: dict[str, Any] = {
        "records": RECORDS,
        "holders": HOLDERS,
        "workers": WORKERS,
        "entries_before": LEDGER,
        "database": connection.vendor,
        "floor_seconds": round(sum(floor.values()), 2) or None,
        "seconds": round(seconds, 2),
        "ratio": round(seconds / sum(floor.values()), 3) if floor else None,
        "phases": {name: round(took, 2) for name, took in phases.items()},
        "where": ground.seconds_of(batch_id),
        "met": ground.counts_of(batch_id),
        "peak_rss_mb": peak,
        "commits": after["Com_commit"] - before["Com_commit"],
        "statements": after["Questions"] - before["Questions"],
        "deadlocks": after["Innodb_deadlocks"] - before["Innodb_deadlocks"],
    }
    for step, parts in found["where"].items():
        say(f"where the time of {step} went: " + ", ".join(f"{name} {taken:.1f} s" for name, taken in parts.items()))
    print(json.dumps(found))


def load_floor() -> dict[str, float]:
    """Load the finished rows again, by one LOAD DATA a table, into the same tables emptied: same indexes, keys, checks and triggers."""
    from django.db import connection

    taken: dict[str, float] = {}
    with connection.cursor() as cursor:
        # The server writes and reads these files itself; rows never pass through here.
        cursor.execute("SELECT @@datadir")
        home = Path(cursor.fetchone()[0])
        for table in TABLES:
            cursor.execute(f"SELECT * INTO OUTFILE '{home / table}.rows' CHARACTER SET binary FROM {table} ORDER BY id")
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in reversed(TABLES):
            cursor.execute(f"TRUNCATE TABLE {table}")
        cursor.execute("SET SESSION foreign_key_checks = 1")
        for table in TABLES:
            with lap(taken, table):
                cursor.execute(f"LOAD DATA INFILE '{home / table}.rows' INTO TABLE {table} CHARACTER SET binary")
            (home / f"{table}.rows").unlink()
    return taken


if __name__ == "__main__":
    ground.run(report)
