"""decide_setting CHANGE approve|reject|withdraw --user U: decides a proposed change of a setting."""

from typing import Any

from django.core.management.base import CommandParser

from config import commands
from ledger_app.models import SettingChange
from ledger_app.operations import setting_changes
from ledger_app.queries import setting_changes as queries

DONE_ALREADY = {"approve": "applied", "reject": "rejected", "withdraw": "withdrawn"}


class Command(commands.Command):
    """Decides a change of a setting."""

    help = "Approve, reject or withdraw a proposed change of a setting; an approval puts it in force."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("change", type=commands.positive, metavar="CHANGE")
        parser.add_argument("decision", choices=sorted(DONE_ALREADY), metavar="DECISION", help="approve, reject or withdraw")
        parser.add_argument("--user", required=True, metavar="U", help="who decides")
        parser.add_argument("--reason", default="", metavar="T", help="needed to reject")

    def run(self, **options: Any) -> commands.Outcome:
        """Decide, unless this user has done so."""
        name, row = options["decision"], queries.find(options["change"])
        caller = commands.caller(options["user"], deciding=True)
        if not self._is_done(row, name, caller.user.pk):
            given: dict[str, Any] = {"change_id": row.pk, "caller": caller, "version": row.version}
            words = {"note" if name == "approve" else "reason": options["reason"]}
            row = getattr(setting_changes, name)(**given, **words)
        data = {"change": row.pk, "setting": row.setting, "state": row.state, "version": row.version}
        return commands.Outcome(data, (f"change #{row.pk} of {row.setting} is {row.state}",))

    def _is_done(self, row: SettingChange, name: str, user_id: int) -> bool:
        """Whether this user has done this to the change already."""
        by = row.proposed_by_id if name == "withdraw" else row.decided_by_id
        return row.state == DONE_ALREADY[name] and by == user_id
