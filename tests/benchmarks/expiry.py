"""Times the expiry of what is due among many lots, against the floor: loading the same finished rows in bulk. MariaDB only.

Run by ``make bench BENCH=expiry``; ``LOTS`` lots of ``HOLDERS`` members, of which ``DUE`` are due on one day, each of another member. The database
must be a server of its own: its rows are replaced. The last line is one JSON object.
"""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from time import sleep
from typing import Any

from tests.benchmarks import ground
from tests.benchmarks.ground import STRIPES, WORKERS, lap, say

LOTS = int(os.environ.get("LOTS", "30000000"))
HOLDERS = int(os.environ.get("HOLDERS", str(max(1, LOTS // 3))))
DUE = int(os.environ.get("DUE", str(max(1, LOTS // 30))))
A_CALL = 250_000  # members in one posting
EACH = LOTS // HOLDERS
SETTLING_SECONDS_MOST = 300
# What is dirty, the most pages a second, the usual pages a second.
SETTLE = "SET GLOBAL innodb_max_dirty_pages_pct = {}, GLOBAL innodb_io_capacity_max = {}, GLOBAL innodb_io_capacity = {}"
OWED_LITTLE = 1000  # pages not written, and transactions not purged
THROUGH = date(2017, 1, 31)
WRITTEN = ("ledger_app_entry", "ledger_app_line", "ledger_app_lotuse")

HOLDER = "INSERT INTO ledger_app_holder (id, name, opened_at) SELECT seq + 1, '', '2016-01-01' FROM seq_0_to_{last}"
ACCOUNT = """
    INSERT INTO ledger_app_account (id, book_id, code, role, category, holder_id, floor, stripes, state, version, keeps_lots, opened_at)
    SELECT %(member)s + seq, %(book)s, CONCAT('points.', seq + 1), 'points', 'liability', seq + 1, 0, 1, 'open', 1, 1, '2016-01-01'
      FROM seq_{first}_to_{last}
"""
BALANCE = """
    INSERT INTO ledger_app_balance (id, account_id, stripe, amount, sequence)
    SELECT (%(member)s + seq) * 64, %(member)s + seq, 0, -100 * %(each)s, 1 FROM seq_{first}_to_{last}
"""
ENTRY = """
    INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)
    SELECT %(key)s + seq - {first}, %(posting)s, %(book)s, '2016-06-01', CONCAT('grant:', seq), '', UNHEX(SHA2(seq, 256))
      FROM seq_{first}_to_{last}
"""
# The member's lines first, then those of the programme, over its stripes.
LINE = """
    INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after, effective_on)
    SELECT %(key)s + seq - {first}, %(key)s + seq - {first}, %(member)s + seq, 0, 1, -100 * %(each)s, -100 * %(each)s, '2016-06-01'
      FROM seq_{first}_to_{last}
"""
OTHER = """
    INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after, effective_on)
    SELECT %(key)s + seq - {first} + %(call)s, %(key)s + seq - {first}, %(programme)s, seq %% %(stripes)s, seq DIV %(stripes)s + 1,
           100 * %(each)s, 100 * %(each)s * (seq DIV %(stripes)s + 1), '2016-06-01'
      FROM seq_{first}_to_{last}
"""
LOT = """
    INSERT INTO ledger_app_lot (id, account_id, line_id, kind, granted_on, expires_on, amount)
    SELECT %(key)s + (seq - {first}) * %(each)s + place.seq_of, %(member)s + seq, %(key)s + seq - {first}, 'free', '2016-06-01',
           IF(place.seq_of = 0 AND seq < %(due)s, %(through)s, DATE_ADD('2018-01-31', INTERVAL seq %% 365 DAY)), 100
      FROM seq_{first}_to_{last} CROSS JOIN (SELECT seq AS seq_of FROM seq_0_to_{places}) AS place
"""
OPEN_LOT = """
    INSERT INTO ledger_app_openlot (lot_id, account_id, book_id, due_on, remaining, held)
    SELECT id, account_id, %(book)s, expires_on, amount, 0 FROM ledger_app_lot WHERE id >= %(key)s AND id < %(key)s + (1 << 20)
"""


def report(_folder: Path) -> None:
    """Run everything and print the figures."""
    say(f"{LOTS:,} lots of {HOLDERS:,} members, {DUE:,} due, {WORKERS} workers")
    with lap({}, "filling"):
        ground.apart(fill)
    settle()
    before = ground.status()
    laps, phases, done, peak = ground.apart(expire)
    after = ground.status()
    settle()
    floor = load_floor()
    seconds = laps["expire"]
    found: dict[str, Any] = {
        "lots": LOTS,
        "due": DUE,
        "holders": HOLDERS,
        "workers": WORKERS,
        "entries": done,
        "floor_seconds": round(sum(floor.values()), 2),
        "seconds": round(seconds, 2),
        "ratio": round(seconds / sum(floor.values()), 3),
        "phases": phases,
        "again_seconds": round(laps["again"], 2),
        "peak_rss_mb": peak,
        "commits": after["Com_commit"] - before["Com_commit"],
        "statements": after["Questions"] - before["Questions"],
        "deadlocks": after["Innodb_deadlocks"] - before["Innodb_deadlocks"],
    }
    print(json.dumps(found))


def fill() -> None:
    """Open the book and write its members, their lots and what is left of them."""
    from django.db import connection

    from ledger_app.books.operations import books
    from ledger_app.models import Account, Posting
    from ledger_app.models.entries import PLACES
    from ledger_app.points.operations import lot_rules
    from tests.support.origins import of_request

    caller = ground.caller_of(None)
    book = books.open_book(code="POINTS", name="POINTS", unit="points", exponent=0, time_zone="UTC", caller=caller)
    for name, starts_on, ends_on in (("2016", date(2016, 1, 1), date(2016, 12, 31)), ("2017-01", date(2017, 1, 1), THROUGH)):
        books.open_period(book=book, name=name, starts_on=starts_on, ends_on=ends_on, caller=caller)
    openings = [
        books.AccountOpening("programme.expense", "programme", "expense", stripes=STRIPES),
        books.AccountOpening("breakage.income", "breakage", "income", stripes=STRIPES),
    ]
    books.open_accounts(book=book, openings=openings, caller=caller)
    rule = lot_rules.RuleGiven(expiry="months", validity=24, breakage="breakage.income")
    lot_rules.set_rule(book=book, role="points", given=rule, caller=caller)
    given: dict[str, Any] = {
        "book": book.pk,
        "member": Account.objects.latest("id").pk + 1,
        "programme": Account.objects.get(code="programme.expense").pk,
        "each": EACH,
        "due": DUE,
        "through": THROUGH,
        "stripes": STRIPES,
    }
    with connection.cursor() as cursor:
        # What is filled in comes from one formula and is not what is timed: neither looked up once more nor logged.
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0")
        cursor.execute(HOLDER.format(last=HOLDERS - 1))
        for first in range(0, HOLDERS, A_CALL):
            count = min(A_CALL, HOLDERS - first)
            origin = of_request(caller)
            posting = Posting.objects.create(
                origin_kind=origin.kind,
                origin_id=origin.id,
                posted_by=caller.user,
                posted_at=caller.at,
                entry_count=count,
                line_count=2 * count,
            )
            given |= {"posting": posting.pk, "key": posting.pk * PLACES, "call": count}
            span = {"first": first, "last": first + count - 1, "places": EACH - 1}
            for sql in (ACCOUNT, BALANCE, ENTRY, LINE, OTHER, LOT, OPEN_LOT):
                cursor.execute(sql.format(**span), given)
        cursor.execute(
            "UPDATE ledger_app_balance AS balance JOIN (SELECT stripe, COUNT(*) AS lines_of, SUM(amount) AS total FROM ledger_app_line"
            " WHERE account_id = %(programme)s GROUP BY stripe) AS there ON there.stripe = balance.stripe"
            " SET balance.amount = there.total, balance.sequence = there.lines_of WHERE balance.account_id = %(programme)s",
            given,
        )
        cursor.execute("ANALYZE TABLE ledger_app_openlot, ledger_app_lot, ledger_app_line, ledger_app_entry")


def settle() -> None:
    """Let the server write down and tidy up what it owes, so that neither expiry nor the floor pays for what came before it."""
    from django.db import connection

    def owed() -> int:
        cursor.execute("SHOW GLOBAL STATUS")
        counters = dict(cursor.fetchall())
        return int(counters["Innodb_buffer_pool_pages_dirty"]) + int(counters["Innodb_history_list_length"])

    with connection.cursor() as cursor, lap({}, "settling"):
        cursor.execute("SELECT @@innodb_max_dirty_pages_pct, @@innodb_io_capacity_max, @@innodb_io_capacity")
        usual = cursor.fetchone()
        # As fast as the disk takes it, where two hundred pages a second are usual.
        cursor.execute(SETTLE.format(0, 40_000, 20_000))
        for _second in range(SETTLING_SECONDS_MOST):
            if owed() < OWED_LITTLE:
                break
            sleep(1)
        cursor.execute(SETTLE.format(*usual))


def expire() -> tuple[dict[str, float], dict[str, float], int, int]:
    """Expire what is due, and again, when nothing is.

    Return the seconds of both, where those of the first went, summed over the workers, the entries, and the most memory that a process had.
    """
    from ledger_app.base.operations import measuring
    from ledger_app.base.operations.audit import Caller
    from ledger_app.models import Book
    from ledger_app.points.operations import expiry

    caller = ground.caller_of(None)
    caller = Caller(user=caller.user, at=datetime(2017, 2, 3, tzinfo=UTC), door="command")
    book = Book.objects.get(code="POINTS")
    laps: dict[str, float] = {}
    with lap(laps, "expire"), measuring.measured() as measured:
        done = expiry.expire(book=book, through=THROUGH, caller=caller, workers=WORKERS)
    assert (done.entry_count, done.amount, done.refused) == (DUE, 100 * DUE, []), done
    with lap(laps, "again"):
        assert expiry.expire(book=book, through=THROUGH, caller=caller, workers=WORKERS).entry_count == 0
    phases = {name: round(taken, 2) for name, taken in measured.seconds.items()}
    return laps, phases, done.entry_count, ground.peak_rss_mb()


def load_floor() -> dict[str, float]:
    """Load the rows that expiry wrote again, by one LOAD DATA a table, into the same tables emptied."""
    from django.db import connection

    from ledger_app.models import Posting
    from ledger_app.models.entries import PLACES

    first = Posting.objects.filter(origin_kind=Posting.Origin.EXPIRY).earliest("id").pk * PLACES
    taken: dict[str, float] = {}
    with connection.cursor() as cursor:
        # The server writes and reads these files itself; rows never pass through here.
        cursor.execute("SELECT @@datadir")
        home = Path(cursor.fetchone()[0])
        for table in WRITTEN:
            cursor.execute(
                f"SELECT * INTO OUTFILE '{home / table}.rows' CHARACTER SET binary FROM {table} WHERE id >= {first} ORDER BY id"
            )
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in reversed(WRITTEN):
            cursor.execute(f"TRUNCATE TABLE {table}")
        cursor.execute("SET SESSION foreign_key_checks = 1")
        for table in WRITTEN:
            with lap(taken, table):
                cursor.execute(f"LOAD DATA INFILE '{home / table}.rows' INTO TABLE {table} CHARACTER SET binary")
            (home / f"{table}.rows").unlink()
    return taken


if __name__ == "__main__":
    ground.run(report)
