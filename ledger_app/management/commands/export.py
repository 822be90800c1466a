"""export BOOK --period P --format F --output FILE: the entries of a period for another program."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config import commands
from config.counting import counted
from ledger_app.queries import books
from ledger_app.reports import exports


class Command(commands.Command):
    """Exports a period."""

    help = "Write the entries of a period to a file. The file appears whole or not at all; run again it is replaced."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--period", required=True, metavar="P")
        parser.add_argument("--format", required=True, choices=sorted(exports.FORMATS))
        parser.add_argument("--output", required=True, type=Path, metavar="FILE")

    def run(self, **options: Any) -> commands.Outcome:
        """Export, in the place of what is there."""
        period = books.find_period(options["book"], options["period"])
        try:
            exported = exports.export(period=period, form=options["format"], path=options["output"])
        except OSError as error:
            raise commands.path_unusable(options["output"], error) from error
        scope = exported.scope
        data = {
            "book": scope.book.code,
            "period": scope.period.name,
            "format": options["format"],
            "path": str(exported.path),
            "bytes": exported.bytes,
            "entries": scope.entry_count,
            "lines": scope.line_count,
            "debits": scope.debit_total,
            "final": exported.seal is not None,
            "seal": scope.seal_digest if exported.seal else None,
        }
        final = _("final, seal {seal}").format(seal=data["seal"])
        not_final = _("not final: the period is {state}").format(state=scope.period.get_state_display())
        line = _("{path}: {entries}, {lines}; {state}").format(
            path=exported.path,
            entries=counted(scope.entry_count, "entry"),
            lines=counted(scope.line_count, "line"),
            state=final if exported.seal else not_final,
        )
        return commands.Outcome(data, (line,))
