"""keep_user NAME: registers a user in groups, or changes which groups they are in."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from config import commands
from ledger_app.operations import people


class Command(commands.Command):
    """Keeps a user."""

    help = (
        "Register a user in groups; in an administrator's name, change the groups, the password, or whether the user may log in."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--group", action="append", default=[], metavar="G", help="may be given several times")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--inactive", action="store_true", help="the user may not log in")
        parser.add_argument("--user", metavar="U", help="who changes; without, only a user who is not there yet is registered")

    def run(self, **options: Any) -> commands.Outcome:
        """Register or change, unless it is so."""
        user, changed = people.keep_user(
            username=options["name"],
            groups=options["group"],
            password=sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None,
            is_active=not options["inactive"],
            caller=commands.caller(options["user"], deciding=options["user"] is not None),
        )
        data = {"user": user.username, "groups": sorted(set(options["group"])), "active": user.is_active, "changed": changed}
        return commands.Outcome(data, (f"user {user.username}: {'kept' if changed else 'was so already'}",))
