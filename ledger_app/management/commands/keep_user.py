"""keep_user NAME: registers a user in groups, or changes which groups they are in."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.people.operations import people


class Command(commands.Command):
    """Keeps a user."""

    help = (
        "Register a user in groups; in an administrator's name, change the groups, the password, or whether the user may log in. "
        "What gives a right waits for another administrator, where there is one."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME")
        groups = parser.add_mutually_exclusive_group()
        groups.add_argument(
            "--group", action="append", metavar="G", help="may be given several times; as they are where none is given"
        )
        groups.add_argument("--no-group", action="store_true", help="the user is in no group")
        password = parser.add_mutually_exclusive_group()
        password.add_argument("--password-stdin", action="store_true", help="read a password from standard input")
        password.add_argument("--make-password", action="store_true", help="make a password, and print it this once")
        activity = parser.add_mutually_exclusive_group()
        activity.add_argument("--inactive", action="store_true", help="the user may not log in")
        activity.add_argument("--active", action="store_true", help="the user may log in again")
        parser.add_argument(
            "--administrator", choices=["yes", "no"], metavar="A", help="yes or no: whether the user may do everything"
        )
        parser.add_argument("--reason", default="", metavar="T", help="why, for whoever decides on what is given")
        parser.add_argument("--user", metavar="U", help="who changes; without, only a user who is not there yet is registered")

    def run(self, **options: Any) -> commands.Outcome:
        """Register or change, unless it is so."""
        # What is not said stays as it is: a password that is set takes away no group, and lets nobody in again.
        flags = {"is_active": options["active"]} if options["active"] or options["inactive"] else {}
        if options["administrator"] is not None:
            flags["is_superuser"] = options["administrator"] == "yes"
        made = people.made_password(options["name"]) if options["make_password"] else None
        kept = people.keep_user(
            username=options["name"],
            groups=[] if options["no_group"] else options["group"],
            password=sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else made,
            reason=options["reason"],
            caller=commands.caller(options["user"], deciding=options["user"] is not None),
            flags=flags,
        )
        user, proposed = kept.user, kept.proposed
        data = {
            "user": user.username,
            "groups": sorted(set(options["group"] or user.groups.values_list("name", flat=True))),
            "active": user.is_active,
            "changed": kept.is_changed,
        }
        lines = [f"user {user.username}: {'kept' if kept.is_changed else 'as it was' if proposed else 'was so already'}"]
        lines += [f"change #{proposed.pk} of {proposed.setting} is {proposed.state}: another decides it"] if proposed else []
        lines += [f"password, shown this once: {made}"] if made else []
        return commands.Outcome({**data, "proposed": proposed.pk if proposed else None, "password": made}, tuple(lines))
