"""Times the search of members among millions: by a whole identifier, by the beginning of a number, by a card's last four.

Run by ``make bench BENCH=search``; HOLDERS and IDENTIFIERS say how many there are. The last line is one JSON object: milliseconds.
"""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.benchmarks import ground
from tests.benchmarks.ground import percentiles, say

HOLDERS = int(os.environ.get("HOLDERS", "10000000"))
IDENTIFIERS = int(os.environ.get("IDENTIFIERS", str(5 * HOLDERS)))
SEARCHES = int(os.environ.get("SEARCHES", "1000"))
A_CALL = 250_000
SEED = 20170131

MEMBERS = """
    INSERT INTO ledger_app_holder (id, name, opened_at)
    SELECT 1 + seq, CONCAT('Member ', seq), '2017-01-01' FROM seq_{first}_to_{last}
"""
NUMBERS = """
    INSERT INTO ledger_app_identifier (kind, value, key_name, last_four, holder_id)
    SELECT 'member_number', LPAD(1 + seq, 10, '0'), '', '', 1 + seq FROM seq_{first}_to_{last}
"""
# What stands for a hash is as long as one, and as evenly spread over its range, but comes in order: filled in at random, 40,000,000 would take hours.
CARDS = """
    INSERT INTO ledger_app_identifier (kind, value, key_name, last_four, holder_id)
    SELECT 'card_number', CONCAT(LPAD(HEX(seq * (0xFFFFFFFF DIV {count})), 8, '0'), RIGHT(SHA2(seq, 256), 56)), 'development',
           LPAD(CRC32(seq) % 10000, 4, '0'), 1 + seq % {holders}
      FROM seq_{first}_to_{last}
"""


def fill(statement: str, count: int) -> None:
    """Write ``count`` rows by ``statement``, a part at a time."""
    from django.db import connection

    with connection.cursor() as cursor:
        # What is filled in comes from one formula and is not what is timed: neither looked up once more nor logged.
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0")
        for first in range(0, count, A_CALL):
            last = min(count, first + A_CALL) - 1
            cursor.execute(statement.format(first=first, last=last, holders=HOLDERS, count=count))
        cursor.execute("SET SESSION foreign_key_checks = 1, unique_checks = 1, sql_log_bin = 1")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` took."""
    started = perf_counter()
    work()
    return perf_counter() - started


def report(_folder: Path) -> None:
    """Fill, search, and print the figures."""
    from ledger_app.members.operations import members as operations
    from ledger_app.members.queries import members
    from ledger_app.members.queries.members import By
    from ledger_app.models import Identifier

    fill(MEMBERS, HOLDERS)
    fill(NUMBERS, HOLDERS)
    fill(CARDS, IDENTIFIERS - HOLDERS)
    say(f"{HOLDERS:,} members with {IDENTIFIERS:,} identifiers are there")
    card = "4111111111111111"
    operations.renew(kind=Identifier.CARD_NUMBER, value=card, caller=ground.caller_of(None))
    choose = random.Random(SEED)

    def number() -> str:
        return f"{choose.randrange(1, HOLDERS + 1):010}"

    def found(text: str, by: By | None = None) -> Callable[[], object]:
        return lambda: members.shown(match.holder_id for match in members.search(text, by=by).matches)

    kinds: dict[str, Callable[[], Callable[[], object]]] = {
        "exact": lambda: found(number()),
        "card": lambda: found(card),
        "prefix": lambda: found(number()[: choose.randrange(3, 10)], By.PREFIX),
        "last_four": lambda: found(f"*{choose.randrange(10_000):04}"),
    }
    figures = {name: percentiles([timed(make()) for _ in range(SEARCHES)]) for name, make in kinds.items()}
    print(json.dumps({"holders": HOLDERS, "identifiers": IDENTIFIERS, **figures}))


if __name__ == "__main__":
    ground.run(report)
