"""freeze BOOK PERIOD --user U --control NAME=AMOUNT: seals a period for ever."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands import repeating
from config.doors.commands.counting import counted
from ledger_app import tasks
from ledger_app.base.operations.audit import Caller
from ledger_app.books.queries import books
from ledger_app.books.rules.periods import PERIOD
from ledger_app.close.operations import freezing
from ledger_app.models import Period, Seal


class Command(commands.Command):
    """Freezes a period."""

    help = "Freeze a period: seal it for ever, once its work has ended, everything recomputes and your control totals match."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("period", metavar="PERIOD")
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument(
            "--control",
            type=control,
            action="append",
            default=[],
            metavar="NAME=AMOUNT",
            help="a total you hold from elsewhere, in minor units; at least one that is no mere count, may be given several times",
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Freeze, unless this user has done so with these totals."""
        controls = dict(options["control"])
        if len(controls) != len(options["control"]):
            # The last would silently win over one that does not match.
            raise CommandError("--control gives a name more than once", returncode=commands.USAGE)
        caller = commands.caller(options["user"], deciding=True)
        period = books.find_period(options["book"], options["period"])
        wanted = repeating.decision(
            PERIOD,
            "freeze",
            period.pk,
            caller,
            given={"--control": _told(controls)},
            kept={"--control": lambda row: _told(row.facts["controls"])},
        )
        seal = repeating.once(
            wanted, standing=Seal.objects.filter(period=period).first, act=lambda: _freeze(period, controls, caller)
        )
        data = {
            "book": options["book"],
            "period": period.name,
            "state": "frozen",
            "seal": bytes(seal.digest).hex(),
            "number": seal.number,
            "entries": seal.entry_count,
            "lines": seal.line_count,
            "debits": seal.debit_total,
        }
        return commands.Outcome(data, (f"{period} is frozen: {counted(seal.entry_count, 'entry')}, seal {data['seal']}",))


def _freeze(period: Period, controls: dict[str, int], caller: Caller) -> Seal:
    """Ask for the freeze, so that what can be refused at once is, and carry it out here."""
    attempt = freezing.ask(period_id=period.pk, controls=controls, caller=caller)
    with tasks.alive(attempt.pk):
        freezing.carry_out(attempt_id=attempt.pk, caller=caller, code_version=settings.KAKUTEI_CODE_VERSION, now=doorways.now)
    return Seal.objects.get(period=period)


def _told(controls: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={amount}" for name, amount in sorted(controls.items()))


def control(text: str) -> tuple[str, int]:
    """Read NAME=AMOUNT, the amount an integer in minor units, for argparse."""
    name, _, amount = text.partition("=")
    digits = amount.removeprefix("-")
    if not name or not digits.isascii() or not digits.isdigit():
        raise ArgumentTypeError(f"“{text}” is no control total; write NAME=AMOUNT, the amount in minor units")
    return name, int(amount)
