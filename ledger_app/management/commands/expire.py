"""expire BOOK --through DATE: posts what is due, each account and day in an entry of that day."""

from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.base.queries import money
from ledger_app.books.queries import books
from ledger_app.errors import lots
from ledger_app.errors.units import Unit
from ledger_app.models import Book
from ledger_app.points.operations import expiry
from ledger_app.points.queries import expiry as due_rows


class Command(commands.Command):
    """Expires what is due; run again it does what is left."""

    help = "Expire the lots of a book that are due through a day, which has ended. Safe to run again at any time, late or side by side."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("--through", type=commands.iso_date, required=True, metavar="DATE", help="the last day, included")
        parser.add_argument("--preview", action="store_true", help="tell what would expire, and post nothing")
        parser.add_argument("--workers", type=commands.positive, default=1, metavar="N", help="processes (SQLite: always one)")

    def run(self, **options: Any) -> commands.Outcome:
        """Expire, or tell what would."""
        book, through = books.find(options["book"]), options["through"]
        if options["preview"]:
            return preview(book, through)
        with commands.Progress() as progress:
            done = expiry.expire(
                book=book,
                through=through,
                caller=commands.caller(None),
                workers=min(options["workers"], commands.WORKERS_MOST),
                on_progress=lambda count, total: progress.phase("expire", count, total),
            )
        data = {
            "book": book.code,
            "through": through,
            "entries": done.entry_count,
            "amount": done.amount,
            "holds_ended": done.ended_holds,
            "held": done.held,
            "left_out": [reason.as_dict() for reason in done.refused],
        }
        unit = Unit(book.unit, book.exponent)
        expired, held = money.text(done.amount, unit), money.text(done.held, unit)
        line = f"{book.code} through {through}: {counted(done.entry_count, 'entry')}, {expired} expired, {held} held"
        # What a rule refuses, somebody has to see to; what is only left is done by the next run.
        by_rules = [reason for reason in done.refused if not isinstance(reason, lots.ExpiryLeft)]
        status = commands.REFUSED if by_rules else commands.AGAIN if done.refused else commands.DONE
        return commands.Outcome(data, (line,), status, tuple(str(reason) for reason in done.refused))


def preview(book: Book, through: date) -> commands.Outcome:
    """Tell what would expire, day by day."""
    days = due_rows.due_by_day(by=through, at=doorways.now(), book_id=book.pk)
    rows = [
        {"date": day.due_on, "accounts": day.accounts, "lots": day.lots, "amount": day.amount, "held": day.held} for day in days
    ]
    unit = Unit(book.unit, book.exponent)
    lines = [
        f"{day.due_on}: {counted(day.accounts, 'account')}, {counted(day.lots, 'lot')}, {money.text(day.amount, unit)}, "
        f"{money.text(day.held, unit)} held"
        for day in days
    ]
    data = {"book": book.code, "through": through, "days": rows, "amount": sum(day.amount for day in days)}
    return commands.Outcome(data, tuple(lines) or ("nothing would expire",))
