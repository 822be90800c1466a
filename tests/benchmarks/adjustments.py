"""Times entries by hand through ``post``: alone, eight at once, and while a file is applied; against the same rows by hand-written SQL.

Run by ``make bench BENCH=adjustments``. The last line is one JSON object: milliseconds, and the ratio to the bare transaction.
"""

import itertools
import json
import multiprocessing
import os
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from tests.benchmarks import ground
from tests.benchmarks.ground import HOLDERS, percentiles, say

COUNT = int(os.environ.get("ADJUSTMENTS", "1000"))
AT_ONCE = 8
PAUSE_SECONDS = 0.05  # between two adjustments of one person while a file is applied


def report(folder: Path) -> None:
    """Run everything and print the figures."""
    from django.db import connections

    ground.prepare()
    # In turn, so that both meet the same machine.
    bare: list[float] = []
    posted: list[float] = []
    for part in range(10):
        bare += by_hand(COUNT // 10, 1 + part)
        posted += adjust(COUNT // 10, worker=part)
    found: dict[str, Any] = {"bare": percentiles(bare), "post": percentiles(posted)}
    found["ratio"] = round(found["post"]["p50"] / found["bare"]["p50"], 2)
    say(f"one at a time: {found}")
    connections.close_all()
    with multiprocessing.get_context("spawn").Pool(AT_ONCE, initializer=ground.set_up) as pool:
        at_once = pool.starmap(adjust, [(COUNT // AT_ONCE, 20 + number) for number in range(AT_ONCE)])
        found["eight_at_once"] = percentiles(list(itertools.chain(*at_once)))
        say(f"eight at once: {found['eight_at_once']}")
        path = ground.write_file(folder)
        loop = pool.apply_async(adjust_while, (str(folder / "done"), 40))
        phases, batch_id, _peak = ground.take_in(path)
        (folder / "done").touch()
        found["during_a_load"] = percentiles(loop.get())
    say(f"while {ground.RECORDS:,} records came in: {found['during_a_load']}")
    found["load"] = {name: round(taken, 2) for name, taken in phases.items()}
    found["chunks"] = ground.counts_of(batch_id)
    print(json.dumps(found))


def adjust(count: int, worker: int, pause: float = 0.0) -> list[float]:
    """Post ``count`` entries of two lines, each in a durable transaction of its own; return the seconds of each."""
    from datetime import date

    from ledger_app.base.operations import transactions
    from ledger_app.models import Account
    from ledger_app.posting.operations import entries
    from ledger_app.posting.rules.drafts import Draft
    from tests.support.origins import of_request

    caller = ground.caller_of(None)
    taken: list[float] = []
    other = Account.objects.get(code="settlement.1")
    for number in range(count):
        # Members of this worker's own: two people seldom adjust one member at the same time.
        member = Account.objects.get(code=f"receivable.{(worker * 997 + number * 31) % HOLDERS + 1}")
        name = 1_000_000 * (worker + 1) + number
        draft = Draft(member.book_id, date(2017, 1, 15), f"adjustment:{name}", "By hand", ((member.pk, 100), (other.pk, -100)))
        origin = of_request(caller)

        def work(draft: Draft = draft, origin: entries.Origin = origin) -> entries.Posted:
            return entries.post(drafts=[draft], origin=origin, caller=caller, lane=worker)

        started = perf_counter()
        transactions.run(work)
        taken.append(perf_counter() - started)
        sleep(pause)
    return taken


def adjust_while(flag: str, worker: int) -> list[float]:
    """Post one entry after the other, as a person does, until ``flag`` is there; return the seconds of each."""
    taken: list[float] = []
    for part in itertools.count():
        if Path(flag).exists():
            return taken
        taken += adjust(10, worker + part, PAUSE_SECONDS)
    return taken


def by_hand(count: int, part: int) -> list[float]:
    """Insert the same rows in a bare transaction; return the seconds of each."""
    from django.db import connection, transaction

    from ledger_app.models import Account
    from ledger_app.models.entries import PLACES
    from tests.support.origins import of_request

    caller = ground.caller_of(None)
    other = Account.objects.get(code="settlement.2")
    taken: list[float] = []
    for number in range(count):
        member = Account.objects.get(code=f"receivable.{(part * 1009 + number) % HOLDERS + 1}")
        name = part * 100_000 + number
        origin = of_request(caller)
        started = perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_app_posting (origin_kind, origin_id, posted_by_id, posted_at, reason, entry_count, line_count)"
                " VALUES (%s, %s, %s, %s, '', 1, 2)",
                [origin.kind, origin.id, caller.user.pk, caller.at],
            )
            first = cursor.lastrowid * PLACES
            cursor.execute(
                "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)"
                " VALUES (%s, %s, %s, '2017-01-15', %s, 'By hand', %s)",
                [first, cursor.lastrowid, member.book_id, f"bare:{name}", b"0" * 32],
            )
            for place, (account_id, amount) in enumerate(((member.pk, 100), (other.pk, -100))):
                cursor.execute(
                    "UPDATE ledger_app_balance SET amount = amount + %s, sequence = sequence + 1 WHERE id = %s",
                    [amount, account_id * 64],
                )
                cursor.execute(
                    "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after, effective_on)"
                    " SELECT %s, %s, account_id, stripe, sequence, %s, amount, '2017-01-15' FROM ledger_app_balance WHERE id = %s",
                    [first + place, first, amount, account_id * 64],
                )
        taken.append(perf_counter() - started)
    return taken


if __name__ == "__main__":
    ground.run(report)
