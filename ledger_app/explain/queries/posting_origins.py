"""Tells of entries that adjustments, merges, runs of expiry, holds and programs brought, each kind in a few statements however many they are."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from ledger_app import sql
from ledger_app.adjustments.queries import adjustment_origins
from ledger_app.models import ExpiryChunk, Hold, Merge, Submission
from ledger_app.posting.queries.origins import Came, Fact, Provenance
from ledger_app.values import instants


def adjustments(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the origins call it
    """Tell who proposed an adjustment, who approved it, and why."""
    del whole
    found = adjustment_origins.decided_of({came.origin_id for came in entries})
    told = {}
    for came in entries:
        row = found.get(came.origin_id)
        if row is None:
            continue
        target = ("ledger_app.adjustment", row.number)
        facts = {
            "adjustment": row.number,
            "reason_code": row.reason,
            "ticket": row.ticket,
            "text": row.text,
            "proposed_by": row.proposed_by,
            "proposed_at": instants.stamp(row.proposed_at),
            "approved": [{"by": who, "at": instants.stamp(at)} for who, at in row.approvals],
        }
        shown = [
            Fact(_("Adjustment"), f"#{row.number}", target),
            Fact(_("Proposed by"), row.proposed_by),
            Fact(_("Decided by"), ", ".join(who for who, _at in row.approvals)),
            Fact(_("Reason"), f"{row.reason} {row.ticket}".strip()),
            Fact(_("Text"), row.text),
        ]
        told[came.entry_id] = Provenance(came.kind, row.sentence, facts, shown, [row.sentence], target)
    return told


def merges(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the origins call it
    """Tell which member was merged into which, who proposed and decided it, and why."""
    del whole
    rows: dict[int, Merge] = {}
    for part in sql.parts(sorted({came.origin_id for came in entries})):
        related = Merge.objects.select_related("holder", "survivor", "proposed_by", "decided_by")
        rows.update((row.pk, row) for row in related.filter(id__in=part))
    told = {}
    for came in entries:
        row = rows.get(came.origin_id)
        if row is None or row.decided_by is None or row.decided_at is None:
            continue
        names = {"holder": str(row.holder), "survivor": str(row.survivor)}
        people = {"proposer": row.proposed_by.username, "decider": row.decided_by.username}
        template = (
            _("Undoing of a merge: {holder} gives back to {survivor}; proposed by {proposer}, decided by {decider}: {reason}")
            if row.undoes_id
            else _("Merge of {holder} into {survivor}: proposed by {proposer}, decided by {decider}: {reason}")
        )
        sentence = template.format(**names, **people, reason=row.reason)
        facts = {
            "merge": row.pk,
            "undoes": row.undoes_id,
            **names,
            "reason": row.reason,
            "proposed_by": people["proposer"],
            "proposed_at": instants.stamp(row.proposed_at),
            "decided_by": people["decider"],
            "decided_at": instants.stamp(row.decided_at),
        }
        shown = [
            Fact(_("Merge"), f"#{row.pk}", ("ledger_app.merge", row.pk)),
            Fact(_("Member"), names["holder"], ("ledger_app.holder", row.holder_id)),
            Fact(_("Proposed by"), people["proposer"]),
            Fact(_("Decided by"), people["decider"]),
            Fact(_("Reason"), row.reason),
        ]
        told[came.entry_id] = Provenance(came.kind, sentence, facts, shown, [sentence], ("ledger_app.merge", row.pk))
    return told


def expiries(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the origins call it
    """Tell which run let points expire: through which day, started by whom and when."""
    del whole
    rows: dict[int, ExpiryChunk] = {}
    for part in sql.parts(sorted({came.origin_id for came in entries})):
        found = ExpiryChunk.objects.filter(id__in=part).select_related("run__book", "run__started_by")
        rows.update((row.pk, row) for row in found)
    told = {}
    for came in entries:
        row = rows.get(came.origin_id)
        if row is None:
            continue
        run = row.run
        sentence = _("Expiry in {book} through {through}, run by {user}").format(
            book=run.book.code, through=run.through.isoformat(), user=run.started_by.username
        )
        facts = {
            "run": run.pk,
            "through": run.through.isoformat(),
            "started_by": run.started_by.username,
            "started_at": instants.stamp(run.started_at),
        }
        shown = [Fact(_("Run of expiry"), f"#{run.pk}"), Fact(_("Through"), run.through.isoformat())]
        told[came.entry_id] = Provenance(came.kind, sentence, facts, shown, [sentence])
    return told


def holds(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the origins call it
    """Tell which hold was settled: its reference, who placed it and when, how much of it was taken."""
    del whole
    rows: dict[int, Hold] = {}
    for part in sql.parts(sorted({came.origin_id for came in entries})):
        rows.update((row.pk, row) for row in Hold.objects.filter(id__in=part).select_related("placed_by"))
    told = {}
    for came in entries:
        row = rows.get(came.origin_id)
        if row is None:
            continue
        sentence = _("Hold {reference}, placed by {placer}, settled by {user}: {settled} of {amount}").format(
            reference=row.reference,
            placer=row.placed_by.username,
            user=came.posted_by,
            settled=row.settled_amount,
            amount=row.amount,
        )
        facts = {
            "hold": row.pk,
            "hold_reference": row.reference,
            "placed_by": row.placed_by.username,
            "placed_at": instants.stamp(row.placed_at),
            "amount": row.amount,
            "settled_amount": row.settled_amount,
        }
        shown = [Fact(_("Hold"), row.reference, ("ledger_app.hold", row.pk)), Fact(_("Placed by"), row.placed_by.username)]
        told[came.entry_id] = Provenance(came.kind, sentence, facts, shown, [sentence], ("ledger_app.hold", row.pk))
    return told


def submissions(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the origins call it
    """Tell which program sent an entry, when, and in which request."""
    del whole
    rows: dict[int, Submission] = {}
    for part in sql.parts(sorted({came.origin_id for came in entries})):
        rows.update((row.pk, row) for row in Submission.objects.filter(id__in=part).select_related("sent_by"))
    told = {}
    for came in entries:
        row = rows.get(came.origin_id)
        if row is None:
            continue
        sentence = _("Request {number} of the program {user} at {at}, of {count} entries").format(
            number=row.pk, user=row.sent_by.username, at=instants.text(row.sent_at), count=row.given_count
        )
        facts = {
            "submission": row.pk,
            "sent_by": row.sent_by.username,
            "sent_at": instants.stamp(row.sent_at),
            "request": row.request,
            "host": row.host,
            "given_count": row.given_count,
        }
        shown = [
            Fact(_("Request"), f"#{row.pk} {row.request}".strip(), ("ledger_app.submission", row.pk)),
            Fact(_("Sent by"), row.sent_by.username),
            Fact(_("Sent at"), instants.text(row.sent_at)),
            Fact(_("Entries that were sent"), str(row.given_count)),
        ]
        told[came.entry_id] = Provenance(came.kind, sentence, facts, shown, [sentence], ("ledger_app.submission", row.pk))
    return told
