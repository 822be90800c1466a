"""explain ACCOUNT | ENTRY | BATCH:LINE: what a number is made of, back to the bytes that came in."""

import re
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from ingestion_app.management import explaining
from ingestion_app.status.queries import explain as lines
from ledger_app import errors
from ledger_app.base.operations import knowing
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.books.queries import books
from ledger_app.errors.words import phrase
from ledger_app.explain.queries import explain

BATCH_AND_LINE = re.compile(r"([0-9]{1,18}):([0-9]{1,9})")
NUMBER = re.compile(r"[0-9]{1,18}")
BOOK_AND_NAME = re.compile(r"([^/]+)/(.+)")
LAST = 20


class Command(commands.Command):
    """Explains an account, an entry or a line of a file."""

    help = (
        "Explain a number. BOOK/CODE: an account, recomputed, with its last lines. BOOK/REFERENCE or a number: an entry, back to the bytes "
        "it came from. BATCH:LINE: a line of a file, on to its entries. Exit status 1 where what is stored does not recompute."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("subject", metavar="ACCOUNT | ENTRY | BATCH:LINE")
        parser.add_argument(
            "--last", type=commands.positive, default=LAST, metavar="N", help="how many lines of an account, the latest first"
        )
        parser.add_argument("--at", type=commands.iso_date, metavar="DATE", help="an account as of DATE")
        parser.add_argument(
            "--known-at",
            type=commands.instant,
            metavar="TIME",
            help="an account as it was known at TIME, with a zone: 2017-02-01T09:00:00+09:00",
        )
        parser.add_argument(
            "--prove-seal", action="store_true", help="recompute the seal that the balance of an account rests on"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Find what is meant and explain it."""
        subject: str = options["subject"]
        if options["known_at"] is not None and (named := BOOK_AND_NAME.fullmatch(subject)):
            knowing.settle(book=books.find(named[1]), known_at=options["known_at"])
        with snapshot():
            if match := BATCH_AND_LINE.fullmatch(subject):
                batch = lines.find_batch(int(match[1]))
                if batch is None:
                    raise errors.Refused([errors.NotFound(what=_("batch"), name=match[1])])
                return explaining.tell_line(lines.line(batch, int(match[2])))
            if NUMBER.fullmatch(subject):
                entry = explain.find_entry(number=int(subject))
                if entry is None:
                    raise errors.Refused([errors.NotFound(what=_("entry"), name=subject)])
                return explaining.tell_entry(explain.entry(entry))
            match = BOOK_AND_NAME.fullmatch(subject)
            if match is None:
                raise CommandError(
                    _("“{subject}” is none of BOOK/CODE, BOOK/REFERENCE, an entry's number, BATCH:LINE").format(subject=subject),
                    returncode=commands.USAGE,
                )
            return self._by_name(match[1], match[2], options)

    def _by_name(self, book: str, name: str, options: dict[str, Any]) -> commands.Outcome:
        account = explain.find_account(book, name)
        entry = explain.find_entry(book=book, reference=name)
        if account is not None:
            explained = explain.account(
                account,
                at=options["at"],
                known_at=options["known_at"],
                last=options["last"],
                sealed=options["last"],
                proves_seal=options["prove_seal"],
            )
            return explaining.tell_account(explained, namesake=entry)
        if entry is not None:
            return explaining.tell_entry(explain.entry(entry))
        raise errors.Refused([errors.NotFound(what=phrase(_("account or entry of {book}"), book=book), name=name)])
