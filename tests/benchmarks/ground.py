"""What the benches stand on: a database of their own, books, members, a file, and how time is told."""

import multiprocessing
import os
import random
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
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
STATUS = ("Com_commit", "Innodb_deadlocks", "Questions")


def set_up() -> None:
    """Set Django up on the database that DATABASE_URL names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def run(report: Callable[[Path], None]) -> None:
    """Report in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="kakutei-bench-") as folder:
        os.environ["KAKUTEI_FILES_DIR"] = str(Path(folder) / "files")
        set_up()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        report(Path(folder))


def prepare() -> None:
    """Open books, accounts and members."""
    from ingestion_app.demo import seeding
    from ingestion_app.sources import operations as sources
    from ledger_app.books.operations import books
    from ledger_app.books.operations.books import AccountOpening, MemberOpening
    from ledger_app.people.operations import people

    caller = caller_of(None)
    opened = {
        code: books.open_book(code=code, name=code, unit=unit, exponent=exponent, time_zone="UTC", caller=caller)
        for code, unit, exponent in (("CARD", "USD", 2), ("POINTS", "points", 0))
    }
    for book in opened.values():
        for name, starts_on, ends_on in (
            ("2016", date(2016, 1, 1), date(2016, 12, 31)),
            ("2017-01", date(2017, 1, 1), date(2017, 1, 31)),
        ):
            books.open_period(book=book, name=name, starts_on=starts_on, ends_on=ends_on, caller=caller)
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


def write_file(folder: Path, *, records: int = RECORDS, sequence: int = 1) -> Path:
    """Write a file: the same seed and sequence give the same bytes, another sequence other records."""
    choose = random.Random(SEED + sequence)
    weights = list(accumulate(1 / rank for rank in range(1, HOLDERS + 1)))
    members = list(range(1, HOLDERS + 1))
    choose.shuffle(members)
    start, total = datetime(2017, 1, 1, tzinfo=UTC), 0
    path = folder / f"card-usage-2017-01-31-{sequence}.csv"
    first = 30_000_000_000 + sequence * 100_000_000
    with path.open("w", encoding="ascii", newline="\n") as out:
        out.write(f"H,card-usage,2017-01-31,{sequence}\n")
        for number, member in enumerate(choose.choices(members, cum_weights=weights, k=records)):
            amount = choose.randrange(0, 12000) if number % 130 else 0
            total += amount
            at = start + timedelta(seconds=number * 2_600_000 // records)
            out.write(
                f"D,{member},{choose.randrange(1, STORES + 1)},{first + number},{number % 9973},{amount},{at:%Y-%m-%dT%H:%M:%SZ}\n"
            )
        out.write(f"T,{records},{total}\nE\n")
    return path


def take_in(path: Path) -> tuple[dict[str, float], int, int]:
    """Take a file from bytes to applied; return the seconds of each phase, the batch's number, and the most memory that a process had."""
    from config.doors import callers as doorways
    from ingestion_app.applying.operations import applying
    from ingestion_app.deciding.operations import deciding
    from ingestion_app.receiving.operations import receiving
    from ingestion_app.validating.operations import validating

    phases: dict[str, float] = {}
    directory = Path(os.environ["KAKUTEI_FILES_DIR"])
    with lap(phases, "receive"), path.open("rb") as stream:
        receipt = receiving.receive(
            stream=stream, name=path.name, source_code="card-usage", directory=directory, caller=caller_of(None)
        )
    batch_id = receipt.batch.pk
    with lap(phases, "validate"):
        batch = validating.validate(
            batch_id=batch_id, directory=directory, caller=caller_of(None), now=doorways.now, workers=WORKERS
        )
    assert batch.plan_digest is not None, batch.finding_counts
    with lap(phases, "approve"):
        deciding.approve(batch_id=batch_id, digest_shown=bytes(batch.plan_digest).hex(), caller=caller_of("finance-1"))
    with lap(phases, "apply"):
        applied = applying.apply(batch_id=batch_id, caller=caller_of(None), now=doorways.now, workers=WORKERS)
    assert applied.batch.state == "applied", applied
    return phases, batch_id, peak_rss_mb()


def seconds_of(batch_id: int) -> dict[str, Any]:
    """Return where the time of a batch's steps went, as their attempts tell it: seconds by phase, summed over the workers."""
    from ingestion_app.models import Attempt

    return {attempt.step: attempt.seconds for attempt in Attempt.objects.filter(batch_id=batch_id).order_by("id")}


def counts_of(batch_id: int) -> dict[str, Any]:
    """Return what applying a batch met, and how long its chunks held their rows."""
    from ingestion_app.models import Attempt

    counts: dict[str, Any] = Attempt.objects.filter(batch_id=batch_id, step="apply").latest("id").counts
    return counts


def status() -> dict[str, int]:
    """Return the server's counters; none on SQLite, which has no server."""
    from django.db import connection

    if connection.vendor != "mysql":
        return dict.fromkeys(STATUS, 0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS")
        counters = dict(cursor.fetchall())
    return {name: int(counters.get(name, 0)) for name in STATUS}


def peak_rss_mb() -> int:
    """Return the most memory that this process, or one of its children, has had at once."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024


def apart(work: Callable[..., Any], *given: Any) -> Any:
    """Do something in a process of its own, so that its memory is not counted here; return its result."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=set_up) as pool:
        return pool.submit(work, *given).result()


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the middle and the tail, in milliseconds."""
    ordered = sorted(seconds)
    return {f"p{share}": round(1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 2) for share in (50, 95, 99)}


def caller_of(user_name: str | None) -> Any:
    """Return who acts."""
    from config.doors.commands import base as commands

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
