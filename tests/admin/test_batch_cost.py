"""What a batch costs to look at does not grow with its records, its chunks or its days, and no line of the ledger is read for it."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from ingestion_app.batches.queries.sums import sums_of
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk
from ingestion_app.states import BATCH
from ingestion_app.status.queries.status import status_of
from tests.admin.conftest import ClientOf, page_of, step_of
from tests.conftest import issue_token
from tests.support import world as worlds
from tests.support.world import NOW, Purchase, World

STATES = ("validated", "approved", "applying", "applied", "frozen", "withdrawn", "reversed", "reversal")
# Read a row of these and the cost grows with the batch. The chunks themselves are few, and are read by one statement for each question.
NEVER = ("ledger_app_line", "ledger_app_entry", "ingestion_app_record", "ledger_app_posting")


@pytest.fixture
def world(world: World) -> World:
    world.register(*(str(number) for number in range(2001, 2061)))
    world.load(chunk_records=1)
    return world


def batch_in(world: World, state: str, records: int, sequence: int) -> Batch:
    """Return a batch of as many chunks as records, over as many days as it can, in ``state``."""
    held = [
        Purchase(str(2001 + number), "31", f"{sequence}-{number}", str(100 + number), f"2017-01-{number % 28 + 1:02d}T10:00:00Z")
        for number in range(records)
    ]
    batch = world.validated(worlds.card_file(held, sequence=sequence), name=f"till-2017-01-31-{sequence}.csv")
    if state == "withdrawn":
        return world.withdraw(batch)
    if state == "validated":
        return batch
    world.approve(batch)
    if state == "applying":
        world.begin(batch)
        Chunk.objects.filter(batch=batch, number__lt=records // 3).update(state="applied", applied_at=NOW)
        Chunk.objects.filter(batch=batch, number=records // 2).update(state="stopped", reasons=[])
        worlds.hold(batch, *range(records - 4, records), until=timezone.now() + timedelta(minutes=1))
    elif state != "approved":
        world.apply(batch)
    if state == "frozen":
        world.freeze(batch)
    if state == "reversal":
        return world.reverse(batch)
    if state == "reversed":
        world.reversed(batch)
    return Batch.objects.get(pk=batch.pk)


def asked(get, address: str) -> list[str]:
    get(address)  # what is remembered between two requests is remembered now
    with CaptureQueriesContext(connection) as queries:
        response = get(address)
    # What cannot be done in this state is refused, and says why.
    assert response.status_code in {200, 409}, response.content[:500]
    return [each["sql"] for each in queries]


@pytest.fixture
def lookers(world: World, client_of: ClientOf):
    """Return, by what is looked at, what asks for it and its address."""
    client, api = client_of(world.finance), APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(world.finance)}")
    return {
        "page": (client.get, page_of),
        "fragment": (client.get, lambda batch: reverse("admin:ingestion_app_batch_progress", args=[batch.pk])),
        "detail": (api.get, lambda batch: reverse("batch-detail", args=[batch.pk])),
        "status": (api.get, lambda batch: f"{reverse('batch-detail', args=[batch.pk])}status/"),
        "progress": (api.get, lambda batch: f"{reverse('batch-detail', args=[batch.pk])}progress/"),
        **{
            f"before {each.name}": (client.get, partial(step_of, name=each.name))
            for each in BATCH.transitions
            if not each.automatic
        },
    }


@pytest.mark.parametrize("state", STATES)
def test_twice_the_records_chunks_and_days_cost_the_same(world: World, lookers, state: str) -> None:
    few, many = batch_in(world, state, 12, 1), batch_in(world, state, 48, 2)
    for name, (get, address) in lookers.items():
        of_few, of_many = asked(get, address(few)), asked(get, address(many))
        assert len(of_few) == len(of_many), (name, set(of_many) ^ set(of_few))
        read = [sql for sql in of_many if any(table in sql for table in NEVER)]
        assert read == [], (name, read)


def test_what_comes_back_is_bounded_however_many_chunks_there_are(world: World) -> None:
    batch = batch_in(world, "applying", 12, 1)
    template = Chunk.objects.get(batch=batch, number=0)
    values = {name: getattr(template, name) for name in ("record_count", "record_sum", "totals", "records_digest", "applied_at")}
    Chunk.objects.bulk_create(
        Chunk(batch=batch, number=number, state="applied" if number % 2 else "pending", **values) for number in range(12, 1200)
    )
    with CaptureQueriesContext(connection) as queries:
        told = status_of(batch, at=NOW)
    assert len(queries) < 20
    done = told["rerun"]["done"]
    assert done["count"] == Chunk.objects.filter(batch=batch, state="applied").count()
    assert (done["chunks"].endswith(", …"), len(done["chunks"]) < 2000) == (True, True)


def test_the_sums_are_those_of_the_rows(world: World) -> None:
    """Held against the rows themselves, which the page does not read."""
    batch = batch_in(world, "applied", 12, 1)
    assert sums_of(batch).posted == batches.posted(batch) != {}
    attempt = batch.attempts.get(step="apply")
    assert sums_of(batch, attempt_id=attempt.pk) == sums_of(batch)
    assert sums_of(batch, attempt_id=attempt.pk + 1).posted == {"CARD": (0, 0, 0), "POINTS": (0, 0, 0)}


@pytest.mark.parametrize("amount", [2**53 + 1, 10**15])
def test_large_sums_are_whole(world: World, amount: int) -> None:
    other = batch_in(world, "approved", 12, 2)
    Chunk.objects.filter(batch=other).update(state="applied", applied_at=NOW, totals={"CARD": [1, 2, amount]})
    assert sums_of(other).posted["CARD"] == (12, 24, 12 * amount)
