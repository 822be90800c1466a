"""What must hold of the feed, asked of the rows alone: its numbers have no gap, and every posting has its event."""

from collections.abc import Iterator, Sequence

from django.db.models import Count, Max
from django.utils.translation import gettext_lazy

from ledger_app.errors.sentences import say as _
from ledger_app.models import Book, Event, Feed
from ledger_app.queries.proofs import Statement, rows
from ledger_app.rules.feed import POSTING

UNTOLD = f"""
    SELECT posting.id, posting.origin_kind, posting.origin_id
      FROM ledger_app_posting AS posting
      LEFT JOIN ledger_app_event AS event ON event.subject_type = '{POSTING}' AND event.subject_id = posting.id
     WHERE event.id IS NULL
"""


def feed_is_whole(_books: Sequence[Book]) -> Iterator[str]:
    """Statement 12, for programs that follow the feed."""
    found = Event.objects.aggregate(count=Count("number"), last=Max("number"))
    last = Feed.objects.values_list("last_number", flat=True).first()
    if (found["last"] or 0) != found["count"] or found["count"] != last:
        yield _("The feed has {count} numbers up to {found}, and says that {last} were given.").format(
            count=found["count"], found=found["last"], last=last
        )
    for key, kind, origin in rows(UNTOLD, ()):
        yield _("Posting {key} ({kind} {origin}) has no event: who follows the feed does not know of it.").format(
            key=key, kind=kind, origin=origin
        )


STATEMENTS = (Statement(12, gettext_lazy("The feed tells of every posting, in numbers without a gap."), feed_is_whole),)
