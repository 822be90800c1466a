"""Who may read which report."""

from ledger_app import errors
from ledger_app.errors.reporting import ReportOfOpenDays
from ledger_app.explain.queries import book_spans
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.explain.rules import FREEZE, READ, READERS, RIGHTS
from ledger_app.models import User
from ledger_app.rights.queries.rights import rights_of


def objections(user: User) -> list[errors.LedgerError]:
    """Return why a user reads no report."""
    return [] if RIGHTS & rights_of(user) else [errors.NotPermitted(user=user.username, right=READ, who=READERS)]


def check(user: User, span: BookSpan, *, adds_up: bool) -> None:
    """Refuse a user who may not read a report; and who may freeze the days, where the report ``adds_up`` what they are to hold control totals against.

    :raises errors.Refused: not_permitted, report_of_open_days
    """
    if found := objections(user):
        raise errors.Refused(found)
    if adds_up and FREEZE in rights_of(user) and book_spans.seal_of(span._replace(known_at=None)) is None:
        days = {"first": span.first_on.isoformat(), "last": span.last_on.isoformat()}
        raise errors.Refused([ReportOfOpenDays(book=span.book.code, **days)])
