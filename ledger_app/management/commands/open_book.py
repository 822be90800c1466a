"""open_book CODE: opens a book."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.books.operations import books
from ledger_app.models import Book


class Command(commands.Command):
    """Opens a book."""

    help = "Open a book in one unit. One that is there with the same unit, decimals and zone is left as it is."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("--unit", required=True, metavar="U", help="JPY, USD, points …")
        parser.add_argument("--exponent", type=commands.whole, required=True, metavar="N", help="decimals of the unit")
        parser.add_argument("--zone", required=True, metavar="Z", help="says what a date is: Asia/Tokyo, UTC …")
        parser.add_argument("--name", metavar="T", help="what people call it; the code where it is not given")
        parser.add_argument("--user", metavar="U", help="who opens it; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Open it, unless it is there."""
        code = options["code"]
        there = Book.objects.filter(code=code).first()
        book, is_new, _changed = books.keep_book(
            code=code,
            name=options["name"] or (there.name if there else code),
            unit=options["unit"],
            exponent=options["exponent"],
            time_zone=options["zone"],
            caller=commands.caller(options["user"]),
        )
        data = {"book": book.code, "unit": book.unit, "exponent": book.exponent, "zone": book.time_zone, "new": is_new}
        return commands.Outcome(data, (f"book {book.code} {'is open' if is_new else 'was there'}",))
