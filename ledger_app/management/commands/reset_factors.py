"""reset_factors: takes away the second factors of somebody who has lost theirs."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.people.operations import factors


class Command(commands.Command):
    """Resets the second factors of a user."""

    help = "Take away all second factors and recovery codes of a user, and end their sessions."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="whose")
        parser.add_argument("--reason", metavar="T", required=True, help="why, as the audit row tells")
        parser.add_argument(
            "--user", metavar="U", help="who resets; without it the system, with the account of the operating system"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Reset them."""
        caller = commands.caller(options["user"])
        was_reset = factors.reset(username=options["name"], reason=options["reason"], caller=caller)
        told = f"{options['name']}: {'second factors reset' if was_reset else 'has no second factor'}"
        return commands.Outcome({"user": options["name"], "reset": was_reset}, (told,))
