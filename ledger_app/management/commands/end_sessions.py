"""end_sessions: signs somebody out wherever they are signed in."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.people.operations import sessions


class Command(commands.Command):
    """Ends the sessions of a user."""

    help = "Sign a user out wherever they are signed in."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="whose")
        parser.add_argument("--reason", metavar="T", required=True, help="why, as the audit row tells")
        parser.add_argument(
            "--user", metavar="U", help="who ends them; without it the system, with the account of the operating system"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """End them."""
        name = options["name"]
        sessions.end(username=name, reason=options["reason"], caller=commands.caller(options["user"]))
        return commands.Outcome({"user": name, "ended": True}, (f"{name}: signed out everywhere",))
