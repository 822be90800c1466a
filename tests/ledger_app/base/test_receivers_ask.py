"""What a receiver asks for by its answer: to be told nothing any more, or not before a time."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger_app.models import AuditRow, DeadLetter, User
from ledger_app.programs import proofs as feed_proofs
from ledger_app.programs import rules
from ledger_app.programs.operations import deliveries, webhooks
from ledger_app.programs.operations.deliveries import Reply, Turn
from ledger_app.programs.operations.webhooks import Given
from tests.ledger_app.programs import test_deliveries as ordinary
from tests.ledger_app.programs.test_deliveries import HERE, URL, Sent, give_up, happen, turn

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
GONE = Reply(is_taken=False, why="status 410", is_gone=True)
clock, caller, hook = ordinary.clock, ordinary.caller, ordinary.hook


def busy(**wait):
    return lambda _message: Reply(is_taken=False, why="status 429", asked_wait=timedelta(**wait))


def test_a_receiver_that_is_gone_is_sent_nothing_more_and_the_audit_says_so(hook, engineer, clock):
    happen(engineer, "batch.approve", "batch.apply")
    assert turn(hook, lambda _message: GONE, clock) == Turn(ended=1)
    hook.refresh_from_db()
    assert (hook.is_active, hook.is_gone, hook.why, hook.failures, hook.next_at) == (False, True, "status 410", 0, None)
    assert (hook.version, hook.lease, hook.kept_by.username) == (2, "", User.SYSTEM)
    assert not DeadLetter.objects.exists()
    clock.pass_(days=30)
    assert deliveries.due(clock()) == []
    assert turn(hook, Sent(), clock) == Turn()
    row = AuditRow.objects.get(subject_type="webhook", action="end")
    assert (row.subject, row.outcome, row.facts) == ("shop", "done", {"is_active": False, "why": "status 410"})
    assert breaches() == []


def breaches():
    return list(feed_proofs.webhooks_are_as_they_were_kept([]))


def test_what_was_not_taken_then_is_the_first_that_is_sent_where_somebody_has_it_begin_again(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve", "batch.apply")
    turn(hook, lambda _message: GONE, clock)
    webhooks.keep(given=Given("shop", URL), caller=caller, version=2, **HERE)
    sent = Sent()
    assert turn(hook, sent, clock) == Turn(sent=2)
    assert sent.numbers == [last - 1, last]
    hook.refresh_from_db()
    assert (hook.is_active, hook.is_gone, hook.why) == (True, False, "")
    assert breaches() == []


def test_a_dead_letter_that_is_sent_again_to_who_is_gone_stays_one_and_ends_the_deliveries(hook, engineer, caller, clock):
    last = happen(engineer, "batch.approve", "batch.apply")
    give_up(hook, Sent(last - 1), clock)
    letter = DeadLetter.objects.get()
    webhooks.send_again(letter_id=letter.pk, caller=caller)
    assert turn(hook, lambda _message: GONE, clock) == Turn(dead=1, ended=1)
    letter.refresh_from_db()
    hook.refresh_from_db()
    assert (letter.state, letter.why, hook.is_gone) == ("dead", "status 410", True)
    assert breaches() == []


def test_whoever_put_it_out_of_use_meanwhile_is_not_written_over(hook, engineer, caller, clock):
    happen(engineer, "batch.approve")

    def changed(_message):
        webhooks.keep(given=Given("shop", URL, ["batch"]), caller=caller, version=1, **HERE)
        return GONE

    assert turn(hook, changed, clock) == Turn()
    hook.refresh_from_db()
    assert (hook.is_active, hook.version) == (True, 2)


def test_who_asks_to_be_left_alone_longer_than_is_waited_anyway_is_left_alone(hook, engineer, clock):
    last = happen(engineer, "batch.approve")
    assert turn(hook, busy(seconds=120), clock) == Turn(failed=1)
    hook.refresh_from_db()
    assert (hook.next_at - clock(), hook.failures, hook.why) == (timedelta(seconds=120), 1, "status 429")
    clock.pass_(seconds=119)
    assert deliveries.due(clock()) == []
    clock.pass_(seconds=1)
    # What is asked for is no shorter a wait: it backs off as anybody is backed off from.
    assert turn(hook, busy(seconds=1), clock) == Turn(failed=1)
    hook.refresh_from_db()
    assert timedelta(seconds=10) <= hook.next_at - clock() <= timedelta(seconds=20)
    clock.pass_(seconds=20)
    sent = Sent()
    assert turn(hook, sent, clock) == Turn(sent=1)
    assert sent.numbers == [last]


def test_the_last_try_and_a_dead_letter_ask_for_time_as_well(hook, engineer, caller, clock):
    happen(engineer, "batch.approve", "batch.apply")
    give_up(hook, busy(hours=6), clock)
    hook.refresh_from_db()
    gave_up_at = clock() - timedelta(hours=7)
    assert (hook.failures, hook.next_at) == (0, gave_up_at + timedelta(hours=6))
    webhooks.send_again(letter_id=DeadLetter.objects.get().pk, caller=caller)
    assert turn(hook, busy(seconds=90), clock) == Turn(dead=1)
    assert turn(hook, Sent(), clock) == Turn()
    clock.pass_(seconds=90)
    assert turn(hook, Sent(), clock) == Turn(sent=1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("000000000120", 120),
        ("21600", 21_600),
        ("21601", 21_600),
        ("9" * 5_000, 21_600),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("Thursday, 01-Jan-26 00:02:00 GMT", 120),
        ("Thu Jan  1 00:02:00 2026", 120),
        ("Wed, 31 Dec 2025 23:59:59 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 21_600),
        ("Thu, 99 Jan 2026 00:02:00 GMT", 0),
        ("2026-01-01T00:02:00Z", 0),
        ("-1", 0),
        ("+120", 0),
        ("1.5", 0),
        ("１２０", 0),
        ("120, 60", 0),
        ("120 ", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_how_long_is_asked_for_is_read_as_http_says_it_and_bounded(said, seconds):
    assert rules.retry_after(said, AT) == timedelta(seconds=seconds)
