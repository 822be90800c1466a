"""audit_kit BOOK PERIOD --output FOLDER: what an auditor takes home of a frozen period, with the program that recomputes it."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.books.queries import books
from ledger_app.reports import audit_kits


class Command(commands.Command):
    """Writes an audit kit."""

    help = "Write what an auditor takes home of a frozen period. The folder appears whole or not at all; a kit that is there is replaced."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("period", metavar="PERIOD")
        parser.add_argument("--output", required=True, type=Path, metavar="FOLDER")

    def run(self, **options: Any) -> commands.Outcome:
        """Write the kit, in the place of one that is there."""
        period = books.find_period(options["book"], options["period"])
        try:
            kit = audit_kits.write(period=period, path=options["output"], caller=commands.caller(None))
        except OSError as error:
            raise commands.path_unusable(options["output"], error) from error
        seal = bytes(kit.seal.digest).hex()
        data = {
            "book": period.book.code,
            "period": period.name,
            "path": str(kit.path),
            "rows": kit.rows,
            "seal": seal,
            "kit": kit.digest,
        }
        line = _("{path}: {entries}, {lines}; seal {seal}; this kit {kit}").format(
            path=kit.path,
            entries=counted(kit.rows["entries"], "entry"),
            lines=counted(kit.rows["lines"], "line"),
            seal=seal,
            kit=kit.digest,
        )
        return commands.Outcome(data, (line,))
