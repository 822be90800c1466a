"""report BOOK KIND --period P | --from D --to D --output FILE: a report of a book for finance and auditors."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.explain import rules
from ledger_app.reports import book_reports, report_files
from ledger_app.reports.book_reports import Asked


class Command(commands.Command):
    """Writes a report of a book."""

    help = (
        "Write a report of a span of a book's days: trial balance, general ledger, or movements of points. It names the seal that it agrees with; one that is "
        "not final says so, in its name too. The file appears whole or not at all; run again it is replaced."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("kind", metavar="KIND", choices=rules.KINDS, help=", ".join(rules.KINDS))
        parser.add_argument("--period", metavar="P")
        parser.add_argument("--from", type=commands.iso_date, dest="first_on", metavar="DATE")
        parser.add_argument("--to", type=commands.iso_date, dest="last_on", metavar="DATE", help="both days included")
        parser.add_argument("--known-at", type=commands.instant, metavar="TIME", help="without what was posted after TIME")
        parser.add_argument("--by", choices=rules.PARTS, default=rules.ROLE, help="what a trial balance is parted by")
        parser.add_argument(
            "--compare",
            choices=rules.COMPARED,
            action="append",
            default=[],
            help="hold a trial balance beside the span before, or the same of last year; both where given twice",
        )
        parser.add_argument("--account", metavar="CODE", help="whose general ledger it is")
        parser.add_argument("--role", metavar="ROLE", help="of which accounts the general ledger is")
        parser.add_argument(
            "--format", choices=(report_files.CSV, report_files.XLSX, report_files.JSON), default=report_files.CSV
        )
        parser.add_argument("--encoding", choices=tuple(report_files.ENCODINGS), default=report_files.UTF8_MARK, help="of a CSV")
        parser.add_argument("--output", required=True, type=Path, metavar="FILE")

    def run(self, **options: Any) -> commands.Outcome:
        """Write the report, in the place of what is there."""
        asked = _asked(options)
        book_reports.check(asked)
        try:
            path, report = report_files.write_to(asked, options["format"], options["encoding"], options["output"])
        except OSError as error:
            raise commands.path_unusable(options["output"], error) from error
        complaints = [_("Does not tie out: {what}").format(what=each) for each in report.differences]
        data = report.head | {"path": str(path), "bytes": path.stat().st_size}
        line = _("{path}: {report} of {book}, {first} to {last}; {sealed}").format(
            path=path,
            report=asked.kind,
            book=asked.book.code,
            first=asked.span.first_on.isoformat(),
            last=asked.span.last_on.isoformat(),
            sealed=_("final, seal {seal}").format(seal=report.sealed.removeprefix("seal "))
            if report.is_final
            else _("not final"),
        )
        return commands.Outcome(data, (line,), commands.REFUSED if complaints else commands.DONE, tuple(complaints))


def _asked(options: dict[str, Any]) -> Asked:
    """Return what is asked for.

    :raises CommandError: a period and days, or neither
    :raises errors.Refused: not_found
    """
    has_days = options["first_on"] is not None and options["last_on"] is not None
    if (options["period"] is None) != has_days or (options["period"] is not None and (options["first_on"] or options["last_on"])):
        raise CommandError(_("Give --period, or --from and --to."), returncode=commands.USAGE)
    book = books.find(options["book"])
    period = None if options["period"] is None else books.find_period(book.code, options["period"])
    span = book_reports.span_of(book, period, options["first_on"], options["last_on"], options["known_at"])
    assert span is not None  # noqa: S101 - one of the two was given
    return Asked(
        span=span,
        kind=options["kind"],
        by=options["by"],
        compare=tuple(options["compare"]),
        account=book_reports.find_account(book, options["account"]),
        role=options["role"] or "",
    )
