"""reverse BATCH --user U --reason T: proposes the batch that undoes another, and makes its plan."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands import repeating
from config.doors.commands.counting import counted
from ingestion_app.deciding.operations import reversing
from ingestion_app.deciding.queries import batches
from ingestion_app.management import numbered
from ingestion_app.management.beating import beating
from ingestion_app.models import Batch, Worker
from ingestion_app.reversing.queries import reversals
from ingestion_app.reversing.queries.reversals import Dated, Preview
from ingestion_app.states import BATCH
from ingestion_app.validating.operations import validating
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import money
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.errors import LedgerError, Refused
from ledger_app.errors.words import NOTHING


class Command(commands.Command):
    """Proposes the reversal of a batch, and plans it."""

    help = (
        "Propose the batch that undoes another, entry by entry, and make its plan. It is approved by another person and applied as every "
        "batch is; nothing is posted yet. With --preview: only say what it would come to."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", metavar="U", help="who proposes")
        parser.add_argument("--reason", metavar="T", help="why, as a reader will understand it in a year")
        parser.add_argument("--preview", action="store_true", help="write nothing; say what the reversal would come to")

    def run(self, **options: Any) -> commands.Outcome:
        """Propose, unless this user has done so, and plan what has no plan; or only look."""
        batch = numbered.batch(options["batch"])
        if options["preview"]:
            with snapshot():
                return tell(batch, None, reversals.preview(batch))
        if options["user"] is None or options["reason"] is None:
            raise CommandError(_("say who proposes (--user) and why (--reason)"), returncode=commands.USAGE)
        caller = commands.caller(options["user"], deciding=True)
        done = repeating.once(
            repeating.decision(BATCH, "reverse", batch.pk, caller, given={"--reason": options["reason"]}),
            standing=Batch.objects.filter(reverses=batch, holds_original=True).first,
            act=lambda: reversing.propose(batch_id=batch.pk, reason=options["reason"], caller=caller),
        )
        refused = _plan(done, caller) if done.state == Batch.State.RECEIVED else []
        done.refresh_from_db()
        return tell(batch, done, Preview(True, done.totals, reversals.dates_of(done), refused))


def _plan(reversal: Batch, caller: Caller) -> list[LedgerError]:
    """Validate a reversal that was proposed; return why it has no plan yet, where something is in its way."""
    with beating(Worker.Kind.VALIDATE):
        try:
            validating.validate(
                batch_id=reversal.pk,
                directory=Path(settings.KAKUTEI_FILES_DIR),
                caller=caller,
                now=doorways.now,
                version=reversal.version,
            )
        except Refused as refusal:
            return list(refusal.reasons)
    return []


def tell(batch: Batch, reversal: Batch | None, shown: Preview) -> commands.Outcome:
    """Say what a reversal is, or would be: by book, by date, and why it would be refused."""
    data: dict[str, Any] = {
        "batch": batch.pk,
        "reversal": reversal.pk if reversal else None,
        "reversal_state": reversal.state if reversal else None,
        "plan": batches.hexadecimal(reversal.plan_digest) if reversal else None,
        "is_posted": shown.is_posted,
        "totals": {
            book: dict(zip(("entries", "lines", "debits"), counts, strict=True)) for book, counts in sorted(shown.totals.items())
        },
        "dates": [dated._asdict() for dated in shown.dates],
        "refusals": [refusal.as_dict() for refusal in shown.refusals],
    }
    said = (
        _("the reversal of batch {batch} ({name}) would post at most:")
        if shown.is_posted
        else _("the reversal of batch {batch} ({name}) would post:")
    )
    first = said.format(batch=batch.pk, name=batch)
    if reversal is not None:
        first = _("batch {reversal} reverses batch {batch} ({name}) and is {state}; plan {plan}:").format(
            reversal=reversal.pk, batch=batch.pk, name=batch, state=reversal.state, plan=data["plan"][:12] or NOTHING
        )
    units = money.units_of(shown.totals)
    lines = [
        first,
        *[
            _("  {book}: {entries}, {lines}, debits {debits}").format(
                book=book, entries=counted(entries, "entry"), lines=counted(lines, "line"), debits=money.text(debits, units[book])
            )
            for book, (entries, lines, debits) in sorted(shown.totals.items())
        ],
        *[_dated(dated) for dated in shown.dates],
        *[_("  would be refused: {refusal}").format(refusal=refusal) for refusal in shown.refusals],
    ]
    if reversal is None or not shown.refusals:
        return commands.Outcome(data, tuple(lines))
    way = _("batch {reversal} has no plan: once nothing is in its way, validate {reversal}; or withdraw {reversal}").format(
        reversal=reversal.pk
    )
    return commands.Outcome(data, (first,), commands.REFUSED, (*map(str, shown.refusals), way))


def _dated(dated: Dated) -> str:
    entries = "–" if dated.entries is None else counted(dated.entries, "entry")
    if dated.moved_to is None:
        return _("  {book}, period {period}: on their own dates ({entries})").format(
            book=dated.book, period=dated.period, entries=entries
        )
    return _("  {book}, period {period}: moved to {date}, as a correction of that period ({entries})").format(
        book=dated.book, period=dated.period, date=dated.moved_to, entries=entries
    )
