"""set_limit GROUP BOOK: says how much a group decides in a book."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.adjustments.operations import reason_codes


class Command(commands.Command):
    """Sets a limit of adjustments."""

    help = "Say how much a member of a group decides in a book, and above which amount by two; in an administrator's name, change it."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("group", metavar="GROUP")
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--most", type=commands.whole, required=True, metavar="N", help="minor units; 0: decides nothing")
        parser.add_argument("--two-above", type=commands.whole, required=True, metavar="N", help="minor units")
        parser.add_argument(
            "--days", type=commands.positive, metavar="N", help="both are in sum over so many days; else as it is, at first 30"
        )
        parser.add_argument(
            "--day-most", type=commands.whole, metavar="N", help="for all members on one day, in minor units; else as it is"
        )
        parser.add_argument(
            "--member-day-most",
            type=commands.whole,
            metavar="N",
            help="what all together decide for one member on one day, in minor units; else as it is",
        )
        parser.add_argument(
            "--all-day-most",
            type=commands.whole,
            metavar="N",
            help="what all together decide on one day, in minor units; else as it is",
        )
        parser.add_argument("--reason-code", default="", metavar="R", help="all of this is of what is adjusted with it")
        parser.add_argument("--user", metavar="U", help="who changes it; without, only one that is not there yet is set")

    def run(self, **options: Any) -> commands.Outcome:
        """Set it, unless it is so."""
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        said = {"amount_most": options["most"], "two_deciders_above": options["two_above"]}
        days = ("day_most", "member_day_most", "all_day_most")
        beside = {"window_days": options["days"], **{name: options[name] for name in days}}
        said |= {name: value for name, value in beside.items() if value is not None}
        named = {name: options[name] for name in ("group", "book", "reason_code")}
        row, _is_new, changed = reason_codes.set_limit(caller=caller, **named, **said)
        said |= {name: getattr(row, name) for name in ("window_days", *days)}
        data = {**named, **said, "changed": changed}
        return commands.Outcome(data, (f"limit of {row}: {'set' if changed else 'was so already'}",))
