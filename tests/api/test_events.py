"""The feed: every change is in it once, in numbers without gaps, and what was undone is not."""

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from config.doors.telling import MACHINES
from ledger_app.base.operations import feed
from ledger_app.models import AuditRow, Event, Posting
from tests.conftest import UserMaker, with_every_right
from tests.support import every_table, kept
from tests.support.world import World


@kept.fixture
def world(folder: Path) -> World:
    """A world in which everything has happened once."""
    return every_table.build(folder)


@pytest.fixture
def client(world: World, make_user: UserMaker) -> APIClient:
    made = APIClient()
    made.force_authenticate(with_every_right(make_user("everything-9", "auditor")))
    return made


def read(client: APIClient, **asked: Any) -> list[dict[str, Any]]:
    """Return the events that are answered, page after page, each page asked for with the last number of the one before."""
    found: list[dict[str, Any]] = []
    after = asked.pop("after", 0)
    while True:
        answer = client.get("/api/v1/events/", {"after": str(after), **asked})
        assert answer.status_code == 200, answer.content
        page = answer.json()["results"]
        if not page:
            return found
        found += page
        after = page[-1]["number"]


def test_who_reads_after_the_last_number_misses_nothing(client: APIClient) -> None:
    events = read(client)
    assert len(events) > 50
    assert [each["number"] for each in events] == list(range(1, len(events) + 1))
    assert len(events) == Event.objects.count()
    middle = len(events) // 2
    assert read(client, after=events[middle]["number"]) == events[middle + 1 :]
    assert read(client, after=len(events)) == []


def test_postings_batches_periods_and_decisions_are_told(client: APIClient) -> None:
    told = {(each["kind"], each["subject_id"]) for each in read(client)}
    assert {("posting.posted", key) for key in Posting.objects.values_list("pk", flat=True)} <= told
    changes = AuditRow.objects.filter(outcome="done", subject_type__in=MACHINES)
    done = {
        (f"{row.subject_type}.{row.action}", row.subject_id)
        for row in changes
        if row.action in {each.name for each in MACHINES[row.subject_type].transitions}
    }
    assert {kind.partition(".")[0] for kind, _subject in done} >= {"adjustment", "batch", "hold", "period", "reversal"}
    assert done <= told


def test_a_kind_and_a_subject_may_be_asked_for(client: APIClient) -> None:
    events = read(client)
    wanted = next(each for each in events if each["kind"] == "batch.approve")
    assert read(client, kind="batch.approve") == [each for each in events if each["kind"] == "batch.approve"]
    of_batch = read(client, subject_type="batch", subject_id=str(wanted["subject_id"]))
    assert of_batch == [each for each in events if (each["subject_type"], each["subject_id"]) == ("batch", wanted["subject_id"])]


def test_what_was_undone_leaves_no_event_and_no_gap(client: APIClient, world: World) -> None:
    before = read(client)
    said: dict[str, Any] = {
        "subject_type": "hold",
        "subject_id": 1,
        "by": world.engineer,
        "at": world.caller(world.engineer).at,
        "facts": {},
    }
    with transaction.atomic():
        feed.tell(action="undone", **said)
        transaction.set_rollback(True)
    feed.tell(action="kept", **said)
    (event,) = read(client, after=len(before))
    assert (event["kind"], event["number"]) == ("hold.kept", len(before) + 1)
