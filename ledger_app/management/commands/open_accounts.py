"""open_accounts BOOK FILE.csv: opens accounts that belong to no member."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.books.operations import books
from ledger_app.books.queries import books as known
from ledger_app.members.operations import opening
from ledger_app.members.rules.member_files import LINE_MOST


class Command(commands.Command):
    """Opens accounts."""

    help = "Open the accounts that a CSV names: code, role, category, floor, stripes. A file with findings opens none."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("path", type=Path, metavar="FILE.csv")
        parser.add_argument("--user", metavar="U", help="who opens them; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Open those that are not there."""
        book = known.find(options["book"])
        with commands.plain_file(options["path"]) as stream:
            openings, findings = opening.read_accounts(iter(lambda: stream.readline(LINE_MOST + 2), b""))
        if findings:
            data = {"book": book.code, "opened": 0, "there": 0, "findings": [finding.as_dict() for finding in findings]}
            return commands.Outcome(data, (), commands.INVALID, tuple(commands.finding_text(each) for each in findings))
        opened = books.open_accounts(book=book, openings=openings, caller=commands.caller(options["user"]))
        data = {"book": book.code, "opened": opened, "there": len(openings) - opened, "findings": []}
        return commands.Outcome(data, (f"{counted(opened, 'account')} opened, {len(openings) - opened} were there",))
