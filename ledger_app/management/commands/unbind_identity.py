"""unbind_identity: takes away whom the provider of single sign-on knows a user as."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.people.operations import identities


class Command(commands.Command):
    """Unbinds a user."""

    help = "Unbind a user from the provider of single sign-on, and end their sessions."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="who is unbound")
        parser.add_argument("--reason", metavar="T", required=True, help="why, as the audit row tells")
        parser.add_argument(
            "--user", metavar="U", help="who unbinds; without it the system, with the account of the operating system"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Unbind them."""
        name, caller = options["name"], commands.caller(options["user"])
        was_bound = identities.unbind(username=name, reason=options["reason"], caller=caller)
        told = f"{name}: {'unbound' if was_bound else 'is bound to no identity'}"
        return commands.Outcome({"user": name, "unbound": was_bound}, (told,))
