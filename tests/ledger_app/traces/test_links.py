"""The chain over the traces: what it takes in, what it leaves for later, and what it finds."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger_app.models import Book, Link, Trace
from ledger_app.traces import operations as traces
from ledger_app.traces.queries import links
from tests.support.altering import unguarded

pytestmark = pytest.mark.django_db(transaction=True)
WRITE = (
    "INSERT INTO ledger_app_trace (id, table_name, row_id, event, content, at) VALUES (%s, 'ledger_app_book', 1, 'U', 'x', %s)"
)


def at(seconds: int = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture
def linked() -> int:
    """Write a row, link what there is, and return the last number that was linked."""
    Book.objects.create(code="B", name="B", unit="points", exponent=0, time_zone="UTC")
    assert traces.link(at=at(60), distance=timedelta(0)) == 1
    return Link.objects.latest("number").last_trace


def insert(number: int) -> None:
    with unguarded() as cursor:
        cursor.execute(WRITE, [number, str(at(-30).replace(tzinfo=None))])


def test_what_is_young_is_left_for_the_next_link(linked):
    Book.objects.create(code="C", name="C", unit="points", exponent=0, time_zone="UTC")
    assert traces.link(at=at()) == 0
    assert traces.link(at=at(60)) == 1
    assert traces.link(at=at(60)) == 0
    assert list(links.breaches()) == []


def test_a_number_that_is_committed_late_is_linked_when_it_comes(linked):
    insert(linked + 5)
    assert traces.link(at=at()) == 1
    last = Link.objects.latest("number")
    assert last.gaps[-1][:2] == [linked + 1, linked + 4]
    insert(linked + 2)
    assert list(links.breaches()) == []
    assert traces.link(at=at()) == 1
    last = Link.objects.latest("number")
    assert last.spans == [[linked + 2, linked + 2]]
    assert [gap[:2] for gap in last.gaps[-2:]] == [[linked + 1, linked + 1], [linked + 3, linked + 4]]
    assert list(links.breaches()) == []


def test_what_comes_into_a_gap_that_is_closed_is_named(linked):
    insert(linked + 5)
    assert traces.link(at=at()) == 1
    insert(linked + 6)
    assert traces.link(at=at() + timedelta(days=2)) == 1
    assert Link.objects.latest("number").gaps == []
    insert(linked + 3)
    assert list(links.breaches()) == [f"Trace {linked + 3} came in where the chain has gone by."]


@pytest.mark.parametrize("change", ["content = 'y'", "row_id = 2", "event = 'D'"])
def test_a_trace_that_was_altered_or_removed_after_it_was_linked_is_named(linked, change):
    kept = Trace.objects.get(pk=linked)
    with unguarded(table="ledger_app_trace") as cursor:
        cursor.execute(f"UPDATE ledger_app_trace SET {change} WHERE id = %s", [kept.pk])
        altered = list(links.breaches())
        cursor.execute("DELETE FROM ledger_app_trace WHERE id = %s", [kept.pk])
        removed = list(links.breaches())
    assert altered == removed
    assert len(altered) == 1
    assert altered[0].startswith("Link 1 of the chain does not recompute")
