"""drf_create_token USER: gives a user a token for the API, in place of the command of the same name that leaves no word of it."""

from typing import Any

from django.core.management.base import CommandParser

from config import commands
from ledger_app.operations import people


class Command(commands.Command):
    """Gives a token."""

    help = "Give a user a token for the API. Its key is printed this once; what is given leaves an audit row."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username", metavar="USER")
        parser.add_argument("-r", "--reset", action="store_true", help="end the token that the user has, and give another")
        parser.add_argument("--user", metavar="U", help="who gives it; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Give it, unless there is one."""
        username = options["username"]
        key = people.give_token(username=username, is_replaced=options["reset"], caller=commands.caller(options["user"]))
        data = {"user": username, "new": bool(key), "key": key or None}
        if key:
            return commands.Outcome(data, (f"Generated token {key} for user {username}",))
        return commands.Outcome(data, (f"{username} has a token already; its key is not shown again: --reset gives another",))
