"""reverse_entry ENTRY: proposes to reverse an entry; with --decide, decides a proposal."""

import re
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import acts
from ledger_app.explain.queries import explain
from ledger_app.models import AuditRow, Entry, Reversal
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from ledger_app.reversals.queries import Preview
from ledger_app.reversals.rules import REVERSAL
from ledger_app.values.amounts import decimal_text

NUMBER = re.compile(r"[0-9]{1,18}")
DECISIONS = {"approve": Reversal.State.POSTED, "reject": Reversal.State.REJECTED, "withdraw": Reversal.State.WITHDRAWN}


class Command(commands.Command):
    """Proposes and decides the reversal of one entry."""

    help = (
        "Propose to reverse an entry, BOOK/REFERENCE or a number, or say with --preview what that would do. With --decide, another person decides the "
        "proposal that stands; what is proposed or posted already is printed."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("entry", metavar="ENTRY")
        parser.add_argument("--user", metavar="U", help="who proposes or decides")
        parser.add_argument("--reason", default="", metavar="T")
        parser.add_argument("--ticket", default="", metavar="N")
        parser.add_argument("--decide", choices=sorted(DECISIONS), help="what is decided of the proposal that stands")
        parser.add_argument("--shown", metavar="DIGEST", help="the preview that U was shown; as it is now where it is not given")
        parser.add_argument("--preview", action="store_true", help="write nothing, and say what would be posted and refused")

    def run(self, **options: Any) -> commands.Outcome:
        """Preview, propose or decide."""
        entry = _find(options["entry"])
        there = asked.current(entry)
        if options["preview"]:
            return _told(entry, there, asked.preview(entry))
        if not options["user"]:
            raise CommandError(_("--user is needed to propose or to decide"), returncode=commands.USAGE)
        if options["decide"]:
            return _told(entry, _decide(entry, options), asked.preview(entry))
        return _told(entry, _propose(entry, options), asked.preview(entry))


def _find(text: str) -> Entry:
    book, _slash, reference = text.partition("/")
    is_number = NUMBER.fullmatch(text) is not None
    entry = explain.find_entry(number=int(text)) if is_number else explain.find_entry(book=book, reference=reference)
    if entry is None:
        raise errors.Refused([errors.NotFound(what=_("entry"), name=text)])
    return entry


def _propose(entry: Entry, options: dict[str, Any]) -> Reversal:
    """Propose, unless this user has done so in the same words."""
    caller, reason, ticket, shown = commands.caller(options["user"]), options["reason"], options["ticket"], options["shown"]

    def find() -> AuditRow | None:
        there = asked.current(entry)
        return acts.last(REVERSAL.subject, there.pk, "propose") if there else None

    return repeating.once(
        repeating.Decision(
            label=reversals.PROPOSING,
            caller=caller,
            find=find,
            given={"--reason": reason, "--ticket": ticket, "--shown": shown},
            kept={"--ticket": lambda row: row.facts["ticket"], "--shown": lambda row: row.facts["digest"]},
        ),
        standing=partial(asked.current, entry),
        act=lambda: reversals.propose(entry_id=entry.pk, reason=reason, ticket=ticket, digest_shown=shown, caller=caller),
    )


def _decide(entry: Entry, options: dict[str, Any]) -> Reversal:
    """Decide the proposal that stands or was the last, unless this user has done so."""
    name, caller = options["decide"], commands.caller(options["user"], deciding=True)
    row = asked.current(entry) or Reversal.objects.filter(entry=entry).order_by("-id").first()
    if row is None:
        raise errors.Refused([errors.NotFound(what=_("reversal"), name=entry.reference)])
    wanted = repeating.decision(
        REVERSAL,
        name,
        row.pk,
        caller,
        given={"--reason": options["reason"], "--shown": options["shown"] if name == "approve" else None},
        kept={"--shown": lambda done: done.facts["shown"]},
    )
    standing = Reversal.objects.filter(pk=row.pk, state=DECISIONS[name]).first
    return repeating.once(wanted, standing=standing, act=partial(_act, entry, row, options, caller))


def _act(entry: Entry, row: Reversal, options: dict[str, Any], caller: Caller) -> Reversal:
    given: dict[str, Any] = {"reversal_id": row.pk, "caller": caller}
    if options["decide"] == "approve":
        shown = options["shown"]
        if shown is None:
            shown = asked.preview_on(entry, row.effective_on, row.prior_period).digest
        return reversals.approve(digest_shown=shown, note=options["reason"], **given)
    act = reversals.reject if options["decide"] == "reject" else reversals.withdraw
    return act(reason=options["reason"], **given)


def _told(entry: Entry, row: Reversal | None, preview: Preview) -> commands.Outcome:
    is_open = row is None or row.state == Reversal.State.PROPOSED
    balances: list[dict[str, Any]] = [
        {"account": each.account, "amount": each.amount, "before": each.before, "after": each.after} for each in preview.balances
    ]
    effective_on = row.effective_on if row else preview.draft.effective_on if preview.draft else None
    data = {
        "book": entry.book.code,
        "entry": entry.pk,
        "reference": entry.reference,
        "reversal": row.pk if row else None,
        "state": row.state if row else None,
        "date": effective_on.isoformat() if effective_on else None,
        "prior_period": row.prior_period if row else preview.prior_period,
        "posted_entry": row.reversal_id if row else None,
        "preview": preview.digest if is_open else None,
        "balances": balances if is_open else [],
        "lots": [asdict(lot) for lot in preview.lots] if is_open else [],
        "refusals": [reason.as_dict() for reason in preview.refusals] if is_open else [],
    }
    state = row.get_state_display() if row else _("not proposed")
    first = _("Reversal of {reference}: {state}, dated {date}").format(
        reference=entry.reference, state=state, date=data["date"] or "–"
    )
    exponent, unit = entry.book.exponent, entry.book.unit
    said = [
        f"  {each['account']}: {decimal_text(each['before'], exponent)} → {decimal_text(each['after'], exponent)} {unit}"
        for each in (balances if is_open else [])
    ]
    refused = [str(reason) for reason in preview.refusals] if is_open else []
    lots = [f"  {lot}" for lot in preview.lots] if is_open else []
    return commands.Outcome(data, (first, *said, *lots, *refused))
