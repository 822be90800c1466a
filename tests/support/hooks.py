"""Webhooks for tests that look at pages and lists."""

from datetime import UTC, datetime

from ledger_app.base.operations import feed
from ledger_app.base.operations.audit import Caller
from ledger_app.models import DeadLetter, Webhook
from ledger_app.programs.operations import deliveries, webhooks
from ledger_app.programs.rules import TRIES_MOST

LATER = datetime(2999, 1, 1, tzinfo=UTC)


def failing(name: str, caller: Caller) -> DeadLetter:
    """Return the dead letter of a new webhook that took nothing of the last event."""
    given = webhooks.Given(name, "https://receiver.example/hook")
    hook, _new = webhooks.keep(given=given, hosts=["receiver.example"], may_be_here=False, caller=caller)
    # As it is before the last try.
    Webhook.objects.filter(pk=hook.pk).update(cursor=feed.number() - 1, failures=TRIES_MOST - 1)
    no = deliveries.Reply(is_taken=False, why="timeout")
    deliveries.turn(webhook_id=hook.pk, send=lambda _message: no, now=lambda: LATER, caller=caller)
    return DeadLetter.objects.get(webhook=hook)
