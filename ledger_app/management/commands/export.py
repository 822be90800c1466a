"""export BOOK --period P --format F | --profile NAME --output FILE: the entries of a period for another program."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.accounting.queries import profiles
from ledger_app.books.queries import books
from ledger_app.models import Period
from ledger_app.reports import accounting, exports


class Command(commands.Command):
    """Exports a period."""

    help = (
        "Write the entries of a period to a file, as they are or by a profile for an accounting program. The file appears whole or not at all; "
        "run again it is replaced."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--period", required=True, metavar="P")
        form = parser.add_mutually_exclusive_group(required=True)
        form.add_argument("--format", choices=sorted(exports.FORMATS))
        form.add_argument("--profile", metavar="NAME", help="hands a frozen period over; of any other the file is a draft")
        parser.add_argument("--output", required=True, type=Path, metavar="FILE")
        parser.add_argument("--user", metavar="U", help="who hands over by a profile; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Export, in the place of what is there."""
        if options["user"] is not None and options["profile"] is None:
            raise CommandError(_("--user is for --profile alone"), returncode=commands.USAGE)
        period = books.find_period(options["book"], options["period"])
        try:
            return self._by_profile(period, options) if options["profile"] is not None else self._as_is(period, options)
        except OSError as error:
            raise commands.path_unusable(options["output"], error) from error

    def _as_is(self, period: Period, options: dict[str, Any]) -> commands.Outcome:
        exported = exports.export(period=period, form=options["format"], path=options["output"])
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

    def _by_profile(self, period: Period, options: dict[str, Any]) -> commands.Outcome:
        profile = profiles.find(options["book"], options["profile"])
        caller = commands.caller(options["user"])
        written = accounting.export(period=period, profile=profile, path=options["output"], caller=caller)
        said = written.manifest
        named = ("book", "period", "profile", "version", "target", "final", "seal", "entries", "rows", "bytes", "sha256")
        data = {**{name: said[name] for name in named}, "path": str(written.path), "new": written.is_new}
        final = _("final, seal {seal}").format(seal=said["seal"])
        again = _("handed over before, and the same to the byte")
        not_final = _("not final: the period is {state}").format(state=period.get_state_display())
        line = _("{path}: {entries}, {rows}; {state}").format(
            path=written.path,
            entries=counted(said["entries"], "entry"),
            rows=counted(said["rows"], "row"),
            state=not_final if written.export is None else final if written.is_new else f"{final}, {again}",
        )
        return commands.Outcome(data, (line,))
