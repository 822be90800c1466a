"""Requests under keys that come several times at once: each is done once, whoever is first; and numbers of events that nobody misses."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from ledger_app.models import Event, Hold, IdempotencyKey, User
from ledger_app.operations import feed
from ledger_app.rules.lots import Grant, Named
from tests.ledger_app import lot_samples, samples

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial]

KEYS = int(os.environ.get("KAKUTEI_KEYS", "60"))
TIMES = 4


@pytest.fixture
def till(transactional_db, make_user) -> User:
    found = lot_samples.open_points(samples.machine_caller())
    last = (datetime.now(UTC) + timedelta(days=90)).date()
    found.gain("g-1", KEYS, lots=Named(grants=(Grant("paid", KEYS, last),)))
    user: User = make_user("till-1", "till")
    return user


def send(user, number, until):
    client = APIClient()
    client.force_authenticate(user)
    wanted = {"book": "POINTS", "account": "M1", "target": "programme", "amount": 1, "reference": f"h-{number}"}
    while True:
        answer = client.post(
            "/api/v1/holds/", {**wanted, "expires_at": until}, format="json", headers={"Idempotency-Key": f"k-{number}"}
        )
        if answer.status_code != 503 and answer.json().get("code") != "idempotency_key_running":
            return answer.status_code, answer.content


def test_each_key_that_is_sent_four_times_at_once_has_one_effect(till):
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat()
    said: list[set[tuple[int, bytes]]] = [set() for _number in range(KEYS)]
    gate = threading.Barrier(TIMES)

    def run():
        try:
            for number in range(KEYS):
                gate.wait()
                said[number].add(send(till, number, until))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _time in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(answers) for answers in said} == {1}
    assert {status for answers in said for status, _body in answers} == {201}
    assert Hold.objects.count() == IdempotencyKey.objects.count() == KEYS
    assert Event.objects.filter(kind="hold.place").count() == KEYS


@pytest.mark.mariadb
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


@pytest.mark.mariadb
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
