"""correct_name MEMBER NAME --shown NAME --user U --reason T: corrects what a member is called."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ledger_app.erasures.operations import names
from ledger_app.models import Holder


class Command(commands.Command):
    """Corrects a name."""

    help = "Correct what a member is called; what it was called before stays in the history."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("member", type=commands.positive, metavar="MEMBER", help="the number that find_member prints")
        parser.add_argument("name", metavar="NAME", help="what the member is called; empty for no name")
        parser.add_argument("--shown", required=True, metavar="NAME", help="what the member is called now, as you were shown")
        parser.add_argument("--user", required=True, metavar="U", help="who corrects it")
        parser.add_argument("--reason", required=True, metavar="T")

    def run(self, **options: Any) -> commands.Outcome:
        """Correct it, unless the member is called so."""
        caller = commands.caller(options["user"])
        row = Holder.objects.filter(pk=options["member"], name=options["name"]).first()
        if row is None:
            row = names.correct(
                holder_id=options["member"],
                name=options["name"],
                shown=options["shown"],
                reason=options["reason"],
                caller=caller,
            )
        return commands.Outcome({"member": row.pk, "name": row.name}, (f"member {row.pk} is called “{row.name}”",))
