"""end_token: ends a token for the API, by the beginning of its key."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.rights.operations import tokens
from ledger_app.rights.queries import tokens as rows


class Command(commands.Command):
    """Ends a token."""

    help = "End a token for the API: it opens nothing from then on."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("prefix", metavar="PREFIX", help="the beginning of its key, as list_tokens tells it")
        parser.add_argument(
            "--user", metavar="U", help="who ends it; without, the system, with the account of the operating system"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """End it, unless it has ended."""
        row = rows.of_prefix(options["prefix"])
        was_good = tokens.end(token_id=row.pk, caller=commands.caller(options["user"]))
        told = f"token {row.prefix} of {row.user.username}: {'ended' if was_good else 'had ended already'}"
        return commands.Outcome({"user": row.user.username, "prefix": row.prefix, "ended": was_good}, (told,))
