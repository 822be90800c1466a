"""verify [BOOK]: proves the books from the rows alone."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.models import Book
from ledger_app.verification.operations import verification


class Command(commands.Command):
    """Verifies one book or all."""

    help = "Ask of the rows alone whether all that must hold holds. Names each breach, and exits 1 on any."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", nargs="?", metavar="BOOK")
        parser.add_argument(
            "--without-bytes", action="store_true", help="do not read the bytes of files and attachments; the answer says so"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Verify, and keep what was found."""
        chosen = [books.find(options["book"])] if options["book"] else list(Book.objects.order_by("code"))
        on_progress = self.stderr.write if sys.stderr.isatty() else lambda _says: None
        result = verification.verify(
            books=chosen, at=doorways.now(), now=doorways.now, on_progress=on_progress, reads_bytes=not options["without_bytes"]
        )
        lines = [
            f"{each['number']:>2}. {'not asked' if each.get('left_out') else 'BROKEN' if each['breaches'] else 'holds'}: {each['says']}"
            + (f" ({each['note']})" if each.get("note") else "")
            for each in result.results
        ]
        breaches = [f"{each['number']}. {breach}" for each in result.results for breach in each["breaches"]]
        data = {"books": [book.code for book in chosen], "breaches": result.breaches, "invariants": result.results}
        return commands.Outcome(data, tuple(lines), commands.REFUSED if breaches else commands.DONE, tuple(breaches))
