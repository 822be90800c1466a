"""SIGKILL at any moment: what was run is run again, and ends in the same rows as if nothing had happened.

On MariaDB the drill kills at every step (test_drill.py); here is what it leaves: SQLite, and a kill while a file comes in.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection, transaction

from ingestion_app.models import Batch, File, Receipt
from ledger_app.base import proofs
from tests.support import world as worlds
from tests.support.world import NAME, World, card_file, environment, ledger, many, work

pytestmark = [pytest.mark.serial, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="the drill kills there")

RECORDS, MEMBERS, CHUNK_RECORDS = 3000, 120, 250
KILLS = 10


@contextmanager
def undone() -> Iterator[None]:
    """Undo all that is done inside, operations with their own transactions included: this is the run that nothing disturbs."""
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined] # as Django marks the transaction around each of its own tests
    with outer:
        yield
        transaction.set_rollback(True)


def start(world: World, step: int, when: str, *command: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.die_at", str(step), when, *map(str, command)],
        cwd=project.BASE_DIR,
        env=environment(world.directory),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_in_time(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Kill ``process`` some time after it has begun."""
    assert process.stderr is not None
    assert process.stderr.readline() == b"begun\n"
    time.sleep(seconds)
    process.kill()


def end(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the end; return whether it was killed. Any end but that and success is a failure."""
    status = process.wait(timeout=120)
    assert process.stderr is not None
    if status not in {0, -signal.SIGKILL}:
        pytest.fail(f"status {status}: {process.stderr.read().decode()}")
    process.stderr.close()
    return status == -signal.SIGKILL


def steps_of(world: World, batch: Batch) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Apply undisturbed and undo it; return the number of steps, the ledger and the batch as they were at the end."""
    steps = 0

    def count(execute: Any, *given: Any) -> Any:
        nonlocal steps
        steps += 1
        return execute(*given)

    with undone(), connection.execute_wrapper(count):
        assert world.apply(batch).batch.state == "applied"
        return steps, ledger(), work(batch.pk)


@on_sqlite
def test_an_apply_that_is_killed_ends_in_the_same_rows(files_dir: Path) -> None:
    seed = int(os.environ.get("KAKUTEI_TEST_SEED", time.time_ns() % 10**9))
    print(f"seed {seed} (KAKUTEI_TEST_SEED repeats it)")
    chance = random.Random(seed)
    world = worlds.build(files_dir, members=MEMBERS, chunk_records=CHUNK_RECORDS)
    kills = sequence = 0
    while kills < KILLS:
        sequence += 1
        records = [purchase._replace(slip=f"f{sequence}-{purchase.slip}") for purchase in many(RECORDS, MEMBERS)]
        batch = world.approved(card_file(records, sequence=sequence), name=f"till-2017-01-31-{sequence}.csv")
        steps, *undisturbed = steps_of(world, batch)
        killed_here = 0
        while True:
            way = chance.choice(["before", "after", "before", "after", "time"])
            if KILLS in {killed_here, kills}:
                way = "never"
            # About a fifth of the way at most, so that one file sees many kills.
            step = chance.randint(1, steps // 5) if way in {"before", "after"} else 0
            process = start(world, step, way if step else "before", "apply", batch.pk)
            if way == "time":
                kill_in_time(process, chance.uniform(0, 0.5))
            if not end(process):
                break
            kills += 1
            killed_here += 1
        assert [ledger(), work(batch.pk)] == undisturbed, f"seed {seed}, file {sequence}, after {killed_here} kills"
    assert [
        breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([world.card, world.points]))
    ] == []
    print(f"{kills} kills in {sequence} files")


@on_sqlite
def test_a_validation_that_is_killed_leaves_the_batch_as_it_was_and_ends_in_the_same_plan(files_dir: Path) -> None:
    world = worlds.build(files_dir, members=MEMBERS, chunk_records=CHUNK_RECORDS)
    batch = world.receive(card_file(many(RECORDS, MEMBERS)))
    with undone():
        world.validate(batch)
        undisturbed = work(batch.pk)
    before = work(batch.pk)
    chance = random.Random(2017)
    for when in ("before", "after") * 3:
        process = start(world, chance.randint(1, 40), when, "validate", batch.pk)
        if not end(process):
            break
        assert work(batch.pk) == before
    assert work(world.validate(batch).pk) == undisturbed


def test_a_receive_that_is_killed_leaves_no_half_file_under_a_final_name(files_dir: Path, tmp_path: Path) -> None:
    world = worlds.build(files_dir)
    content = card_file(many(60_000, 6))
    sent = tmp_path / NAME
    with sent.open("wb") as stream:
        # So large that it is still being copied when the process is killed, and no larger on the disk than its name.
        stream.truncate(8 << 30)
    process = start(world, 0, "before", "receive", sent, "--source", "till")
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in files_dir.rglob("incoming-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    end(process)
    names = [path.name for path in files_dir.rglob("*") if path.is_file()]
    assert len(names) == 1
    assert all(name.startswith("incoming-") for name in names)
    assert (File.objects.count(), Receipt.objects.count(), Batch.objects.count()) == (0, 0, 0)

    sent.write_bytes(content)
    assert end(start(world, 0, "before", "receive", sent, "--source", "till")) is False
    assert world.kept(content)


@on_sqlite
def test_a_receive_that_is_killed_at_any_statement_is_received_once_in_the_end(files_dir: Path, tmp_path: Path) -> None:
    world = worlds.build(files_dir)
    path = tmp_path / NAME
    path.write_bytes(card_file())
    chance = random.Random(31)
    for when in ("before", "after") * 3:
        end(start(world, chance.randint(3, 14), when, "receive", path, "--source", "till"))
    assert end(start(world, 0, "before", "receive", path, "--source", "till")) is False
    batch = Batch.objects.select_related("receipt").get()
    assert batch.receipt is not None
    assert (batch.state, File.objects.count(), batch.receipt.outcome) == ("received", 1, "accepted")
    assert set(Receipt.objects.exclude(pk=batch.receipt.pk).values_list("outcome", "first")) <= {("duplicate", batch.receipt.pk)}
    assert world.kept(card_file())
