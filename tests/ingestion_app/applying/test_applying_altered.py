"""A plan or a record that was altered after its approval is not applied, or does not end as applied."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat

from ingestion_app.applying.operations import applying
from ingestion_app.batches.queries import records
from ingestion_app.models import Batch, Chunk, Record
from ledger_app.errors import Refused
from ledger_app.models import Identifier, Line
from tests.ingestion_app.applying.test_applying import TWO_A_CHUNK, refused_and_untouched
from tests.support.world import World, clock, codes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("chunk", "record_count = record_count + 1"),
        ("chunk", "record_sum = record_sum - 1"),
        ("chunk", "totals = '{\"CARD\": [2, 4, 1]}'"),
        ("chunk", "number = 77"),
        ("batch", "record_sum = record_sum + 1"),
        ("batch", "record_count = record_count + 1"),
        ("batch", "trailer_sum = trailer_sum + 1"),
        ("batch", "totals = '{}'"),
        ("batch", "finding_counts = '{}'"),
        ("batch", "first_on = '2017-01-04'"),
        ("batch", "without_effect_count = 5"),
        ("batch", "business_date = '2017-01-30'"),
    ],
)
def test_a_plan_changed_after_its_approval_is_refused(world: World, table: str, change: str) -> None:
    batch = world.approved()
    where = f"batch_id = {batch.pk} AND number = 0" if table == "chunk" else f"id = {batch.pk}"
    execute(f"UPDATE ingestion_app_{table} SET {change} WHERE {where}")
    refused_and_untouched(world, batch, "plan_damaged")
    # Begun, it goes no further either.
    Batch.objects.filter(pk=batch.pk).update(state="applying")
    refused_and_untouched(world, batch, "plan_damaged")


def test_a_plan_changed_while_it_is_applied_does_not_end_as_applied(world: World) -> None:
    """A record and the digest of its chunk, altered to fit each other: the sums of the batch are none the wiser."""
    batch = world.approved(TWO_A_CHUNK)
    caller = world.caller(world.engineer)
    applying.begin(batch_id=batch.pk, caller=caller)
    chunk = Chunk.objects.filter(batch=batch).order_by("number")[0]
    Record.objects.filter(chunk=chunk).update(key=Concat("key", Value("x")))
    Chunk.objects.filter(pk=chunk.pk).update(records_digest=records.digest(records.of_chunk(chunk.pk)))
    with pytest.raises(Refused) as refused:
        applying.carry_on(batch_id=batch.pk, caller=caller, now=clock)
    assert codes(refused.value.reasons) == ["plan_damaged"]
    assert Batch.objects.get(pk=batch.pk).state == "applying"


def test_a_plan_changed_after_it_was_applied_is_not_frozen(world: World) -> None:
    batch = world.applied()
    execute(f"UPDATE ingestion_app_batch SET trailer_sum = trailer_sum + 1 WHERE id = {batch.pk}")
    with pytest.raises(Refused) as refused:
        world.freeze(batch)
    assert codes(refused.value.reasons) == ["plan_damaged"]


def test_a_chunk_taken_away_after_the_approval_is_refused(world: World) -> None:
    batch = world.approved(TWO_A_CHUNK)
    chunk = Chunk.objects.get(batch=batch, number=5)
    Record.objects.filter(chunk=chunk).delete()
    chunk.delete()
    refused_and_untouched(world, batch, "plan_damaged")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def change_values(place: int, value: object) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        values: list[Any] = [*(record.values or ())]
        values[place] = value
        execute(
            f"UPDATE ingestion_app_record SET {connection.ops.quote_name('values')} = '{json.dumps(values)}' WHERE id = {record.pk}"
        )

    return change


@pytest.mark.parametrize(
    "tamper",
    [
        lambda record: record.delete(),
        lambda record: Record.objects.filter(pk=record.pk).update(amount=record.amount + 1),
        lambda record: Record.objects.filter(pk=record.pk).update(status="set_aside", chunk=None),
        lambda record: Record.objects.filter(pk=record.pk).update(
            chunk=Chunk.objects.get(batch=record.batch_id, number=1), line=99
        ),
        change_values(3, 5),
    ],
    ids=["taken away", "its amount", "set aside", "in another chunk", "the amount among its values"],
)
def test_records_changed_after_the_approval_stop_their_chunk(world: World, tamper: Callable[[Record], object]) -> None:
    batch = world.approved(TWO_A_CHUNK)
    tamper(Record.objects.get(batch=batch, line=2))

    done = world.apply(batch)

    assert (done.batch.state, set(codes(done.stopped[0]))) == ("applying", {"records_differ"})
    assert not Line.objects.filter(account__code="receivable.1001").exists()


@pytest.mark.parametrize(
    "tamper",
    [
        change_values(1, "32"),
        change_values(4, "2017-02-05 10:00:00+00:00"),
        lambda record: Record.objects.filter(pk=record.pk).update(holder=Identifier.objects.get(value="1002").holder),
        lambda record: Record.objects.filter(pk=record.pk).update(key="another"),
    ],
    ids=["its shop", "its date", "its member", "its key"],
)
def test_records_whose_meaning_was_changed_stop_their_chunk(world: World, tamper: Callable[[Record], object]) -> None:
    """Counts and sums stay as they were: only what each record says tells."""
    batch = world.approved(TWO_A_CHUNK)
    tamper(Record.objects.get(batch=batch, line=2))

    done = world.apply(batch)

    assert (done.batch.state, set(codes(done.stopped.get(0, ())))) == ("applying", {"records_differ"})
