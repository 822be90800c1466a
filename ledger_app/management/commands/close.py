"""close BOOK: does the part of the close that needs no person, for a scheduler; says what is due, what stands in the way and who can clear it."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.books.queries import books
from ledger_app.close.operations import closing
from ledger_app.close.operations.closing import Closed, Standing
from ledger_app.close.queries import readiness
from ledger_app.errors import lots
from ledger_app.values import instants


class Command(commands.Command):
    """Carries the close of a book on."""

    help = "Post what gates a freeze, and say of each period that has ended what is due, what holds it up and who can clear it. Safe at any time."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")

    def run(self, **options: Any) -> commands.Outcome:
        """Do what can be done, and tell the rest."""
        book = books.find(options["book"])
        done = closing.close(book=book, caller=commands.caller(None))
        left_out = (*done.refused, *done.expired.refused)
        data = {
            "book": book.code,
            "entries": done.expired.entry_count,
            "amount": done.expired.amount,
            "holds_ended": done.expired.ended_holds,
            "held": done.expired.held,
            "left_out": [reason.as_dict() for reason in left_out],
            "opened": list(done.opened),
            "marked_provisional": list(done.marked),
            "periods": [_object(each) for each in done.periods],
            "is_more": done.is_more,
        }
        # What a rule refuses, and what is due, somebody has to see to; what is only left is done by the next run.
        by_rules = [reason for reason in left_out if not isinstance(reason, lots.ExpiryLeft)]
        status = commands.DONE
        if by_rules or any(each.due for each in done.periods):
            status = commands.REFUSED
        if left_out and not by_rules:
            status = commands.AGAIN
        return commands.Outcome(data, tuple(_told(book.code, done)), status, tuple(str(reason) for reason in left_out))


def _object(each: Standing) -> dict[str, Any]:
    return {
        "period": each.period.name,
        "state": each.period.state,
        "provisional_due_at": each.provisional_due_at,
        "freeze_due_at": each.freeze_due_at,
        "due": each.due or None,
        "ready": not readiness.in_the_way(each.checks),
        "lines": readiness.as_objects(each.checks),
    }


def _told(book: str, done: Closed) -> Iterator[str]:
    """Yield the lines for people."""
    if done.expired.entry_count:
        yield _("{book}: {entries} of expiry posted.").format(book=book, entries=counted(done.expired.entry_count, "entry"))
    if done.opened:
        yield _("{book}: opened {periods}.").format(book=book, periods=", ".join(done.opened))
    if done.marked:
        yield _("{book}: marked provisional: {periods}.").format(book=book, periods=", ".join(done.marked))
    if not done.periods:
        yield _("{book}: every period that has ended is frozen.").format(book=book)
    for each in done.periods:
        sentence = {
            closing.FREEZE: _("{period} is to be frozen since {freeze}. Finance freezes it, with the control totals."),
            closing.PROVISIONAL: _("{period} is to be provisional since {provisional}. Finance marks it."),
            "": _("{period} has ended. It is to be provisional from {provisional}, and frozen from {freeze} on."),
        }[each.due]
        zone = each.period.book.time_zone
        yield sentence.format(
            period=each.period,
            provisional=instants.text(each.provisional_due_at, zone),
            freeze=instants.text(each.freeze_due_at, zone),
        )
        yield from (f"  {line}" for line in readiness.text_lines(each.checks))
    if done.is_more:
        yield _("More periods have ended than are told here.")
