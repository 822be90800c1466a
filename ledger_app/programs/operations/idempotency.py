"""Requests that may be sent again: the key is written in the transaction of the effect, with what was answered."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Lower

from ledger_app import errors, locks
from ledger_app.base.operations import transactions
from ledger_app.errors import requests
from ledger_app.models import IdempotencyKey, Period, User
from ledger_app.traces.rules import erased

DIFFERING_MOST = 20
NAME_MOST = 64  # characters that are told of a name, which is whatever was sent
PRUNED_AT_ONCE = 1_000
# A day begins this long before midnight in UTC at most, rounded up to a day.
ZONES = timedelta(days=1)


class KeyedRequest(NamedTuple):
    """A request under a key. ``fields`` are keyed digests of what it says, by name; ``digest`` is over path and all of them."""

    user: User
    key: str
    path: str
    digest: bytes
    fields: Mapping[str, str]
    at: datetime


class Answer(NamedTuple):
    """What was answered: ``body`` is JSON."""

    status: int
    body: str
    location: str = ""


def find(asked: KeyedRequest) -> Answer | None:
    """Return what was answered to the same request; None where nothing was sent under its key. Waits for nobody.

    :raises errors.Refused: idempotency_key_reused; idempotency_key_running while the first is being done
    """
    there = IdempotencyKey.objects.filter(user=asked.user, key=asked.key).first()
    if there is None:
        if _is_running(asked):
            raise errors.Refused([requests.IdempotencyKeyRunning()])
        return None
    return _answer(there, asked)


def claim(asked: KeyedRequest, *, is_new: bool) -> IdempotencyKey | Answer:
    """Write the key in the transaction that is open, or return what was answered meanwhile. Anyone who sends the same now waits for this transaction.

    Where it is new, since ``find`` has just found none, it is not looked for again: the one who wrote it in between is met on the unique key, and the transaction
    begins anew.

    :raises errors.Refused: idempotency_key_reused
    """
    there = None if is_new else IdempotencyKey.objects.filter(user=asked.user, key=asked.key).first()
    if there is not None:
        return _answer(there, asked)
    return IdempotencyKey.objects.create(
        user=asked.user,
        key=asked.key,
        path=asked.path,
        digest=asked.digest,
        fields=dict(asked.fields),
        status=0,
        at=asked.at,
    )


def keep(row: IdempotencyKey, answer: Answer) -> None:
    """Keep the answer with its key."""
    row.status, row.body, row.location = answer
    row.save(update_fields=["status", "body", "location"])


def forget(row: IdempotencyKey) -> None:
    """Let go of a key of which nothing was done: the same may be sent again."""
    row.delete()


def erase(names: Collection[str]) -> int:
    """Put the mark of an erasure in the place of names in the answers that say one; return in how many. In the transaction that is open."""
    wanted = Q()
    for name in names:
        # As each renderer writes it: the letter itself, or what stands for it.
        for said in {json.dumps(name, ensure_ascii=is_ascii)[1:-1].lower() for is_ascii in (False, True)}:
            wanted |= Q(lower__contains=said)
    if not wanted:
        return 0
    count = 0
    # All at once: what is read is changed, and no row is read twice.
    for row in list(IdempotencyKey.objects.alias(lower=Lower("body")).filter(wanted).order_by("id").only("id", "body")):
        after = _without(names, row.body)
        if after != row.body:
            row.body = after
            row.save(update_fields=["body"])
            count += 1
    return count


def _without(names: Collection[str], body: str) -> str:
    """Return an answer without names. What its values are called stays: programs read it by that."""
    try:
        said = json.loads(body)
    except ValueError:
        return str(erased.without(names, body))
    after = erased.without(names, said, keeps_keys=True)
    return body if after == said else json.dumps(after, ensure_ascii=False, separators=(",", ":"))


def prune() -> int:
    """Forget the keys that are older than every period that still accepts entries: what they asked for cannot be posted again. Return how many.

    In whatever zone a book is: a key of the last day before the first such period stays. Where no book is open, all stay.
    """
    first = Period.objects.exclude(state=Period.State.FROZEN).order_by("starts_on").values_list("starts_on", flat=True).first()
    if first is None:
        return 0
    before = datetime.combine(first - ZONES, time(), UTC)
    count = 0
    while True:
        old = IdempotencyKey.objects.filter(at__lt=before).order_by("at").values_list("id", flat=True)
        keys = list(old[:PRUNED_AT_ONCE])
        if not keys:
            break
        count += transactions.run(IdempotencyKey.objects.filter(id__in=keys).delete)[0]
    return count


def _answer(there: IdempotencyKey, asked: KeyedRequest) -> Answer:
    if bytes(there.digest) != asked.digest:
        raise errors.Refused([requests.IdempotencyKeyReused(differs=", ".join(_differing(there, asked)))])
    return Answer(there.status, there.body, there.location)


def _differing(there: IdempotencyKey, asked: KeyedRequest) -> list[str]:
    names = there.fields.keys() | asked.fields.keys()
    found = ["address"] if there.path != asked.path else []
    found += sorted(name[:NAME_MOST] for name in names if there.fields.get(name) != asked.fields.get(name))
    return found[:DIFFERING_MOST]


def _is_running(asked: KeyedRequest) -> bool:
    """Whether somebody is writing the key at this moment. On SQLite one writer is done before the next looks."""
    return connection.vendor != "sqlite" and transactions.is_locked(
        lambda: locks.look(IdempotencyKey.objects.filter(user=asked.user, key=asked.key))
    )
