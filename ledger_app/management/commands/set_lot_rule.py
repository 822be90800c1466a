"""set_lot_rule BOOK ROLE: says what the accounts of a role do with lots."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.models import LotRule
from ledger_app.points.operations import lot_rules


class Command(commands.Command):
    """Sets a rule of lots."""

    help = "Set when the lots of a role expire, in which order they are spent, and which account takes what expires."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("role", metavar="ROLE")
        parser.add_argument("--expiry", choices=LotRule.Expiry.values, required=True)
        parser.add_argument("--validity", type=commands.positive, metavar="N", help="days or months")
        parser.add_argument("--fixed-on", type=commands.iso_date, metavar="DATE", help="the last day of every lot")
        parser.add_argument("--order", choices=LotRule.Order.values, default=LotRule.Order.FREE_FIRST.value)
        parser.add_argument(
            "--kind", choices=LotRule.Kind.values, default=LotRule.Kind.FREE.value, help="of a grant that says none"
        )
        parser.add_argument("--breakage", required=True, metavar="CODE", help="the account that takes what expires")
        parser.add_argument("--user", metavar="U", help="who sets it; without, only a rule that is not there yet is set")

    def run(self, **options: Any) -> commands.Outcome:
        """Set it, unless it is so."""
        names = ("expiry", "validity", "fixed_on", "order", "kind", "breakage")
        given = lot_rules.RuleGiven(**{name: options[name] for name in names})
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        named = {"book": options["book"], "role": options["role"]}
        book = books.find(options["book"])
        rule, _is_new, changed = lot_rules.set_rule(book=book, role=options["role"], given=given, caller=caller)
        data = {**named, **{name: options[name] for name in names}, "changed": changed}
        figure = "" if rule.validity is None else f" ({rule.validity})"
        what = f"{rule.get_expiry_display()}{figure}, to {options['breakage']}"
        return commands.Outcome(data, (f"{rule}: {what}: {'set' if changed else 'was so already'}",))
