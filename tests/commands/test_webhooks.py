"""Webhooks by the commands, to real receivers: a dead one holds up nobody, and a killed deliverer loses nothing."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from config.doors import webhooks as sending
from config.doors.commands import base as commands
from ledger_app.base.operations import feed
from ledger_app.base.queries import clock
from ledger_app.models import AuditRow, Event, User, Webhook
from ledger_app.programs.operations import deliveries
from tests.support import world as worlds
from tests.support.receiver import Receiver, answer, taking

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial]


@pytest.fixture
def receivers():
    made = []

    def make(behaviour=taking):
        made.append(Receiver(behaviour))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def user(transactional_db):
    return User.objects.get(username=User.SYSTEM)


def happen(user, count):
    """Have so many things happen; return their numbers."""
    for number in range(count):
        feed.tell(subject_type="batch", subject_id=number + 1, action="approve", by=user, at=clock.now(), facts={})
    last = feed.number()
    return list(range(last - count + 1, last + 1))


def deliver(directory: Path, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "deliver_webhooks", "--json"],
        cwd=settings.BASE_DIR,
        env=worlds.environment(directory, **more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_webhook_is_kept_and_its_secret_printed_once(run, user, receivers):
    receiver = receivers()
    first = run("keep_webhook", "shop", "--url", receiver.url, "--kind", "batch", "--json")
    assert first.status == 0
    assert first.data["changed"] is True
    again = run("keep_webhook", "shop", "--json")
    assert (again.data["changed"], again.data["secret"], again.data["kinds"]) == (False, None, ["batch"])
    (number,) = happen(user, 1)
    assert run("deliver_webhooks", "--json").data == {"sent": 1, "failed": 0, "dead": 0, "ended": 0}
    assert receiver.numbers == [number]
    assert receiver.received[0].verified(first.data["secret"])["type"] == "batch.approve"
    other = run("keep_webhook", "shop", "--rotate", "--json").data["secret"]
    assert other not in {None, first.data["secret"]}
    assert run("keep_webhook", "shop", "--replay-after", "0", "--json").data["cursor"] == 0
    run("deliver_webhooks")
    for secret in (first.data["secret"], other):
        assert receiver.received[-1].verified(secret)
    assert run("keep_webhook", "shop", "--out-of-use", "--json").data["is_active"] is False
    happen(user, 1)
    assert run("deliver_webhooks", "--json").data["sent"] == 0
    assert AuditRow.objects.filter(subject_type="webhook").count() == 4
    kept = {str(value) for row in Webhook.objects.values() for value in row.values()}
    assert not kept & {first.data["secret"], other}


def test_what_is_wrong_is_refused(run, user):
    assert run("keep_webhook", "shop").status == 2
    assert run("keep_webhook", "shop", "--url", "https://elsewhere.example/").status == 1
    assert run("keep_webhook", "shop", "--rotate").status == 1
    assert not Webhook.objects.exists()


def test_a_receiver_that_hangs_holds_up_no_other(run, user, receivers, monkeypatch):
    monkeypatch.setattr(sending, "SECONDS_MOST", 3.0)
    got = threading.Event()

    def hang(receiver, _handler):
        # It answers nothing until the other has everything, which it would never if one had to wait for the other.
        got.wait(2)
        receiver.is_over.wait(20)

    def take(receiver, handler):
        answer(handler, 200)
        if len(receiver.received) == 5:
            got.set()

    hanging, taking_all, failing = receivers(hang), receivers(take), receivers(lambda _receiver, each: answer(each, 500))
    for name, receiver in (("a", hanging), ("b", failing), ("c", taking_all)):
        run("keep_webhook", name, "--url", receiver.url)
    numbers = happen(user, 5)
    done = run("deliver_webhooks", "--json").data
    assert done == {"sent": 5, "failed": 2, "dead": 0, "ended": 0}
    assert got.is_set()
    assert taking_all.numbers == numbers
    assert hanging.numbers == failing.numbers == numbers[:1]
    assert dict(Webhook.objects.values_list("name", "why")) == {"a": "timeout", "b": "status 500", "c": ""}


def test_a_receiver_that_is_gone_is_sent_nothing_more_and_one_that_is_busy_nothing_for_a_while(run, user, receivers):
    gone = receivers(lambda _receiver, each: answer(each, 410))
    busy = receivers(lambda _receiver, each: answer(each, 503, **{"Retry-After": "3600"}))
    for name, receiver in (("a", gone), ("b", busy)):
        run("keep_webhook", name, "--url", receiver.url)
    numbers = happen(user, 2)
    assert run("deliver_webhooks", "--json").data == {"sent": 0, "failed": 1, "dead": 0, "ended": 1}
    assert gone.numbers == busy.numbers == numbers[:1]
    (next_at,) = Webhook.objects.filter(name="b").values_list("next_at", flat=True)
    assert next_at is not None
    left = next_at - clock.now()
    assert timedelta(seconds=3_500) < left <= timedelta(seconds=3_600)
    Webhook.objects.update(next_at=None)
    assert run("deliver_webhooks", "--json").data["ended"] == 0
    assert (len(gone.numbers), len(busy.numbers)) == (1, 2)
    assert AuditRow.objects.get(action="end").actor.username == User.SYSTEM


def test_killed_between_sending_and_writing_down_it_is_sent_twice_and_never_lost(run, user, receivers, files_dir, settings):
    victim: list[subprocess.Popen[str]] = []

    def kill(receiver, handler):
        if len(receiver.received) == 2:
            os.kill(victim[0].pid, signal.SIGKILL)
            victim[0].wait(30)
        else:
            answer(handler, 200)

    receiver = receivers(kill)
    run("keep_webhook", "shop", "--url", receiver.url)
    numbers = happen(user, 4)
    victim.append(deliver(files_dir))
    victim[0].communicate(timeout=60)
    assert victim[0].returncode == -signal.SIGKILL
    assert receiver.numbers == numbers[:2]
    # The lease of the killed one runs out by itself; here it is as if a minute had passed.
    assert run("deliver_webhooks", "--json").data["sent"] == 0
    Webhook.objects.update(leased_until=clock.now())
    assert run("deliver_webhooks", "--json").data["sent"] == 3
    assert receiver.numbers == [numbers[0], numbers[1], *numbers[1:]]


def test_two_that_deliver_at_once_share_the_work(run, user, receivers, files_dir):
    both = [receivers() for _number in range(3)]
    for number, receiver in enumerate(both):
        run("keep_webhook", f"shop-{number}", "--url", receiver.url)
    numbers = happen(user, 40)
    processes = [deliver(files_dir) for _number in range(2)]
    told = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert run("deliver_webhooks").status == 0
    # Each in order and once: nobody was killed.
    assert [receiver.numbers for receiver in both] == [numbers] * 3


def test_without_the_lease_two_at_once_send_the_same(user, receivers, monkeypatch):
    """The control: it is the lease that keeps them apart."""
    gate = threading.Barrier(2)

    def meet(_receiver, handler):
        gate.wait(20)
        answer(handler, 200)

    receiver = receivers(meet)
    hook = Webhook.objects.create(name="shop", url=receiver.url, kept_by=user, cursor=Event.objects.count())
    numbers = happen(user, 1)
    monkeypatch.setattr(deliveries, "_free", lambda rows, _at: rows)

    def run_one():
        try:
            deliveries.turn(webhook_id=hook.pk, send=sending.send, now=clock.now, caller=commands.caller(None))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run_one) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receiver.numbers == numbers * 2


def test_it_goes_on_until_it_is_ended(run, user, receivers, files_dir):
    receiver = receivers()
    run("keep_webhook", "shop", "--url", receiver.url)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "deliver_webhooks", "--every", "1", "--json"],
        cwd=settings.BASE_DIR,
        env=worlds.environment(files_dir, PYTHONUNBUFFERED="1"),
        text=True,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        for _round in range(2):
            happen(user, 1)
            assert process.stdout.readline() == '{"sent": 1, "failed": 0, "dead": 0, "ended": 0}\n'
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(receiver.numbers) == 2
