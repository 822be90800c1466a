"""balances BOOK: the balance of every account, now, at a date, or as it was known at an instant."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.reports import balances


class Command(commands.Command):
    """Prints the balances of a book."""

    help = "Print the balance of every account of a book, by code, as CSV or as one JSON object. The balances sum to zero, or nothing is printed."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--at", type=commands.iso_date, metavar="DATE", help="only entries dated up to and on DATE")
        parser.add_argument(
            "--known-at",
            type=commands.instant,
            metavar="TIME",
            help="only entries posted up to TIME, with a zone: 2017-02-01T09:00:00+09:00",
        )
        parser.add_argument("--format", choices=("csv", "json"), default="csv", help="json is the same as --json")

    def run(self, **options: Any) -> commands.Report:
        """Print the balances as they are read."""
        asked = {"book": books.find(options["book"]), "at": options["at"], "known_at": options["known_at"], "now": doorways.now()}
        as_object = balances.json_lines(**asked)
        return commands.Report(as_object, as_object if options["format"] == "json" else balances.csv_lines(**asked))
