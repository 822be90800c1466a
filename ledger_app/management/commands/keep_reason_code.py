"""keep_reason_code CODE: adds a reason code with its contra accounts, or changes it."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.adjustments.operations import reason_codes


class Command(commands.Command):
    """Keeps a reason code."""

    help = "Add a reason code with the account that takes the other side in each book; in the name of finance, change one."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("--name", required=True, metavar="T")
        parser.add_argument("--contra", action="append", default=[], metavar="BOOK=ACCOUNT", help="once for each book")
        parser.add_argument("--may-waive-floor", action="store_true", help="let a decided adjustment break a floor")
        parser.add_argument("--out-of-use", action="store_true", help="nobody proposes under it any more")
        parser.add_argument("--user", metavar="U", help="who changes it; without, only one that is not there yet is added")

    def run(self, **options: Any) -> commands.Outcome:
        """Add or change it, unless it is so."""
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        said = {
            "name": options["name"],
            "may_waive_floor": options["may_waive_floor"],
            "is_active": not options["out_of_use"],
            "contra_accounts": commands.pairs(options["contra"]),
        }
        row, _is_new, changed = reason_codes.keep(code=options["code"], caller=caller, **said)
        data = {"reason_code": row.code, "version": row.version, "changed": changed, **said}
        return commands.Outcome(data, (f"reason code {row.code}: {'kept' if changed else 'was so already'}",))
