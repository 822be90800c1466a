"""Times one file of a million records, from bytes to applied, against the floor: loading the same finished rows in bulk.

Run by ``make bench``. The database that DATABASE_URL names must be a MariaDB or MySQL server of its own: its rows are replaced.
RECORDS, HOLDERS, STORES and WORKERS change the task. The last line is one JSON object.
"""

import json
import os
import random
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from typing import Any

import django

SEED = 20170131
RECORDS = int(os.environ.get("RECORDS", "1000000"))
HOLDERS = int(os.environ.get("HOLDERS", "100000"))
STORES = int(os.environ.get("STORES", "400"))
WORKERS = int(os.environ.get("WORKERS", "2"))
STRIPES = 16
TABLES = ("ledger_app_entry", "ledger_app_line", "ingestion_app_record")
STATUS = ("Com_commit", "Innodb_deadlocks", "Questions")


def main() -> None:
    """Prepare, run, load the floor, and report."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with tempfile.TemporaryDirectory(prefix="kakutei-bench-") as folder:
        os.environ["KAKUTEI_FILES_DIR"] = str(Path(folder) / "files")
        django.setup()
        report(Path(folder))


def report(folder: Path) -> None:
    """Run everything and print the figures."""
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "mysql":
        sys.exit("The bench needs MariaDB or MySQL: its floor is LOAD DATA. Unset DATABASE_URL to have a private server started.")
    call_command("migrate", verbosity=0)
    say(f"{RECORDS:,} records, {HOLDERS:,} holders (Zipf), {STORES} stores, {WORKERS} workers")
    prepare()
    path = write_file(folder)
    before = status()
    phases = run(path)
    after = status()
    seconds = sum(phases.values())
    floor = load_floor()
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
    floor_seconds = sum(floor.values())
    print(
        json.dumps(
            {
                "records": RECORDS,
                "holders": HOLDERS,
                "workers": WORKERS,
                "floor_seconds": round(floor_seconds, 2),
                "seconds": round(seconds, 2),
                "ratio": round(seconds / floor_seconds, 3),
                "phases": {name: round(took, 2) for name, took in phases.items()},
                "peak_rss_mb": peak,
                "commits": after["Com_commit"] - before["Com_commit"],
                "statements": after["Questions"] - before["Questions"],
                "deadlocks": after["Innodb_deadlocks"] - before["Innodb_deadlocks"],
            }
        )
    )


def prepare() -> None:
    """Open books, accounts and members."""
    from ingestion_app.demo import seeding
    from ingestion_app.operations import sources
    from ledger_app.operations import books, people
    from ledger_app.operations.books import AccountOpening, MemberOpening

    caller = caller_of(None)
    opened = {
        code: books.open_book(code=code, name=code, unit=unit, exponent=exponent, time_zone="UTC", caller=caller)
        for code, unit, exponent in (("CARD", "USD", 2), ("POINTS", "points", 0))
    }
    for book in opened.values():
        books.open_period(book=book, name="2017-01", starts_on=date(2017, 1, 1), ends_on=date(2017, 1, 31), caller=caller)
    books.open_accounts(
        book=opened["CARD"],
        openings=[
            AccountOpening(f"settlement.{store}", "settlement", "liability", stripes=STRIPES) for store in range(1, STORES + 1)
        ],
        caller=caller,
    )
    books.open_accounts(
        book=opened["POINTS"],
        openings=[AccountOpening("programme.expense", "programme", "expense", stripes=STRIPES)],
        caller=caller,
    )
    members = [
        MemberOpening(
            str(number),
            (
                ("CARD", AccountOpening(f"receivable.{number}", "receivable", "asset")),
                ("POINTS", AccountOpening(f"points.{number}", "points", "liability", floor=0)),
            ),
        )
        for number in range(1, HOLDERS + 1)
    ]
    books.open_members(openings=members, caller=caller)
    people.register(username="finance-1", password=seeding.PASSWORD, group="finance", caller=caller)
    text = (Path(seeding.__file__).parent / "card-usage.toml").read_text(encoding="utf-8")
    sources.load(text=text, caller=caller)


def write_file(folder: Path) -> Path:
    """Write the file: the same seed gives the same bytes."""
    choose = random.Random(SEED)
    weights = list(accumulate(1 / rank for rank in range(1, HOLDERS + 1)))
    members = list(range(1, HOLDERS + 1))
    choose.shuffle(members)
    start, total = datetime(2017, 1, 1, tzinfo=UTC), 0
    path = folder / "card-usage-2017-01-31-1.csv"
    with path.open("w", encoding="ascii", newline="\n") as out:
        out.write("H,card-usage,2017-01-31,1\n")
        for number, member in enumerate(choose.choices(members, cum_weights=weights, k=RECORDS)):
            amount = choose.randrange(0, 12000) if number % 130 else 0
            total += amount
            at = start + timedelta(seconds=number * 2_600_000 // RECORDS)
            out.write(
                f"D,{member},{choose.randrange(1, STORES + 1)},{30_000_000_000 + number},{number % 9973},{amount},{at:%Y-%m-%dT%H:%M:%SZ}\n"
            )
        out.write(f"T,{RECORDS},{total}\nE\n")
    return path


def run(path: Path) -> dict[str, float]:
    """Take the file from bytes to applied; return the seconds of each phase."""
    from config import doorways
    from ingestion_app.operations import applying, deciding, receiving, validating

    phases: dict[str, float] = {}
    directory = Path(os.environ["KAKUTEI_FILES_DIR"])
    with lap(phases, "receive"), path.open("rb") as stream:
        receipt = receiving.receive(
            stream=stream, name=path.name, source_code="card-usage", directory=directory, caller=caller_of(None)
        )
    batch_id = receipt.batch.pk
    with lap(phases, "validate"):
        batch = validating.validate(batch_id=batch_id, directory=directory, caller=caller_of(None), now=doorways.now)
    assert batch.plan_digest is not None, batch.finding_counts
    with lap(phases, "approve"):
        deciding.approve(batch_id=batch_id, digest_shown=bytes(batch.plan_digest).hex(), caller=caller_of("finance-1"))
    with lap(phases, "apply"):
        applied = applying.apply(batch_id=batch_id, caller=caller_of(None), now=doorways.now, workers=WORKERS)
    assert applied.batch.state == "applied", applied
    return phases


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


def status() -> dict[str, int]:
    """Return the server's counters."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS")
        counters = dict(cursor.fetchall())
    return {name: int(counters.get(name, 0)) for name in STATUS}


def caller_of(user_name: str | None) -> Any:
    """Return who acts."""
    from config import commands

    return commands.caller(user_name)


@contextmanager
def lap(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Write down how long a part took."""
    started = perf_counter()
    yield
    seconds[name] = perf_counter() - started
    say(f"{name}: {seconds[name]:.2f} s")


def say(text: str) -> None:
    """Tell on standard error, so that standard output ends in the JSON."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
