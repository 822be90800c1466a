"""set_hold_rule BOOK: says how much a book lets be held, for how long, and to which accounts it goes."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.points.operations import hold_rules
from ledger_app.values.most import HOURS_MOST


class Command(commands.Command):
    """Sets a rule of holds."""

    help = (
        "Set how much of an account may be held at once and on one day, for how long, and to which accounts what is held may go."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--amount-most", type=commands.positive, metavar="N", help="of a hold, in minor units; else no limit")
        parser.add_argument(
            "--amount-a-day", type=commands.positive, metavar="N", help="of an account on a day, in minor units; else no limit"
        )
        parser.add_argument(
            "--hours-most", type=commands.positive, default=HOURS_MOST, metavar="N", help="how long a hold may be"
        )
        parser.add_argument(
            "--target",
            action="append",
            default=[],
            metavar="CODE",
            help="an account that takes what is held; may be given several times; each account that is nobody's and keeps no lots where it is not given",
        )
        parser.add_argument("--user", metavar="U", help="who sets it; without, only a rule that is not there yet is set")

    def run(self, **options: Any) -> commands.Outcome:
        """Set it, unless it is so."""
        given = hold_rules.HoldRuleGiven(
            options["amount_most"], options["amount_a_day"], options["hours_most"], tuple(options["target"])
        )
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        rule, _is_new, changed = hold_rules.set_rule(book=books.find(options["book"]), given=given, caller=caller)
        data = {"book": rule.book.code, **given._asdict(), "targets": sorted(given.targets)}
        said = {**data, "targets": " ".join(sorted(given.targets)) or None}
        what = ", ".join(f"{name} {'none' if value is None else value}" for name, value in said.items() if name != "book")
        told = f"{rule}: {what}: {'set' if changed else 'was so already'}"
        return commands.Outcome({**data, "changed": changed}, (told,))
