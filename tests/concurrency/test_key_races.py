"""Anyone who sends what is being done is told so at once; and numbers of events that nobody misses. Keys that are sent at once: tests/wire/test_sent_again.py."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from ledger_app.base.operations import feed
from ledger_app.models import Event, IdempotencyKey, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial, pytest.mark.mariadb]


@pytest.fixture
def till(transactional_db, make_user) -> User:
    user: User = make_user("till-1", "till")
    return user


def test_whoever_comes_while_the_first_is_at_work_is_told_so(till):
    """Without the look that does not wait, it would wait as long as the first works."""
    began, end = threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            IdempotencyKey.objects.create(
                user=till, key="k-0", path="/", digest=bytes(32), fields={}, status=0, at=datetime.now(UTC)
            )
            began.set()
            end.wait(20)
            transaction.set_rollback(True)
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    began.wait(20)
    client = APIClient()
    client.force_authenticate(till)
    try:
        answer = client.post("/api/v1/holds/", {}, format="json", headers={"Idempotency-Key": "k-0"})
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_running")
    finally:
        end.set()
        thread.join()


def test_an_event_that_commits_late_gets_a_later_number(till):
    before = feed.number()
    written, end = threading.Event(), threading.Event()

    def late():
        with transaction.atomic():
            tell("late")
            written.set()
            end.wait(20)
        connections.close_all()

    def tell(action):
        feed.tell(subject_type="hold", subject_id=1, action=action, by=till, at=datetime.now(UTC), facts={})

    thread = threading.Thread(target=late)
    thread.start()
    written.wait(20)
    tell("early")
    assert feed.number() == before + 1, list(Event.objects.order_by("id").values_list("id", "number", "kind"))
    end.set()
    thread.join()
    assert feed.number() == before + 2
    found = list(Event.objects.filter(number__gt=before).order_by("number").values_list("kind", flat=True))
    assert found == ["hold.early", "hold.late"]
    assert connection.in_atomic_block is False
