"""Until when a batch is due, counted from its receipt: what is left, how late it is, whether it was in time."""

from datetime import timedelta

import pytest

from ingestion_app.models import Batch
from ingestion_app.sources import operations as sources
from ingestion_app.status.queries.deadlines import deadline_of, deadlines_of, span
from ledger_app.models import AuditRow
from tests.support.world import FIXED, NOW, World, card_file, definition, set_account

pytestmark = pytest.mark.django_db


def agreed_text(chunk_records: int = 3) -> str:
    """Return the definition of a source with which one hour is agreed."""
    return definition(chunk_records=chunk_records).replace("[layout]\n", "[sla]\napplied_within_minutes = 60\n\n[layout]\n", 1)


@pytest.fixture
def agreed(world: World) -> World:
    """Agree with the source on one hour."""
    sources.load(text=agreed_text(), caller=world.caller())
    return world


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_a_span_of_time_is_told_in_two_units_at_most(seconds, text):
    assert span(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("after", "is_late", "sentence"), [(19, False, "due in 41 min"), (60, False, "due in 0 s"), (63, True, "late by 3 min")]
)
def test_a_batch_counts_down_and_then_is_late(agreed, after, is_late, sentence):
    deadline = deadline_of(agreed.validated())
    assert deadline is not None
    assert deadline.due_at == NOW + minutes(60)
    assert (deadline.is_late(NOW + minutes(after)), deadline.sentence(NOW + minutes(after))) == (is_late, sentence)


@pytest.mark.parametrize(
    ("took", "sentence"),
    [(18, "in time: applied 18 min after receipt"), (75, "late by 15 min: applied 1 h 15 min after receipt")],
)
def test_of_an_applied_batch_it_is_said_whether_it_was_in_time_however_long_ago(agreed, took, sentence):
    batch = agreed.applied()
    row = AuditRow.objects.get(subject_type="batch", subject_id=batch.pk, action="finish")
    assert row.at == NOW
    deadline = deadline_of(batch)
    assert deadline is not None
    assert deadline.applied_at == NOW
    later = type(deadline)(deadline.received_at, deadline.due_at, NOW + minutes(took))
    assert later.sentence(NOW + minutes(9999)) == sentence


def test_nothing_is_due_where_nothing_was_agreed(world):
    assert deadline_of(world.receive()) is None


def test_what_will_not_be_applied_is_not_due(agreed):
    withdrawn = agreed.withdraw(agreed.validated())
    rejected = agreed.validate(agreed.receive(card_file(count=99)))
    assert (withdrawn.state, rejected.state) == ("withdrawn", "rejected")
    assert deadlines_of(Batch.objects.select_related("receipt", "source_version")) == {}


def test_what_was_reversed_before_all_of_it_was_applied_is_not_due_and_what_was_applied_keeps_its_time(agreed):
    records = [FIXED, FIXED._replace(member="1002", slip="s2", shop="32")]
    sources.load(text=agreed_text(chunk_records=1), caller=agreed.caller())
    stuck = agreed.begin(agreed.approved(card_file(records)))
    set_account("settlement.32", "suspended")
    assert len(agreed.apply(stuck).stopped) == 1
    agreed.pause(stuck)
    agreed.reversed(stuck)
    stuck.refresh_from_db()
    assert (stuck.state, deadline_of(stuck)) == ("reversed", None)
    applied = agreed.applied(card_file([FIXED._replace(slip="other")], sequence=2), name="till-2017-01-31-2.csv")
    agreed.reversed(applied)
    applied.refresh_from_db()
    deadline = deadline_of(applied)
    assert deadline is not None
    assert (applied.state, deadline.applied_at) == ("reversed", NOW)
