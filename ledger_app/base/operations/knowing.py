"""Makes sure that what was known at an instant is known for good, before it is told.

A posting is dated when it is written and seen when it is committed. So a report of what was known at an instant waits until nobody is in between:
anyone who posts to a book holds its row shared, from before the posting is dated until it is committed, and this takes the row alone for a moment.
"""

from datetime import datetime, timedelta

from ledger_app import errors, locks
from ledger_app.base.operations import transactions
from ledger_app.base.queries import clock
from ledger_app.errors import reversing
from ledger_app.models import Book
from ledger_app.values import instants

# No transaction that posts is open this long: the server ends a session that idles in one after the time of a lease (docs/decisions/0045).
SETTLED_AFTER = timedelta(hours=1)


def settle(*, book: Book, known_at: datetime | None) -> None:
    """Return when every posting of ``book`` that is dated up to ``known_at`` can be seen or never will be; at once where nothing is asked.

    To be called before the reading, and before a snapshot of it begins.

    :raises errors.Refused: known_at_ahead
    :raises errors.TryAgain: where the one who posts to the book took too long
    """
    if known_at is None or known_at < clock.now() - SETTLED_AFTER:
        return

    def work() -> None:
        locks.alone_in_book(book.pk)
        now = clock.now()
        if known_at >= now:
            raise errors.Refused([reversing.KnownAtAhead(known_at=instants.stamp(known_at), now=instants.stamp(now))])

    transactions.run(work)
