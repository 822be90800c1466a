"""decide ADJUSTMENT approve|reject|withdraw --user U: decides a proposed adjustment."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext_lazy as _

from config import commands
from ledger_app import errors
from ledger_app.models import Adjustment, Entry
from ledger_app.operations import adjustments
from ledger_app.queries import adjustments as queries

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
        """Decide, unless it was done."""
        name, number = options["decision"], options["adjustment"]
        caller = commands.caller(options["user"], deciding=True)
        row = Adjustment.objects.filter(pk=number).first()
        if row is None:
            raise errors.Refused([errors.NotFound(what=_("adjustment"), name=number)])
        if not self._is_done(row, name, caller.user.pk):
            shown = options["shown"] if options["shown"] is not None else queries.preview(queries.terms_of(row)).digest
            given = queries.approval_of(row, caller.user, at=caller.at) if name == "approve" else name
            row = adjustments.decide(
                adjustment_id=number, name=given, caller=caller, digest_shown=shown, reason=options["reason"], version=row.version
            )
        entry = Entry.objects.filter(posting__origin_kind="adjustment", posting__origin_id=row.pk).first()
        data = {"adjustment": row.pk, "state": row.state, "version": row.version, "entry": entry.reference if entry else None}
        return commands.Outcome(data, (f"adjustment {row} is {row.state}",))

    def _is_done(self, row: Adjustment, name: str, user_id: int) -> bool:
        """Whether this user has done this to the adjustment already."""
        if name == "withdraw":
            return row.state == "withdrawn" and row.proposed_by_id == user_id
        return row.decisions.filter(decided_by=user_id, decision=DONE_ALREADY[name]).exists()
