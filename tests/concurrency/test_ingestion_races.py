"""Two at once, on every step of a batch: one effect, and anyone who came second is told so."""

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection, connections

from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, File, Receipt
from ingestion_app.receiving.operations import receiving
from ingestion_app.sources import operations as sources
from ledger_app import locks
from ledger_app.base import proofs
from ledger_app.errors import Refused
from ledger_app.models import AuditRow, Entry, Line, Posting
from tests.support import world as worlds
from tests.support.world import NAME, World, card_file, codes, environment, many, work

pytestmark = [pytest.mark.django_db(transaction=True)]

AT_ONCE = 4
LAST_DAY = date(2017, 1, 31)


@pytest.fixture
def world(transactional_db: None, files_dir: Path) -> World:
    return worlds.build(files_dir)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all at the same instant, each on a connection of its own; return what each returned or the refusal it raised."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(place: int, doing: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=30)
            results[place] = doing()
        except Exception as error:  # noqa: BLE001 - told to the test, which knows which are right
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    return results


def refusals(results: Sequence[Any]) -> list[list[str]]:
    """Return the codes of each refusal; anything else that was raised fails the test."""
    raised = [result for result in results if isinstance(result, Exception)]
    for error in raised:
        if not isinstance(error, Refused):
            raise error
    return [codes(error.reasons) for error in raised if isinstance(error, Refused)]


def arrive(world: World, content: bytes, name: str, user: Any = None) -> Callable[[], Receipt]:
    return lambda: receiving.receive(
        stream=io.BytesIO(content), name=name, source_code="till", directory=world.directory, caller=world.caller(user)
    )


def test_the_same_bytes_at_once_are_one_batch(world: World) -> None:
    content = card_file()
    users = [world.engineer, world.other_engineer]
    names = [f"till-2017-01-31-{number + 1}.csv" for number in range(AT_ONCE)]
    results = at_once(*[arrive(world, content, name, users[place % 2]) for place, name in enumerate(names)])

    assert refusals(results) == []
    batch = Batch.objects.get()
    assert sorted(receipt.outcome for receipt in results) == ["accepted", *["duplicate"] * (AT_ONCE - 1)]
    assert {receipt.first_id for receipt in results if receipt.outcome == "duplicate"} == {batch.receipt_id}
    assert File.objects.count() == 1
    assert world.kept(content)


@pytest.fixture
def _nothing_says_the_day(world: World) -> None:
    said = 'header_business_date = "business_date"\nheader_sequence = "sequence"\n'
    assert said in worlds.definition()
    sources.load(text=worlds.definition().replace(said, ""), caller=world.caller())


def arrive_for_another_day(world: World) -> list[str]:
    """Send bytes that are the batch of a day four times at once for the next; return the outcomes."""
    content = card_file([])
    world.receive(content, name="till-2017-01-30-1.csv")
    results = at_once(*[arrive(world, content, f"till-2017-01-31-{number + 1}.csv") for number in range(AT_ONCE)])
    assert refusals(results) == []
    return sorted(receipt.outcome for receipt in results)


@pytest.mark.usefixtures("_nothing_says_the_day")
def test_the_same_bytes_at_once_for_another_day_are_one_batch_of_that_day(world: World) -> None:
    assert arrive_for_another_day(world) == ["accepted", *["duplicate"] * (AT_ONCE - 1)]
    assert Batch.objects.count() == 2


@pytest.mark.mariadb
@pytest.mark.usefixtures("_nothing_says_the_day")
def test_without_the_lock_they_are_several(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = threading.Barrier(AT_ONCE)
    looked = receiving._same

    def look(*asked: Any, **options: Any) -> Batch | None:
        same = looked(*asked, **options)
        if asked[2].business_date == LAST_DAY:
            everyone.wait(timeout=30)
        return same

    monkeypatch.setattr(locks, "own_if_there", lambda rows: rows.first())
    monkeypatch.setattr(receiving, "_same", look)
    assert arrive_for_another_day(world) == ["accepted"] * AT_ONCE


def test_other_bytes_in_one_slot_at_once_are_one_batch_and_conflicts(world: World) -> None:
    contents = [card_file(count=number) for number in range(AT_ONCE)]
    results = at_once(*[arrive(world, content, NAME) for content in contents])

    assert refusals(results) == [["slot_conflict"]] * (AT_ONCE - 1)
    assert Batch.objects.get().holds_slot is True
    assert sorted(Receipt.objects.values_list("outcome", flat=True)) == ["accepted", *["conflict"] * (AT_ONCE - 1)]
    assert all(world.kept(content) for content in contents)


def test_two_validations_at_once_leave_one_plan(world: World) -> None:
    batch = world.receive()
    results = at_once(*[lambda user=user: world.validate(batch, user=user) for user in (world.engineer, world.other_engineer)])

    # Anyone who began before the other had ended is told that the batch has changed; one that began after it made the plan anew.
    told = refusals(results)
    assert told in ([], [["stale"]])
    batch.refresh_from_db()
    assert (batch.state, batch.version) == ("validated", 3 - len(told))
    assert bytes(batch.plan_digest).hex() == batches.rows_digest(batch)
    assert [*Chunk.objects.filter(batch=batch).order_by("number").values_list("number", flat=True)] == [
        *range(batch.chunks.count())
    ]
    assert batch.records.count() == 8
    assert world.apply(world.approve(batch)).batch.state == "applied"


def decide_at_once(world: World, batch: Batch) -> tuple[Batch, list[list[str]]]:
    """Approve and withdraw a batch at once, both having been shown the same version of it."""
    shown = batches.hexadecimal(batch.plan_digest)
    approve = lambda: deciding.approve(  # noqa: E731 - one expression, run by a thread
        batch_id=batch.pk, digest_shown=shown, caller=world.caller(world.finance), version=batch.version
    )
    withdraw = lambda: deciding.withdraw(  # noqa: E731 - as above
        batch_id=batch.pk, reason="Sent by mistake.", caller=world.caller(), version=batch.version
    )
    told = refusals(at_once(approve, withdraw))
    return Batch.objects.get(pk=batch.pk), told


def test_of_an_approval_and_a_withdrawal_at_once_one_wins(world: World) -> None:
    batch, told = decide_at_once(world, world.validated())
    assert len(told) == 1
    assert told[0][0] == "stale"
    assert (batch.state, batch.version) in {("approved", 3), ("withdrawn", 3)}
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, action__in=["approve", "withdraw"])
    assert sorted(rows.values_list("outcome", flat=True)) == ["done", "refused"]


@pytest.mark.mariadb
def test_without_the_lock_both_believe_in_the_same_state_and_the_compare_and_set_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it shows that the race is there, and that what stands behind the lock holds too."""
    both_have_read = threading.Barrier(2)
    read: list[int] = []

    def unlocked(model: Any, pk: int) -> Any:
        locks._take(0)
        row = model.objects.get(pk=pk)
        read.append(row.version)
        both_have_read.wait(timeout=30)
        return row

    validated = world.validated()
    monkeypatch.setattr(locks, "own_row", unlocked)
    batch, told = decide_at_once(world, validated)
    assert read == [2, 2]
    assert told == [["stale"]]
    assert batch.version == 3


def holds(world: World) -> None:
    assert [
        breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([world.card, world.points]))
    ] == []
    assert Posting.objects.count() == Chunk.objects.filter(state="applied").count()
    assert Line.objects.count() == 2 * Entry.objects.count()


def test_two_applies_at_once_in_threads_have_one_effect(world: World) -> None:
    batch = world.approved()
    results = at_once(*[lambda: world.apply(batch)] * 2)

    assert refusals(results) == []
    batch.refresh_from_db()
    assert (batch.state, sum(done.applied for done in results)) == ("applied", batch.chunks.count())
    assert Entry.objects.count() == 13
    holds(world)


def test_of_two_proposals_to_reverse_a_batch_at_once_one_wins(world: World) -> None:
    original = world.applied()
    results = at_once(*[lambda user=user: world.reverse(original, user=user) for user in (world.engineer, world.other_engineer)])

    assert refusals(results) == [["reversal_open"]]
    reversal = Batch.objects.get(reverses=original)
    assert [result for result in results if isinstance(result, Batch)] == [reversal]
    assert reversal.chunks.count() == original.chunks.count()
    assert world.apply(world.approve(reversal)).batch.state == "applied"
    holds(world)


def test_two_applies_of_a_reversal_at_once_have_one_effect(world: World) -> None:
    original = world.applied()
    reversal = world.approve(world.reverse(original))
    results = at_once(*[lambda: world.apply(reversal)] * 2)

    assert refusals(results) == []
    assert sum(done.applied for done in results) == reversal.chunks.count()
    assert Batch.objects.get(pk=original.pk).state == "reversed"
    assert Entry.objects.count() == 26
    holds(world)


@pytest.mark.mariadb
def test_without_the_lock_the_unique_key_lets_one_proposal_win(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both believe that nobody reverses the batch, and the second meets the key of the first."""
    both_have_read = threading.Barrier(2)
    original = world.applied()
    waits = [True, True]

    def unlocked(model: Any, pk: int) -> Any:
        locks._take(0)
        row = model.objects.get(pk=pk)
        if model is Batch and waits:
            waits.pop()
            both_have_read.wait(timeout=30)
        return row

    monkeypatch.setattr(locks, "own_row", unlocked)
    results = at_once(*[lambda user=user: world.reverse(original, user=user) for user in (world.engineer, world.other_engineer)])
    assert [told[0] for told in refusals(results)] in (["reversal_open"], ["stale"])
    assert Batch.objects.filter(reverses=original).count() == 1


def commands_at_once(world: World, *arguments: str, count: int = 2) -> list[tuple[int, dict[str, Any]]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", *arguments, "--json"],
            cwd=project.BASE_DIR,
            env=environment(world.directory),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    ended = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        ended.append((process.returncode, json.loads(out)))
    return ended


@pytest.mark.serial
@pytest.mark.parametrize("workers", [1, 2])
def test_two_apply_commands_at_once_have_one_effect(files_dir: Path, workers: int) -> None:
    world = worlds.build(files_dir, members=40, chunk_records=30)
    batch = world.approved(card_file(many(600, 40)))
    planned = work(batch.pk)["batch"][-1]

    ended = commands_at_once(world, "apply", str(batch.pk), "--workers", str(workers))

    assert [status for status, _ in ended] == [0, 0]
    assert {said["state"] for _, said in ended} == {"applied"}
    assert sum(said["chunks_applied"] for _, said in ended) == batch.chunks.count()
    assert planned["CARD"][0] == 600 == Entry.objects.filter(book=world.card).count()
    holds(world)


@pytest.mark.serial
def test_two_receive_commands_at_once_have_one_effect(world: World, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(card_file())
    ended = commands_at_once(world, "receive", str(path), "--source", "till", count=3)
    assert [status for status, _ in ended] == [0, 0, 0]
    assert sorted(said["outcome"] for _, said in ended) == ["accepted", "duplicate", "duplicate"]
    assert len({said["batch"] for _, said in ended}) == 1


@pytest.mark.serial
def test_two_ingests_at_once_have_one_effect(world: World, tmp_path: Path) -> None:
    """Whichever steps they meet at, run again the batch ends applied, once."""
    path = tmp_path / NAME
    path.write_bytes(card_file())
    arguments = ("ingest", str(path), "--source", "till", "--user", "fumiko")
    for status, said in commands_at_once(world, *arguments):
        assert status in {0, 1}, said
    ((status, said),) = commands_at_once(world, *arguments, count=1)
    assert (status, said["state"]) == (0, "applied")
    assert Entry.objects.count() == 13
    holds(world)


@pytest.mark.mariadb
@pytest.mark.serial
def test_a_worker_that_is_killed_is_replaced_and_its_chunk_taken_over(files_dir: Path) -> None:
    world = worlds.build(files_dir, members=40, chunk_records=15)
    batch = world.approved(card_file(many(2000, 40)))
    command = subprocess.Popen(
        [sys.executable, "manage.py", "apply", str(batch.pk), "--workers", "2", "--json"],
        cwd=project.BASE_DIR,
        env=environment(files_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Chunk.objects.filter(batch=batch, state="applied").exists():
        assert command.poll() is None
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
    for child in children:
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            subprocess.run(["kill", "-9", child], check=False)
            break
    out, err = command.communicate(timeout=120)
    assert command.returncode == 0, err
    assert json.loads(out)["state"] == "applied"
    assert not batch.chunks.exclude(state="applied").exists()
    assert connection.vendor == "mysql"
    holds(world)
