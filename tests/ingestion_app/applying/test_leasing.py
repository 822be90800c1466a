"""Who works on which chunk: taken once, taken over when its worker is gone, and written by nobody but the last who took it."""

import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.translation import override

from ingestion_app.applying.operations import applying, chunks, leasing
from ingestion_app.applying.operations.leasing import Leased
from ingestion_app.batches.operations import attempts
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.sources.queries import definitions
from ingestion_app.status.queries.pauses import pause_of
from ledger_app.errors import Refused
from ledger_app.models import Account, AuditRow, Entry, Posting
from tests.support import world as worlds
from tests.support.world import NOW, World, card_file, clock, codes, environment, many, set_account

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = 6
RECORDS = 24
OTHER_HOST = "elsewhere:7/1"


@pytest.fixture
def world(transactional_db: None, files_dir: Path) -> World:
    return worlds.build(files_dir, members=MEMBERS, chunk_records=4)


@pytest.fixture
def batch(world: World) -> Batch:
    """A batch of six chunks that has begun to be applied."""
    batch = world.approved(card_file(many(RECORDS, MEMBERS)))
    return applying.begin(batch_id=batch.pk, caller=world.caller())


@pytest.fixture
def attempt(world: World, batch: Batch) -> Attempt:
    return attempts.begin(batch=batch, step="apply", caller=world.caller(), host="here", process=os.getpid())


def claim(batch: Batch, attempt: Attempt, worker: str = OTHER_HOST, seconds: int = 0) -> Leased | None:
    return leasing.claim(
        batch_id=batch.pk, attempt_id=attempt.pk, worker=worker, at=NOW + timedelta(seconds=seconds), lease_seconds=60
    )


def taken(batch: Batch, attempt: Attempt, **given: Any) -> Leased:
    leased = claim(batch, attempt, **given)
    assert leased is not None
    return leased


def row(leased: Leased) -> Chunk:
    return Chunk.objects.get(pk=leased.chunk_id)


def test_each_chunk_is_taken_once_and_in_order(batch: Batch, attempt: Attempt) -> None:
    found = [claim(batch, attempt) for _ in range(7)]
    numbers = [row(leased).number for leased in found if leased is not None]
    assert (numbers, found[6]) == ([0, 1, 2, 3, 4, 5], None)
    assert {leased.token for leased in found if leased is not None} == {1}


def test_a_part_of_one_members_records_waits_for_the_part_before(world: World) -> None:
    batch = world.approved(card_file(many(10, 1), sequence=7), name="till-2017-01-31-7.csv")
    applying.begin(batch_id=batch.pk, caller=world.caller())
    attempt = attempts.begin(batch=batch, step="apply", caller=world.caller(), host="here", process=os.getpid())
    first = taken(batch, attempt)
    assert (row(first).number, claim(batch, attempt)) == (0, None)
    chunks.apply_chunk(leased=first, caller=world.caller())
    assert row(taken(batch, attempt)).number == 1


def test_a_lease_that_is_over_is_taken_over_with_a_new_token(batch: Batch, attempt: Attempt) -> None:
    first = taken(batch, attempt)
    assert row(taken(batch, attempt, seconds=59)).number == 1
    again = taken(batch, attempt, worker="third:1/1", seconds=60)
    assert (again.chunk_id, again.token) == (first.chunk_id, 2)
    assert row(again).leased_by == "third:1/1"


def test_whoever_lost_the_lease_applies_nothing(world: World, batch: Batch, attempt: Attempt) -> None:
    stopped = taken(batch, attempt)
    later = taken(batch, attempt, seconds=61)
    result = chunks.apply_chunk(leased=stopped, caller=world.caller())
    assert (result.outcome, Entry.objects.count(), row(later).state) == ("superseded", 0, "pending")
    assert chunks.apply_chunk(leased=later, caller=world.caller()).outcome == "applied"
    assert chunks.apply_chunk(leased=stopped, caller=world.caller()).outcome == "skipped"
    assert row(later).applied_token == 2


def test_whoever_lost_the_lease_stops_nothing(world: World, batch: Batch, attempt: Attempt) -> None:
    set_account("receivable.1001", "suspended")
    stopped = taken(batch, attempt)
    later = taken(batch, attempt, seconds=61)
    assert chunks.apply_chunk(leased=stopped, caller=world.caller()).outcome == "superseded"
    assert (row(later).state, row(later).reasons) == ("pending", [])
    assert chunks.apply_chunk(leased=later, caller=world.caller()).outcome == "stopped"
    assert codes(row(later).reasons) == ["account_not_open"] * 4


def test_the_database_refuses_a_chunk_applied_under_an_older_token(batch: Batch, attempt: Attempt) -> None:
    taken(batch, attempt)
    later = taken(batch, attempt, seconds=61)
    with pytest.raises(IntegrityError, match="chunk_applied_by_last"), transaction.atomic():
        Chunk.objects.filter(pk=later.chunk_id).update(state="applied", applied_at=NOW, applied_token=1)


def test_leases_of_processes_that_are_gone_end_at_once(batch: Batch, attempt: Attempt) -> None:
    here = socket.gethostname()[:50]
    gone = taken(batch, attempt, worker=f"{here}:{2**22 + 1}/1")  # above the largest number that Linux gives a process
    alive = taken(batch, attempt, worker=f"{here}:{os.getpid()}/1")
    far = taken(batch, attempt, worker=OTHER_HOST)
    assert leasing.release_dead(batch.pk) == 1
    assert [row(each).lease_until is None for each in (gone, alive, far)] == [True, False, False]
    again = taken(batch, attempt)
    assert (again.chunk_id, again.token) == (gone.chunk_id, 2)


@pytest.mark.parametrize("worker", ["", "x", "x:y", ":1", f"{socket.gethostname()[:50]}:-1/3", f"{socket.gethostname()[:50]}:/3"])
def test_what_names_no_process_of_this_host_is_not_taken_for_dead(worker: str) -> None:
    assert not leasing.is_dead(worker)


def test_a_paused_batch_gives_no_chunk(world: World, batch: Batch, attempt: Attempt) -> None:
    applying.pause(batch_id=batch.pk, reason="The sender called.", caller=world.caller())
    assert claim(batch, attempt) is None


def test_a_paused_batch_is_resumed_only_where_that_is_asked(world: World, batch: Batch) -> None:
    applying.pause(batch_id=batch.pk, reason="The sender called.", caller=world.caller())
    with pytest.raises(Refused) as refused:
        world.apply(batch)
    assert codes(refused.value.reasons) == ["paused"]
    with pytest.raises(Refused) as twice:
        applying.pause(batch_id=batch.pk, reason="Again.", caller=world.caller())
    assert codes(twice.value.reasons) == ["paused_already"]
    done = applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock)
    assert (done.applied, done.batch.is_paused, Attempt.objects.latest("id").outcome) == (0, True, "paused")
    applying.begin(batch_id=batch.pk, caller=world.caller(), name="resume")
    assert world.apply(batch).batch.state == "applied"


def test_a_pause_lets_the_chunk_under_way_end(world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = chunks.apply_chunk

    def pause_after(**given: Any) -> Any:
        if not Batch.objects.get(pk=batch.pk).is_paused:
            applying.pause(batch_id=batch.pk, reason="Lunch.", caller=world.caller())
        return whole(**given)

    monkeypatch.setattr(chunks, "apply_chunk", pause_after)
    done = applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock)
    assert (done.applied, done.batch.state, done.batch.is_paused) == (1, "applying", True)
    assert Chunk.objects.filter(batch=batch, lease_until__isnull=False).count() == 0


def test_a_circuit_breaker_pauses_when_as_many_chunks_have_stopped_as_the_source_allows(world: World, batch: Batch) -> None:
    Account.objects.filter(role="receivable").update(state="suspended")
    definition = definitions.definition_of(batch.source_version)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(definitions, "definition_of", lambda _version: replace(definition, failing_chunks=2))
        done = applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock)
    assert (len(done.stopped), done.batch.is_paused, done.batch.state) == (2, True, "applying")
    assert Chunk.objects.filter(batch=batch, state="pending").count() == 4
    tripped = AuditRow.objects.get(subject_type="batch", subject_id=batch.pk, action="trip")
    # The number is kept, and told in the language of the person who asks.
    assert (tripped.reason, tripped.facts["stopped"]) == ("", 2)
    told = {}
    for language in ("en", "ja"):
        with override(language):
            pause = pause_of(Batch.objects.get(pk=batch.pk))
            assert pause is not None
            told[language] = pause.reason
    assert told == {"en": "2 chunks have stopped in this attempt.", "ja": told["ja"]}
    assert told["ja"] != told["en"]
    # Mended and resumed, it goes to its end.
    Account.objects.filter(role="receivable").update(state="open")
    applying.begin(batch_id=batch.pk, caller=world.caller(), name="resume")
    assert world.apply(batch).batch.state == "applied"


def test_an_attempt_whose_process_is_gone_is_told_to_have_failed(world: World, batch: Batch) -> None:
    lost = attempts.begin(batch=batch, step="apply", caller=world.caller(), host=socket.gethostname(), process=2**22 + 1)
    world.apply(batch)
    lost.refresh_from_db()
    assert (lost.outcome, codes(lost.reasons)) == ("failed", ["process_gone"])


def test_an_attempt_says_where_its_time_went_and_what_it_met(world: World, batch: Batch) -> None:
    world.apply(batch)
    attempt = batch.attempts.get(step="apply")
    assert {"read", "plan", "lock", "decide", "write", "count", "commit", "recount", "total"} == set(attempt.seconds)
    assert attempt.counts["commits"] >= 12
    assert {"chunk_ms_p95", "chunk_ms_most"} <= set(attempt.counts)
    assert (attempt.done_records, attempt.phase) == (RECORDS, "recount")


@pytest.mark.mariadb
def test_a_chunk_that_somebody_has_locked_is_passed_over(batch: Batch, attempt: Attempt) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            cursor.execute("SELECT id FROM ingestion_app_chunk WHERE batch_id = %s AND number = 0 FOR UPDATE", [batch.pk])
            assert row(taken(batch, attempt)).number == 1
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert row(taken(batch, attempt)).number == 0


@pytest.mark.mariadb
@pytest.mark.serial
@pytest.mark.slow
def test_workers_in_processes_of_their_own_share_the_chunks(world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", environment(world.directory)["DATABASE_URL"])
    posted, told = batches.posted, set[int]()

    def noted(batch: Batch, counted: Mapping[int, batches.Change]) -> Any:
        told.update(counted)
        return posted(batch, counted)

    monkeypatch.setattr(batches, "posted", noted)
    done = applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock, workers=2)
    assert (done.applied, done.batch.state) == (6, "applied")
    assert told == set(Posting.objects.values_list("id", flat=True))
    attempt = batch.attempts.get(step="apply")
    assert (attempt.outcome, attempt.counts.get("deadlocks", 0)) == ("done", 0)
