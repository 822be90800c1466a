"""issue_token: issues a token for the API to a user, or one in the place of another."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from ledger_app.base.operations.audit import Caller
from ledger_app.rights.operations import tokens
from ledger_app.rights.operations.tokens import Issued
from ledger_app.rights.queries import tokens as rows
from ledger_app.values import instants


class Command(commands.Command):
    """Issues a token."""

    help = "Issue a token for the API to a user, and print its key this once."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="the user in whose name the program calls")
        parser.add_argument("--called", metavar="T", default="program", help="what the token is called, once for a user")
        parser.add_argument(
            "--operation",
            action="append",
            metavar="RIGHT",
            help="a right of the user to act, such as ledger_app.place_hold; may be given several times; without, all that the user has",
        )
        parser.add_argument("--reads-only", action="store_true", help="no operation at all")
        parser.add_argument(
            "--book", action="append", metavar="BOOK", help="a book that it reaches; may be given several times; without, all"
        )
        parser.add_argument(
            "--days", type=commands.positive, metavar="N", help="for how long; as long as the setting lets, without"
        )
        parser.add_argument(
            "--replaces", metavar="PREFIX", help="the beginning of the key of the token that it follows, for the same"
        )
        parser.add_argument(
            "--old-days",
            type=commands.whole,
            metavar="N",
            default=7,
            help="for how many days the one before stays good; 7 where it is not said",
        )
        parser.add_argument(
            "--user", metavar="U", help="who issues; without, the system, with the account of the operating system"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Issue it, unless it is there."""
        if options["reads_only"] and options["operation"]:
            raise CommandError(_("Say --operation or --reads-only, and not both."), returncode=commands.USAGE)
        caller = commands.caller(options["user"])
        issued = self._replace(options, caller) if options["replaces"] else self._issue(options, caller)
        row = issued.token
        data = {
            "user": row.user.username,
            "called": row.name,
            "prefix": row.prefix,
            "ends_at": row.ends_at,
            "new": bool(issued.key),
            "key": issued.key or None,
        }
        until = instants.text(row.ends_at)
        if issued.key:
            return commands.Outcome(data, (f"token {row.prefix} of {row.user.username}, good until {until}", issued.key))
        told = f"{row.user.username} has the token {row.prefix} already, good until {until}; its key is not shown again: --replaces {row.prefix} issues another"
        return commands.Outcome(data, (told,))

    def _issue(self, options: dict[str, Any], caller: Caller) -> Issued:
        most: int = settings.KAKUTEI_TOKEN_DAYS
        return tokens.issue(
            username=options["name"],
            name=options["called"],
            operations=[] if options["reads_only"] else options["operation"],
            books=options["book"],
            ends_at=caller.at + timedelta(days=options["days"] or most),
            days_most=most,
            caller=caller,
        )

    def _replace(self, options: dict[str, Any], caller: Caller) -> Issued:
        if options["operation"] or options["reads_only"] or options["book"]:
            told = _("A token that follows another is for the same: leave --operation, --reads-only and --book out.")
            raise CommandError(told, returncode=commands.USAGE)
        most: int = settings.KAKUTEI_TOKEN_DAYS
        old = rows.of_prefix(options["replaces"], username=options["name"])
        return tokens.replace(
            token_id=old.pk,
            old_ends_at=min(caller.at + timedelta(days=options["old_days"]), max(old.ends_at, caller.at)),
            ends_at=caller.at + timedelta(days=options["days"] or most),
            days_most=most,
            caller=caller,
        )
