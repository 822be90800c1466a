"""set_template BOOK ROLE: says which account each member is opened in a book."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.books.queries import books
from ledger_app.members.operations import opening
from ledger_app.models import Account


class Command(commands.Command):
    """Sets an account template."""

    help = "Say that each member who is registered is opened an account of a role in a book, and with which floor."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("role", metavar="ROLE")
        parser.add_argument("--category", choices=Account.Category.values, required=True)
        parser.add_argument(
            "--floor", type=int, metavar="N", help="in minor units, in the account's natural direction; none if absent"
        )
        parser.add_argument("--user", metavar="U", help="who says it; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Set it, unless it is so."""
        row, _is_new, is_changed = opening.set_template(
            book=books.find(options["book"]),
            role=options["role"],
            category=options["category"],
            floor=options["floor"],
            caller=commands.caller(options["user"], deciding=options["user"] is not None),
        )
        data = {"book": options["book"], "role": row.role, "category": row.category, "floor": row.floor, "new": is_changed}
        return commands.Outcome(data, (f"{row}: {'set' if is_changed else 'was so already'}",))
