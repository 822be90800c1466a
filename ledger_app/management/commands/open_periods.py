"""open_periods BOOK: opens whole months of a book, one after the other."""

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.members.operations import opening


def month(text: str) -> date:
    """Read a month as YYYY-MM, for argparse."""
    try:
        return commands.iso_date(f"{text}-01")
    except ArgumentTypeError:
        raise ArgumentTypeError(f"“{text}” is no month; write YYYY-MM") from None


class Command(commands.Command):
    """Opens periods."""

    help = "Open a period for each of so many months of a book, in their order. Those that are there are left as they are."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--from", dest="first", type=month, required=True, metavar="MONTH", help="the first, as YYYY-MM")
        parser.add_argument(
            "--months", type=commands.positive, required=True, metavar="N", help=f"how many, up to {opening.MONTHS_MOST}"
        )
        parser.add_argument("--user", metavar="U", help="who opens them; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Open those that are not there."""
        found = opening.open_months(
            book=books.find(options["book"]),
            first=options["first"],
            months=options["months"],
            caller=commands.caller(options["user"]),
        )
        data = {"book": options["book"], "opened": found.opened, "there": found.there}
        lines = (f"opened: {', '.join(found.opened) or 'none'}", f"were there: {', '.join(found.there) or 'none'}")
        return commands.Outcome(data, lines)
