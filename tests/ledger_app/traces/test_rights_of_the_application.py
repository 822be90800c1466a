"""With the application's own rights and every trigger in force, one value at a time is changed or removed, and ``verify`` names it.

Of a table with history a change without a line of it is named, whichever column (test_every_column). Here are those without: each column that the
runbook lets the application change. What is not tried stands in ``OF_NO_WEIGHT``, each with its reason.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import Error, connection, models, transaction

from ledger_app.adjustments.proofs import weight as weight_proofs
from ledger_app.base import proofs
from ledger_app.members.operations import members
from ledger_app.models import Book, Identifier, User
from ledger_app.people.proofs import signing as signing_proofs
from ledger_app.people.proofs import user as user_proofs
from ledger_app.programs import proofs as feed_proofs
from ledger_app.traces import operations as tracing
from ledger_app.traces.proofs import change as change_proofs
from ledger_app.traces.rules import traces as rules
from tests.docs.test_grants import granted
from tests.ledger_app.base.test_every_column import another
from tests.support import every_table

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.anywhere]

# Columns that the program changes all the time, and of which nothing depends.
OF_NO_WEIGHT = {
    "ledger_app_event": {"number"},  # given when it is read; the numbers have no gap
    "ledger_app_feed": set(),
    "ingestion_app_finding": set(),
    "ledger_app_identity": set(),
    "ledger_app_recoverycode": set(),
    # Counted at each use, and by the app itself.
    "ledger_app_secondfactor": {"step", "failures", "last_used_at"},
    "ledger_app_token": {"last_used_at"},
    "ledger_app_webhook": {"overlap_until", "cursor", "failures", "why", "next_at", "lease", "leased_until", "name"},
}
OTHERS = ("ledger_app_identifier", "ledger_app_user_groups", "ledger_app_user_user_permissions", *rules.CHANGING, *OF_NO_WEIGHT)


def breaches(books: proofs.Scope) -> Iterator[str]:
    """Yield what is found, by those that are asked of changes first."""
    parts = (change_proofs, user_proofs, signing_proofs, feed_proofs, weight_proofs)
    first = [each for part in parts for each in part.INVARIANTS]
    for invariant in [*first, *(each for each in proofs.invariants() if each not in first)]:
        yield from invariant.breaches(proofs.Scope(list(books)))


def is_missed(books: proofs.Scope, sql: str, given: list[Any]) -> bool:
    """Whether the database takes a change that nothing names; it is taken back."""
    found = "refused"
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(sql, given)
                assert cursor.rowcount == 1
            found = next(breaches(books), "")
            transaction.set_rollback(True)
    except Error:
        pass
    return not found


def rows_of(model: type[models.Model]) -> list[dict[str, Any]]:
    """Return the first row of a table, and the last, by column."""
    columns = [str(field.column) for field in model._meta.concrete_fields]
    names = ", ".join(map(connection.ops.quote_name, columns))
    found = []
    with connection.cursor() as cursor:
        for order in ("ASC", "DESC"):
            cursor.execute(f"SELECT {names} FROM {model._meta.db_table} ORDER BY 1 {order} LIMIT 1")
            found += [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return found if found[:1] != found[1:] else found[:1]


@pytest.fixture
def sound(files_dir):
    """Do everything once, give an identifier again, and return the books, in which nothing is wrong."""
    world = every_table.build(files_dir.parent)
    given = Identifier.objects.get(kind="card_token")
    support = world.caller(world.support)
    again = members.give(
        holder_id=given.holder_id,
        kind="card_token",
        value=given.value,
        span=members.Span(date(2017, 3, 2), None),
        caller=support,
        reason="Found.",
    )
    assert again.answer is members.Answer.AGAIN
    tracing.link(at=datetime.now(tz=UTC) + timedelta(minutes=1), distance=timedelta(0))
    books = proofs.Scope(Book.objects.order_by("id"))
    assert list(breaches(books)) == []
    return books


def test_what_the_application_may_change_and_has_no_history_is_changed_by_the_program_alone(sound):
    rights, missed = granted(), []
    for model in apps.get_models(include_auto_created=True):
        table, key = model._meta.db_table, str(model._meta.pk.column)
        if table not in OTHERS:
            continue
        for row in rows_of(model):
            where, quote = f"WHERE {connection.ops.quote_name(key)} = %s", connection.ops.quote_name
            if (
                "DELETE" in rights[table]
                and table != "ingestion_app_chunk"
                and is_missed(sound, f"DELETE FROM {table} {where}", [row[key]])
            ):
                missed.append(f"{table} {row[key]} removed")
            if "UPDATE" not in rights[table]:
                continue
            for field in model._meta.concrete_fields:
                exempt = OF_NO_WEIGHT.get(table, set()) | {key}
                column = str(field.column)
                if column in exempt or (table, column) in rules.UNTRACED_COLUMNS:
                    continue
                after = another(field, row[column])
                if is_missed(sound, f"UPDATE {table} SET {quote(column)} = %s {where}", [after, row[key]]):
                    missed.append(f"{table}.{column} of {row[key]}: {row[column]!r} → {after!r}")
    groups = User.groups.through._meta.db_table
    added = f"INSERT INTO {groups} (user_id, group_id) SELECT {User.objects.get(username='sora').pk}, id FROM auth_group WHERE name = 'auditor'"
    assert not is_missed(sound, added, [])
    assert not is_missed(sound, "UPDATE ledger_app_user SET password = 'x' WHERE username = 'sora'", [])
    assert "\n".join(missed) == ""
