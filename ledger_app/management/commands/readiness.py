"""readiness BOOK PERIOD: one line for each thing that stands in the way of a freeze, with what clears it and who may."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.close.queries import closing, readiness
from ledger_app.models import Period


class Command(commands.Command):
    """Tells what stands in the way of a freeze."""

    help = "Tell what stands in the way of freezing a period, how often, what clears it and who may. It reads no entry and changes nothing."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("period", metavar="PERIOD")

    def run(self, **options: Any) -> commands.Outcome:
        """Ask what the freeze would ask."""
        period = books.find_period(options["book"], options["period"])
        caller = commands.caller(None)
        facts = closing.facts(period, user=caller.user, at=caller.at, controls=None, proofs=False)
        checks = readiness.checks(period, facts, at=caller.at)
        waits = bool(readiness.in_the_way(checks))
        data = {
            "book": period.book.code,
            "period": period.name,
            "state": period.state,
            "ready": not waits,
            "lines": readiness.as_objects(checks),
        }
        return commands.Outcome(data, text_lines(period, checks), commands.REFUSED if waits else commands.DONE)


def text_lines(period: Period, checks: list[readiness.Check]) -> tuple[str, ...]:
    """Return the lines for people: what comes first, whether it can be frozen."""
    waits = readiness.in_the_way(checks)
    if not checks:
        head = _("{period} is frozen.")
    elif waits:
        head = _("{period} cannot be frozen yet.")
    else:
        head = _("Nothing stands in the way of freezing {period}.")
    return (head.format(period=period), *readiness.text_lines(checks))
