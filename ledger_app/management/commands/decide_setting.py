"""decide_setting CHANGE approve|reject|withdraw --user U: decides a proposed change of a setting."""

from functools import partial
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ledger_app.models import SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries
from ledger_app.setting_changes.rules import CHANGE

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
        given: dict[str, Any] = {"change_id": row.pk, "caller": caller, "version": row.version}
        given["note" if name == "approve" else "reason"] = options["reason"]
        row = repeating.once(
            repeating.decision(CHANGE, name, row.pk, caller, given={"--reason": options["reason"]}),
            standing=SettingChange.objects.filter(pk=row.pk, state=DONE_ALREADY[name]).first,
            act=partial(getattr(setting_changes, name), **given),
        )
        data = {"change": row.pk, "setting": row.setting, "state": row.state, "version": row.version}
        return commands.Outcome(data, (f"change #{row.pk} of {row.setting} is {row.state}",))
