"""set_close_policy BOOK: says when a book's periods are provisional and may be frozen, which totals a freeze needs, and how many months are opened ahead."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.close.operations import policies

USUAL = policies.PolicyGiven()


class Command(commands.Command):
    """Sets a policy of the close."""

    help = "Set after how many hours periods are provisional and may be frozen, which control totals a freeze needs, and how many months are opened ahead."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument(
            "--provisional-after",
            type=commands.whole,
            default=USUAL.provisional_after_hours,
            metavar="HOURS",
            help="from the end of a period's last day until close marks it provisional",
        )
        parser.add_argument(
            "--freeze-after",
            type=commands.whole,
            default=USUAL.freeze_after_hours,
            metavar="HOURS",
            help="from the end of a period's last day, before which nobody freezes it",
        )
        parser.add_argument(
            "--months-ahead",
            type=commands.whole,
            default=USUAL.months_ahead,
            metavar="N",
            help="months after this one that close opens",
        )
        parser.add_argument(
            "--control",
            action="append",
            default=[],
            metavar="NAME",
            help="a control total that each freeze needs; may be given several times",
        )
        parser.add_argument("--user", metavar="U", help="who sets it; without, only a policy that is not there yet is set")

    def run(self, **options: Any) -> commands.Outcome:
        """Set it, unless it is so."""
        given = policies.PolicyGiven(
            options["provisional_after"], options["freeze_after"], options["months_ahead"], tuple(sorted(set(options["control"])))
        )
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        policy, _is_new, changed = policies.set_policy(book=books.find(options["book"]), given=given, caller=caller)
        data = {"book": policy.book.code, **given._asdict(), "controls": list(given.controls)}
        said = (
            f"provisional after {given.provisional_after_hours} hours, frozen after {given.freeze_after_hours} at the earliest, "
            f"{given.months_ahead} months ahead, control totals {' '.join(given.controls) or 'none'}"
        )
        told = f"{policy}: {said}: {'set' if changed else 'was so already'}"
        return commands.Outcome({**data, "changed": changed}, (told,))
