"""The feed of what changed: each change leaves an event in its own transaction, and gets its number when everybody can see it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from ledger_app import locks, sql
from ledger_app.base.operations import bulk, transactions
from ledger_app.base.rules.feed import is_published
from ledger_app.models import Event, Feed, User

NUMBERED_AT_ONCE = 1_000
CALLS_MOST = 20


def tell(*, subject_type: str, subject_id: int, action: str, by: User, at: datetime, facts: Mapping[str, Any]) -> None:
    """Leave an event in the transaction that is open, where the feed tells of such subjects."""
    if is_published(subject_type):
        Event.objects.create(
            kind=f"{subject_type}.{action}", subject_type=subject_type, subject_id=subject_id, by=by, at=at, facts=dict(facts)
        )


def tell_all(*, subjects: Sequence[tuple[str, int]], action: str, by: User, at: datetime) -> None:
    """Leave the events of what was done alike to many subjects, each a kind and a number."""
    rows = [
        Event(kind=f"{kind}.{action}", subject_type=kind, subject_id=key, by=by, at=at, facts={})
        for kind, key in subjects
        if is_published(kind)
    ]
    Event.objects.bulk_create(rows, batch_size=bulk.OBJECTS_A_CALL)


def number() -> int:
    """Give numbers to the events that are committed and have none, in the order in which they were written; return the last number.

    One process does so at a time. What commits later gets a later number, though it may have begun before: so no reader can miss it.

    :raises errors.TryAgain: when the database was busy or away
    """
    for _call in range(CALLS_MOST):
        if not Event.objects.filter(number__isnull=True).exists() or transactions.run(_number) < NUMBERED_AT_ONCE:
            break
    return Feed.objects.values_list("last_number", flat=True).get()


def _number() -> int:
    head = locks.own_row(Feed, Feed.objects.values_list("pk", flat=True).get())
    waiting = Event.objects.filter(number__isnull=True).order_by("id").values_list("id", flat=True)[:NUMBERED_AT_ONCE]
    given = [[key, each] for each, key in enumerate(waiting, head.last_number + 1)]
    if given:
        # By their keys: a small table would else be read whole, and anyone who is writing an event be waited for.
        statement = bulk.setting(
            given=sql.given_rows({"id": sql.INTEGER, "number": sql.INTEGER}),
            table="ledger_app_event",
            row="event",
            on="event.id = given.id",
            values={"number": "given.number"},
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(given)])
        Feed.objects.update(last_number=given[-1][1])
    return len(given)
