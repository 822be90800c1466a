"""statement BOOK/ACCOUNT: opening, movements with the running balance, closing."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ledger_app import errors
from ledger_app.errors.words import phrase
from ledger_app.explain.queries import explain
from ledger_app.explain.queries import statements as lines
from ledger_app.explain.queries.statements import FIRST_DAY, Span
from ledger_app.management.standing import standing_text
from ledger_app.points.queries import standing
from ledger_app.reports import statements
from ledger_app.reports.files import replacing_bytes
from ledger_app.values.instants import LAST_DAY


class Command(commands.Command):
    """Writes the statement of an account."""

    help = "Write the statement of an account for a span of dates: opening, movements with the running balance, closing; as known now or at an instant."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("account", metavar="BOOK/ACCOUNT")
        parser.add_argument("--from", type=commands.iso_date, default=FIRST_DAY, dest="first_on", metavar="DATE")
        parser.add_argument("--to", type=commands.iso_date, default=LAST_DAY, dest="last_on", metavar="DATE")
        parser.add_argument("--known-at", type=commands.instant, metavar="TIME", help="without what was posted after TIME")
        parser.add_argument("--format", choices=tuple(statements.FORMATS), default="csv")
        parser.add_argument("--output", type=Path, metavar="FILE", help="xlsx is written to a file alone")

    def run(self, **options: Any) -> commands.Outcome | commands.Report:
        """Print the statement as it is read, or write it to a file that is whole or not there."""
        book, _slash, code = options["account"].partition("/")
        account = explain.find_account(book, code)
        if account is None:
            raise errors.Refused([errors.NotFound(what=phrase(_("account of {book}"), book=book), name=code)])
        span = Span(account, options["first_on"], options["last_on"], options["known_at"])
        statements.check(span)
        now = standing.as_dict(account, at=doorways.now())
        path: Path | None = options["output"]
        if path is None:
            if options["format"] == "xlsx":
                raise CommandError(_("xlsx needs --output FILE"), returncode=commands.USAGE)
            as_object = statements.json_lines(span, now)
            if options["format"] == "json":
                return commands.Report(as_object, as_object)
            # Beside the table, and not in it: anyone who reads that has the movements alone.
            return commands.Report(as_object, statements.csv_lines(span), (standing_text(account, now),))
        try:
            with replacing_bytes(path) as file:
                statements.write(span, options["format"], file)
        except OSError as error:
            raise commands.path_unusable(path, error) from error
        data = {**statements.head(span, lines.sums(span)), "standing": now, "path": str(path), "bytes": path.stat().st_size}
        return commands.Outcome(data, (json.dumps(data, ensure_ascii=False),))
