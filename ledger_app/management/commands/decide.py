"""decide ADJUSTMENT approve|reject|withdraw --user U: decides a proposed adjustment."""

from functools import partial
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext_lazy as _

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ledger_app import errors
from ledger_app.adjustments.operations import adjustments
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import acts
from ledger_app.models import Adjustment, AuditRow, Entry

DONE_ALREADY = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}


class Command(commands.Command):
    """Decides an adjustment."""

    help = "Approve, reject or withdraw a proposed adjustment; an approval posts it, or is the first of the two that it needs."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("adjustment", type=commands.positive, metavar="ADJUSTMENT")
        parser.add_argument("decision", choices=sorted(DONE_ALREADY), metavar="DECISION", help="approve, reject or withdraw")
        parser.add_argument("--user", required=True, metavar="U", help="who decides")
        parser.add_argument("--reason", default="", metavar="T", help="needed to reject")
        parser.add_argument(
            "--shown", metavar="DIGEST", help="the preview that you were shown; the one that holds now where it is not given"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Decide, unless this user has done so."""
        name, number = options["decision"], options["adjustment"]
        caller = commands.caller(options["user"], deciding=True)
        row = Adjustment.objects.filter(pk=number).first()
        if row is None:
            raise errors.Refused([errors.NotFound(what=_("adjustment"), name=number)])
        wanted = repeating.decision(
            ADJUSTMENT,
            name,
            number,
            caller,
            find=partial(_done, number, name, caller),
            given={"--reason": options["reason"], "--shown": options["shown"] if name == "approve" else None},
            kept={"--shown": lambda done: done.facts["shown"]},
        )
        row = repeating.once(
            wanted, standing=partial(_standing, number, name, caller), act=partial(_decide, row, name, options, caller)
        )
        entry = Entry.objects.filter(posting__origin_kind="adjustment", posting__origin_id=row.pk).first()
        data = {"adjustment": row.pk, "state": row.state, "version": row.version, "entry": entry.reference if entry else None}
        return commands.Outcome(data, (f"adjustment {row} is {row.state}",))


def _decide(row: Adjustment, name: str, options: dict[str, Any], caller: Caller) -> Adjustment:
    shown = options["shown"] if options["shown"] is not None else queries.preview(queries.terms_of(row)).digest
    given = queries.approval_of(row, caller.user, at=caller.at) if name == "approve" else name
    return adjustments.decide(
        adjustment_id=row.pk, name=given, caller=caller, digest_shown=shown, reason=options["reason"], version=row.version
    )


def _standing(number: int, name: str, caller: Caller) -> Adjustment | None:
    """Return the adjustment where it is decided so, or this user has given the first of the two approvals that it needs."""
    row = Adjustment.objects.get(pk=number)
    mine = row.decisions.filter(decided_by=caller.user, decision=DONE_ALREADY[name])
    return row if row.state == DONE_ALREADY[name] or mine.exists() else None


def _done(number: int, name: str, caller: Caller) -> AuditRow | None:
    """Return the audit row of what this user has done, or else of what decided it."""
    names = ("approve", "endorse") if name == "approve" else (name,)
    return acts.last(ADJUSTMENT.subject, number, *names, by=caller.user) or acts.last(ADJUSTMENT.subject, number, *names)
