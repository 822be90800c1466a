"""The invariants of the feed, asked of the rows alone: its numbers have no gap, it tells all that was done and nothing else, and it is sent where somebody said."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.db.models import Count, Max
from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant, rows
from ledger_app.base.rules.feed import POSTING, UNPUBLISHED
from ledger_app.errors.sentences import say as _
from ledger_app.models import AuditRow, Book, Event, Feed, Webhook

UNTOLD_POSTINGS = f"""
    SELECT posting.id, posting.origin_kind, posting.origin_id
      FROM ledger_app_posting AS posting
      LEFT JOIN ledger_app_event AS event ON event.subject_type = '{POSTING}' AND event.subject_id = posting.id
     WHERE event.id IS NULL
"""
# An event of something that was done says who did what when, and from which state to which, as its audit row does; that of a posting as the posting.
IS_TOLD = """
           event.subject_type = audit.subject_type AND event.subject_id = audit.subject_id
           AND event.kind = {kind} AND event.by_id = audit.actor_id AND event.at = audit.at
           AND COALESCE({from_state}, '') = audit.from_state AND COALESCE({to_state}, '') = audit.to_state
           AND {size} = CASE WHEN audit.from_state = '' THEN 0 ELSE 1 END + CASE WHEN audit.to_state = '' THEN 0 ELSE 1 END
"""
# Of several that say the same, as many as there are: two versions of one source may be loaded at one instant. By the subject, on either side, whatever
# the statistics say: right after a large request one user has most of the rows, and the server, which has not counted them, goes by the user.
UNTOLD_ROWS = f"""
    SELECT audit.subject_type, audit.action, MIN(audit.subject), COUNT(DISTINCT audit.id) - COUNT(DISTINCT event.id)
      FROM ledger_app_auditrow AS audit LEFT JOIN ledger_app_event AS event {{events_by}} ON {IS_TOLD}
     WHERE audit.outcome = 'done' AND audit.subject_type NOT IN ({{untold}})
     GROUP BY audit.subject_type, audit.subject_id, audit.action, audit.actor_id, audit.at, audit.from_state, audit.to_state
    HAVING COUNT(DISTINCT audit.id) <> COUNT(DISTINCT event.id)
"""
STRAY_EVENTS = f"""
    SELECT event.id, event.kind, event.subject_id
      FROM ledger_app_event AS event
      LEFT JOIN ledger_app_auditrow AS audit {{rows_by}} ON audit.outcome = 'done' AND {IS_TOLD}
      LEFT JOIN ledger_app_posting AS posting
        ON event.subject_type = '{POSTING}' AND posting.id = event.subject_id AND event.kind = '{POSTING}.posted'
       AND posting.posted_by_id = event.by_id AND posting.posted_at = event.at
       AND posting.origin_kind = {{origin}} AND posting.origin_id = {{origin_id}} AND posting.entry_count = {{entries}} AND {{size}} = 3
     WHERE audit.id IS NULL AND posting.id IS NULL
"""


def feed_is_whole(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for programs that follow the feed."""
    found = Event.objects.aggregate(count=Count("number"), last=Max("number"))
    heads = list(Feed.objects.values_list("last_number", flat=True))
    last = heads[0] if len(heads) == 1 else None
    if (found["last"] or 0) != found["count"] or found["count"] != last:
        yield _("The feed has {count} numbers up to {found}, and says that {last} were given.").format(
            count=found["count"], found=found["last"], last=last
        )
    for key, kind, origin in rows(UNTOLD_POSTINGS, ()):
        yield _("Posting {key} ({kind} {origin}) has no event: who follows the feed does not know of it.").format(
            key=key, kind=kind, origin=origin
        )


def feed_tells_what_was_done(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for what events say: each is of an audit row or a posting, and says what that says; and each of these has one."""
    words = _words()
    for subject_type, action, subject, _count in rows(UNTOLD_ROWS.format(**words), ()):
        yield _("What the audit rows say was done ({action}, {subject_type} {subject}) is not what the feed tells.").format(
            action=action, subject_type=subject_type, subject=subject
        )
    for key, kind, subject in rows(STRAY_EVENTS.format(**words), ()):
        yield _("Event {key} ({kind} {subject}) tells of what no audit row and no posting says.").format(
            key=key, kind=kind, subject=subject
        )


def _words() -> dict[str, str]:
    """Return what the statements say of the columns of an event, as each database says it."""
    is_sqlite = connection.vendor == "sqlite"
    told = "json_extract(event.facts, '$.{}')" if is_sqlite else "JSON_UNQUOTE(JSON_EXTRACT(event.facts, '$.{}'))"
    names = ("from_state", "to_state", "origin", "origin_id", "entries")
    kind = "audit.subject_type || '.' || audit.action" if is_sqlite else "CONCAT(audit.subject_type, '.', audit.action)"
    return {name: told.format(name) for name in names} | {
        "kind": kind,
        "size": "(SELECT COUNT(*) FROM json_each(event.facts))" if is_sqlite else "JSON_LENGTH(event.facts)",
        "events_by": "" if is_sqlite else "FORCE INDEX (event_subject)",
        "rows_by": "" if is_sqlite else "FORCE INDEX (audit_subject)",
        "untold": ", ".join(f"'{each}'" for each in sorted(UNPUBLISHED)),
    }


def webhooks_are_as_they_were_kept(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for where events are sent to: each address is what the audit rows of it come to."""
    kept: dict[int, dict[str, Any]] = {}
    done = AuditRow.objects.filter(subject_type="webhook", outcome="done").exclude(action="send_again").order_by("id")
    for key, actor, facts in done.values_list("subject_id", "actor_id", "facts"):
        said = kept.setdefault(key, {"version": 0, "generation": 1})
        said |= {name: facts[name] for name in ("url", "kinds", "is_active", "generation") if name in facts}
        said |= {"version": said["version"] + 1, "kept_by_id": actor}
    for row in Webhook.objects.order_by("id"):
        said = kept.pop(row.pk, {})
        if not said or any(getattr(row, name) != value for name, value in said.items()):
            yield _("The webhook {name} is not what its audit rows say.").format(name=row.name)
    for key in sorted(kept):
        yield _("The webhook {name} is not what its audit rows say.").format(name=f"#{key}")


INVARIANTS = (
    Invariant(12, gettext_lazy("The feed tells of every posting, in numbers without a gap."), feed_is_whole),
    Invariant(12, gettext_lazy("The feed tells what was done, and nothing else."), feed_tells_what_was_done),
    Invariant(12, gettext_lazy("Events are sent to the addresses that somebody kept."), webhooks_are_as_they_were_kept),
)
