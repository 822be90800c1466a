"""Deliveries: in order, at least once, tried again, given up, sent again, and one process at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger_app import errors
from ledger_app.base.operations import feed
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, DeadLetter, Event, Feed, User, Webhook
from ledger_app.programs import rules
from ledger_app.programs.operations import deliveries, webhooks
from ledger_app.programs.operations.deliveries import Message, Reply, Turn
from ledger_app.programs.operations.webhooks import Given

pytestmark = pytest.mark.django_db

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
HERE: dict[str, Any] = {"hosts": ["receiver.example", "other.example:8443"], "may_be_here": False}
URL = "https://receiver.example/hook"


class Clock:
    """A time that goes on where a test says so."""

    def __init__(self):
        self.at = BEGINNING

    def __call__(self):
        return self.at

    def pass_(self, **much):
        self.at += timedelta(**much)


class Sent:
    """Takes messages, but for those that it refuses."""

    def __init__(self, *refused):
        self.refused = {rules.message_id(number) for number in refused}
        self.messages: list[Message] = []

    def __call__(self, message):
        self.messages.append(message)
        return Reply(is_taken=False, why="status 500") if message.id in self.refused else Reply(is_taken=True)

    @property
    def numbers(self):
        return [int(message.id.removeprefix("event-")) for message in self.messages]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def caller(engineer, caller_of):
    return caller_of(engineer)


@pytest.fixture
def hook(db, caller) -> Webhook:
    row, _changed = webhooks.keep(given=Given("shop", URL), caller=caller, **HERE)
    return row


def happen(user, *kinds):
    """Have something happen, and numbered; return the number of the last."""
    for kind in kinds:
        feed.tell(
            subject_type=kind.partition(".")[0], subject_id=7, action=kind.partition(".")[2], by=user, at=BEGINNING, facts={}
        )
    return feed.number()


def turn(hook, sent, clock):
    caller = Caller(User.objects.get(username=User.SYSTEM), BEGINNING, "command")
    return deliveries.turn(webhook_id=hook.pk, send=sent, now=clock, caller=caller)


def test_events_are_sent_in_the_order_of_their_numbers_and_once(hook, engineer, clock):
    last = happen(engineer, "batch.approve", "posting.posted", "period.freeze")
    sent = Sent()
    assert turn(hook, sent, clock) == Turn(sent=3)
    assert sent.numbers == [last - 2, last - 1, last]
    assert turn(hook, sent, clock) == Turn()
    assert len(sent.messages) == 3
    hook.refresh_from_db()
    assert (hook.cursor, hook.lease, hook.leased_until) == (last, "", None)
    assert deliveries.due(clock()) == []


def test_what_happened_before_a_webhook_was_there_is_not_sent(engineer, caller, clock):
    happen(engineer, "batch.approve")
    hook, _changed = webhooks.keep(given=Given("late", URL), caller=caller, **HERE)
    last = happen(engineer, "batch.apply")
    sent = Sent()
    turn(hook, sent, clock)
    assert sent.numbers == [last]


def test_only_what_is_wanted_is_sent(caller, engineer, clock):
    hook, _changed = webhooks.keep(given=Given("some", URL, ["posting.posted", "period"]), caller=caller, **HERE)
    last = happen(engineer, "batch.approve", "posting.posted", "posting.other", "period.freeze", "hold.place")
    sent = Sent()
    assert turn(hook, sent, clock) == Turn(sent=2)
    assert sent.numbers == [last - 3, last - 1]
    hook.refresh_from_db()
    assert hook.cursor == last


def test_what_is_not_taken_is_tried_again_later_and_before_what_follows(hook, engineer, clock):
    last = happen(engineer, "batch.approve", "batch.apply")
    sent = Sent(last - 1)
    assert turn(hook, sent, clock) == Turn(failed=1)
    assert deliveries.due(clock()) == []
    assert turn(hook, sent, clock) == Turn()
    hook.refresh_from_db()
    assert (hook.failures, hook.why) == (1, "status 500")
    assert timedelta(seconds=5) <= hook.next_at - clock() <= timedelta(seconds=10)
    clock.pass_(seconds=11)
    sent.refused = set()
    assert turn(hook, sent, clock) == Turn(sent=2)
    assert sent.numbers == [last - 1, last - 1, last]
    hook.refresh_from_db()
    assert (hook.failures, hook.why, hook.next_at) == (0, "", None)


def test_waits_double_up_to_six_hours_and_differ_by_chance():
    assert [rules.wait(failures, 1_000).total_seconds() for failures in (1, 2, 3, 11, 12, 13, 10_000)] == [
        *(10, 20, 40, 10_240, 20_480, 21_600, 21_600),
    ]
    assert rules.wait(3, 0).total_seconds() == 20


def give_up(hook, sent, clock):
    done = Turn()
    for _try in range(rules.TRIES_MOST):
        done = turn(hook, sent, clock)
        clock.pass_(hours=7)
    assert done.dead == 1


def test_after_so_many_tries_it_is_a_dead_letter_and_what_follows_is_sent(hook, engineer, clock):
    last = happen(engineer, "batch.approve", "batch.apply")
    sent = Sent(last - 1)
    give_up(hook, sent, clock)
    letter = DeadLetter.objects.get()
    assert (letter.event.number, letter.state, letter.tries, letter.why) == (last - 1, "dead", rules.TRIES_MOST, "status 500")
    assert turn(hook, sent, clock) == Turn(sent=1)
    assert sent.numbers == [last - 1] * rules.TRIES_MOST + [last]


def test_a_dead_letter_is_sent_again_where_somebody_asks_for_it(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve")
    sent = Sent(last)
    give_up(hook, sent, clock)
    letter, changed = webhooks.send_again(letter_id=DeadLetter.objects.get().pk, caller=caller)
    assert (letter.state, changed) == ("again", True)
    assert deliveries.due(clock()) == [hook.pk]
    assert turn(hook, sent, clock) == Turn(dead=1)
    letter.refresh_from_db()
    assert (letter.state, letter.tries) == ("dead", rules.TRIES_MOST + 1)
    assert deliveries.due(clock()) == []
    webhooks.send_again(letter_id=letter.pk, caller=caller)
    sent.refused = set()
    assert turn(hook, sent, clock) == Turn(sent=1)
    letter.refresh_from_db()
    assert letter.state == "sent"
    assert webhooks.send_again(letter_id=letter.pk, caller=caller)[1] is False


def test_dead_letters_make_no_events_of_their_own(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve")
    give_up(hook, Sent(last), clock)
    webhooks.send_again(letter_id=DeadLetter.objects.get().pk, caller=caller)
    assert feed.number() == last
    assert not Event.objects.filter(subject_type="webhook").exists()


def test_a_replay_sends_what_follows_a_number_again(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve", "batch.apply", "batch.freeze")
    sent = Sent()
    turn(hook, sent, clock)
    webhooks.replay(webhook_id=hook.pk, after=last - 2, version=1, caller=caller)
    assert turn(hook, sent, clock) == Turn(sent=2)
    assert sent.numbers == [last - 2, last - 1, last, last - 1, last]
    assert sent.messages[1] == sent.messages[3]
    with pytest.raises(errors.Refused) as refused:
        webhooks.replay(webhook_id=hook.pk, after=last + 1, version=2, caller=caller)
    assert [reason.code for reason in refused.value.reasons] == ["replay_beyond"]


def test_what_was_a_dead_letter_and_is_replayed_is_delivered(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve")
    sent = Sent(last)
    give_up(hook, sent, clock)
    sent.refused = set()
    webhooks.replay(webhook_id=hook.pk, after=last - 1, version=1, caller=caller)
    turn(hook, sent, clock)
    assert DeadLetter.objects.get().state == "sent"


def test_whoever_comes_while_another_delivers_finds_nothing_to_do(hook, engineer, clock):
    happen(engineer, "batch.approve", "batch.apply")
    sent = Sent()
    others = []

    def meanwhile(message):
        others.append(turn(hook, sent, clock))
        return sent(message)

    assert turn(hook, meanwhile, clock) == Turn(sent=2)
    assert others == [Turn(), Turn()]
    assert len(sent.messages) == 2


def test_a_lease_that_ran_out_is_anothers_and_what_its_holder_says_is_not_written(hook, engineer, clock):
    last = happen(engineer, "batch.approve", "batch.apply")
    sent = Sent()

    def stopped(message):
        reply = sent(message)
        clock.pass_(seconds=61)
        assert turn(hook, sent, clock) == Turn(sent=2)
        return reply._replace(is_taken=False)

    turn(hook, stopped, clock)
    hook.refresh_from_db()
    assert (hook.cursor, hook.failures, hook.lease) == (last, 0, "")
    assert sent.numbers == [last - 1, last - 1, last]


def test_killed_between_sending_and_writing_down_it_is_sent_twice_and_never_lost(hook, engineer, clock, monkeypatch):
    last = happen(engineer, "batch.approve", "batch.apply")
    sent = Sent()

    class Killed(BaseException):
        pass

    def killed(message):
        sent(message)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "_release", lambda _row: None)  # who is killed releases nothing
        with pytest.raises(Killed):
            turn(hook, killed, clock)
    assert turn(hook, sent, clock) == Turn()
    clock.pass_(seconds=61)
    assert turn(hook, sent, clock) == Turn(sent=2)
    assert sent.numbers == [last - 1, last - 1, last]


def test_a_change_while_one_is_sent_is_not_written_over(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve")

    def changed(_message):
        webhooks.replay(webhook_id=hook.pk, after=0, version=1, caller=caller)
        return Reply(is_taken=True)

    turn(hook, changed, clock)
    hook.refresh_from_db()
    assert (hook.cursor, hook.lease) == (0, "")
    assert Feed.objects.get().last_number == last


def test_nothing_is_sent_to_one_that_is_out_of_use(hook, engineer, caller, clock):
    happen(engineer, "batch.approve")
    webhooks.keep(given=Given("shop", URL, is_active=False), caller=caller, version=1, **HERE)
    assert deliveries.due(clock()) == []
    assert turn(hook, Sent(), clock) == Turn()


def test_both_secrets_sign_until_the_overlap_is_over(hook, engineer, caller, clock):
    clock.at = caller.at
    webhooks.rotate(webhook_id=hook.pk, version=1, caller=caller, overlap_hours=2)
    sent = Sent()
    happen(engineer, "batch.approve")
    turn(hook, sent, clock)
    clock.pass_(hours=3)
    happen(engineer, "batch.apply")
    turn(hook, sent, clock)
    assert [message.generations for message in sent.messages] == [(2, 1), (2,)]
    webhooks.rotate(webhook_id=hook.pk, version=2, caller=caller, overlap_hours=0)
    happen(engineer, "batch.freeze")
    turn(hook, sent, clock)
    assert sent.messages[-1].generations == (3,)


def test_the_number_of_queries_does_not_grow_with_what_was_sent_before(hook, engineer, clock):
    counts = []
    for before in (3, 60):
        happen(engineer, *["batch.approve"] * before)
        turn(hook, Sent(), clock)
        happen(engineer, "batch.apply")
        with CaptureQueriesContext(connection) as asked:
            assert turn(hook, Sent(), clock) == Turn(sent=1)
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/hook",
        "https://another.example/hook",
        "https://receiver.example.evil.example/hook",
        "https://receiver.example:8443/hook",
        "https://other.example/hook",
        "https://receiver.example@another.example/",
        "https://user:password@receiver.example/",
        "https://receiver.example/#there",
        "http://127.0.0.1/hook",
        "https://127.0.0.1/hook",
        "file:///etc/passwd",
        "https:///hook",
        "https://receiver.example:99999/",
        "https://receiver.example/\nhook",
        "https://receiver.example/" + "a" * 300,
        "",
    ],
)
def test_an_address_that_nobody_allowed_is_refused(caller, url):
    with pytest.raises(errors.Refused) as refused:
        webhooks.keep(given=Given("shop", url), caller=caller, **HERE)
    assert [reason.code for reason in refused.value.reasons] == ["webhook_address_refused"]
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("kinds", [["Batch"], ["batch.*"], ["batch", "batch"], [""], ["a" * 21], ["batch"] * 51])
def test_what_is_no_kind_of_event_is_refused(caller, kinds):
    with pytest.raises(errors.Refused) as refused:
        webhooks.keep(given=Given("shop", URL, kinds), caller=caller, **HERE)
    assert [reason.code for reason in refused.value.reasons] == ["webhook_kinds_invalid"]


def test_every_change_has_an_audit_row_and_who_lacks_the_right_changes_nothing(hook, caller, finance, caller_of):
    webhooks.keep(given=Given("shop", URL, ["batch"]), caller=caller, version=1, **HERE)
    webhooks.rotate(webhook_id=hook.pk, version=2, caller=caller)
    webhooks.replay(webhook_id=hook.pk, after=0, version=3, caller=caller)
    rows = AuditRow.objects.filter(subject_type="webhook", subject_id=hook.pk).order_by("id")
    assert list(rows.values_list("action", flat=True)) == ["keep", "keep", "rotate", "replay"]
    other = caller_of(finance)
    calls = (
        lambda: webhooks.keep(given=Given("shop", URL), caller=other, **HERE),
        lambda: webhooks.rotate(webhook_id=hook.pk, version=4, caller=other),
        lambda: webhooks.replay(webhook_id=hook.pk, after=0, version=4, caller=other),
        lambda: webhooks.send_again(letter_id=1, caller=other),
    )
    for call in calls:
        with pytest.raises(errors.Refused) as refused:
            call()
        assert [reason.code for reason in refused.value.reasons] == ["not_permitted"]


def test_a_version_that_moved_is_stale(hook, caller):
    webhooks.rotate(webhook_id=hook.pk, version=1, caller=caller)
    for call in (
        lambda: webhooks.keep(given=Given("shop", URL, ["batch"]), caller=caller, version=1, **HERE),
        lambda: webhooks.keep(given=Given("shop", URL, ["batch"]), caller=caller, version=0, **HERE),
        lambda: webhooks.rotate(webhook_id=hook.pk, version=1, caller=caller),
        lambda: webhooks.replay(webhook_id=hook.pk, after=0, version=1, caller=caller),
    ):
        with pytest.raises(errors.Refused) as refused:
            call()
        assert [reason.code for reason in refused.value.reasons] == ["stale"]
