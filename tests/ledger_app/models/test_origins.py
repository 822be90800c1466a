"""A posting names a row that wrote it, and the database asks whether it is there."""

import pytest
from django.db import Error, connection, transaction

from ledger_app.models import Posting
from tests.support.samples import SmallLedger

pytestmark = pytest.mark.django_db

NOT_THERE = 99_999
INSERT = (
    "INSERT INTO ledger_app_posting (origin_kind, origin_id, posted_by_id, posted_at, reason, entry_count, line_count)"
    " VALUES (%s, %s, %s, '2017-02-01 09:00:00', '', 0, 0)"
)
# Of chunks the application above knows, and its invariant of ``verify`` asks; the ledger's own tables do not name its tables.
OF_THE_APPLICATION_ABOVE = {Posting.Origin.CHUNK}


def forge(ledger: SmallLedger, kind: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [kind, NOT_THERE, ledger.caller.user.pk])


@pytest.mark.parametrize("kind", [*sorted(set(Posting.Origin.values) - OF_THE_APPLICATION_ABOVE), "opening", "demand", ""])
def test_the_database_refuses_a_posting_of_what_is_not_there(ledger: SmallLedger, kind: str) -> None:
    with pytest.raises(Error, match="kakutei"):
        forge(ledger, kind)
    assert not Posting.objects.filter(origin_id=NOT_THERE).exists()
