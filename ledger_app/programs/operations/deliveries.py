"""Sends events to webhooks: in the order of their numbers, each at least once, by one process at a time for each webhook.

Nothing is held in the database while a receiver is waited for: the row says by a lease who delivers, and what became of a message is written
afterwards. Who is killed between the two has sent what will be sent again.
"""

import random
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ledger_app import locks
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import DeadLetter, Event, Feed, Webhook
from ledger_app.programs import rules
from ledger_app.programs.operations import webhooks

# Longer than one message may take: who still works renews it with each.
LEASE: Final = timedelta(seconds=60)
TURN: Final = timedelta(seconds=30)
EVENTS_A_TURN: Final = 100
WHY_MOST: Final = 100


class Message(NamedTuple):
    """What is to be sent: ``generations`` are those of the secret that it is signed under."""

    webhook_id: int
    url: str
    id: str
    body: str
    generations: tuple[int, ...]


class Reply(NamedTuple):
    """Whether a receiver took a message, and why not; whether it says that it is there no more, and how long it asks to be left alone."""

    is_taken: bool
    why: str = ""
    is_gone: bool = False
    asked_wait: timedelta = rules.NO_WAIT


class Turn(NamedTuple):
    """What became of the messages of a turn: how many were taken, failed, and given up; and whether it ended the deliveries."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    ended: int = 0

    def and_(self, other: "Turn") -> "Turn":
        """Return the sum of both."""
        return Turn(*(one + two for one, two in zip(self, other, strict=True)))


Send = Callable[[Message], Reply]
Clock = Callable[[], datetime]


class _Lost(Exception):
    """The lease is another's by now, or the webhook was changed: what this one believes is not so any more."""


def due(at: datetime) -> list[int]:
    """Return the webhooks that have something to be sent now and that nobody delivers for, those first that failed least."""
    letters = DeadLetter.objects.filter(webhook=OuterRef("pk"), state=DeadLetter.State.AGAIN)
    last = Feed.objects.values_list("last_number", flat=True).get()
    rows = _free(Webhook.objects.all(), at).filter(Q(cursor__lt=last) | Exists(letters))
    return list(rows.order_by("failures", "id").values_list("id", flat=True))


def turn(*, webhook_id: int, send: Send, now: Clock, caller: Caller) -> Turn:
    """Send the next events to one webhook, for a while; return what became of each. A webhook that another process serves, or that is not due, is left alone.

    It ends with the first message that is not taken: that one is tried again later, and then given up, before the next. A receiver that says that it
    is there no more ends the deliveries to it, in the name of ``caller``; that message is the first where somebody has them begin again.

    :raises errors.TryAgain: when the database was busy or away
    """
    row = transactions.run(lambda: _take(webhook_id, now()))
    if row is None:
        return Turn()
    done = Turn()
    try:
        done = _letters(row, send, now, caller)
        if not done.failed and not done.dead:
            done = done.and_(_events(row, send, now, caller))
    except _Lost:
        pass
    finally:
        transactions.run(lambda: _release(row))
    return done


def _free(rows: QuerySet[Webhook], at: datetime) -> QuerySet[Webhook]:
    is_due = Q(next_at__isnull=True) | Q(next_at__lte=at)
    is_free = Q(leased_until__isnull=True) | Q(leased_until__lte=at)
    return rows.filter(is_due, is_free, is_active=True)


def _take(webhook_id: int, at: datetime) -> Webhook | None:
    row = locks.own_if_there(_free(Webhook.objects.filter(pk=webhook_id), at))
    if row is not None:
        row.lease, row.leased_until = secrets.token_hex(16), at + LEASE
        row.save(update_fields=["lease", "leased_until"])
    return row


def _release(row: Webhook) -> None:
    there = locks.own_if_there(Webhook.objects.filter(pk=row.pk, lease=row.lease))
    if there is not None:
        there.lease, there.leased_until = "", None
        there.save(update_fields=["lease", "leased_until"])


def _letters(row: Webhook, send: Send, now: Clock, caller: Caller) -> Turn:
    """Send what somebody asked for again; the first that is not taken is given up again at once."""
    asked = DeadLetter.objects.filter(webhook=row, state=DeadLetter.State.AGAIN).select_related("event__by")
    sent = 0
    for letter in asked.order_by("event__number")[:EVENTS_A_TURN]:
        reply = send(_message(row, letter.event, now()))
        transactions.run(lambda: _settle_letter(row, letter, reply, replace(caller, at=now())))  # noqa: B023 - run before the next is looked at
        if not reply.is_taken:
            return Turn(sent, dead=1, ended=int(reply.is_gone))
        sent += 1
    return Turn(sent)


def _events(row: Webhook, send: Send, now: Clock, caller: Caller) -> Turn:
    end = now() + TURN
    passed, sent = row.cursor, 0
    for event in Event.objects.filter(number__gt=row.cursor).order_by("number").select_related("by")[:EVENTS_A_TURN]:
        if rules.wants(row.kinds, event.kind):
            reply = send(_message(row, event, now()))
            became = transactions.run(lambda: _settle(row, event, reply, replace(caller, at=now())))  # noqa: B023 - as above
            if not reply.is_taken:
                return became._replace(sent=sent)
            row.cursor = event.number or row.cursor
            sent += 1
        passed = event.number or passed
        if now() > end:
            break
    if passed > row.cursor:
        transactions.run(lambda: _pass(row, passed, now()))
    return Turn(sent)


def _message(row: Webhook, event: Event, at: datetime) -> Message:
    number = event.number or 0
    body = rules.body(
        number=number,
        kind=event.kind,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        by=event.by.username,
        at=event.at,
        facts=event.facts,
    )
    signed_under = rules.generations(row.generation, row.overlap_until, at)
    return Message(row.pk, row.url, rules.message_id(number), body, signed_under)


def _locked(row: Webhook, at: datetime) -> Webhook:
    """Lock the row and renew the lease, where it is still this one's and nobody changed the webhook."""
    there = locks.own_if_there(Webhook.objects.filter(pk=row.pk, lease=row.lease, version=row.version, cursor=row.cursor))
    if there is None or not there.is_active:
        raise _Lost
    there.leased_until = at + LEASE
    return there


def _settle(row: Webhook, event: Event, reply: Reply, caller: Caller) -> Turn:
    """Write what became of an event, and return it."""
    at = caller.at
    there = _locked(row, at)
    if reply.is_gone:
        webhooks.end(there, why=reply.why[:WHY_MOST], caller=caller)
        return Turn(ended=1)
    tries = there.failures + 1
    is_dead = not reply.is_taken and tries >= rules.TRIES_MOST
    letters = DeadLetter.objects.filter(webhook=there, event=event)
    if reply.is_taken or is_dead:
        there.cursor, there.failures, there.why = event.number or there.cursor, 0, ""
        there.next_at = at + reply.asked_wait if reply.asked_wait else None
    else:
        there.failures, there.why = tries, reply.why[:WHY_MOST]
        # Not a secret: it keeps those that failed together from coming back together.
        there.next_at = at + rules.wait(tries, random.randint(0, rules.CHANCE_MOST), asked=reply.asked_wait)  # noqa: S311
    if reply.is_taken:
        letters.update(state=DeadLetter.State.SENT)
    elif is_dead:
        given_up = {"state": DeadLetter.State.DEAD, "tries": tries, "why": reply.why[:WHY_MOST], "at": at}
        DeadLetter.objects.update_or_create(webhook=there, event=event, defaults=given_up)
    there.save(update_fields=["cursor", "failures", "why", "next_at", "leased_until"])
    return Turn(dead=1) if is_dead else Turn(failed=int(not reply.is_taken))


def _settle_letter(row: Webhook, letter: DeadLetter, reply: Reply, caller: Caller) -> None:
    at = caller.at
    there = _locked(row, at)
    if reply.is_gone:
        webhooks.end(there, why=reply.why[:WHY_MOST], caller=caller)
    if reply.asked_wait:
        there.next_at = at + reply.asked_wait
    there.save(update_fields=["leased_until", "next_at"])
    state = DeadLetter.State.SENT if reply.is_taken else DeadLetter.State.DEAD
    why = {} if reply.is_taken else {"why": reply.why[:WHY_MOST], "at": at}
    DeadLetter.objects.filter(pk=letter.pk).update(state=state, tries=F("tries") + 1, **why)


def _pass(row: Webhook, number: int, at: datetime) -> None:
    """Go past events that are not wanted."""
    there = _locked(row, at)
    there.cursor = number
    there.save(update_fields=["cursor", "leased_until"])
