"""The proof of the feed reads each audit row and each event a few times, however many one user left since the server has counted."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from ledger_app.base.operations import audit, transactions
from ledger_app.programs import proofs as feed_proofs

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

MANY = 400


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(value) for _name, value in cursor.fetchall())


def test_it_goes_by_the_subject_whatever_the_statistics_say(engineer, caller_of) -> None:
    caller = caller_of(engineer, at=datetime(2026, 1, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        # As it is before a large request: the server has counted next to nothing.
        cursor.execute("ANALYZE TABLE ledger_app_auditrow, ledger_app_event")
        cursor.fetchall()
    done: list[tuple[audit.Subject, dict[str, int]]] = [
        (audit.Subject("hold", number, f"h-{number}"), {}) for number in range(MANY)
    ]
    transactions.run(lambda: audit.record_all(done, action="place", caller=caller))
    before = rows_read()
    assert list(feed_proofs.feed_tells_what_was_done([])) == []
    assert rows_read() - before < 20 * MANY
