"""lockouts: lists who has failed to sign in too often, and lets a user try again."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.signing import lockouts as counted
from ledger_app.models import FailedTry
from ledger_app.people.operations import lockouts
from ledger_app.values import instants, names


class Command(commands.Command):
    """Lists lock-outs and releases them."""

    help = "List who has failed to sign in of late; with --release, let a user try again."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--release", metavar="NAME", help="the user who may try again, from wherever")
        parser.add_argument("--user", metavar="U", help="who releases; needed with --release")

    def run(self, **options: Any) -> commands.Outcome:
        """List them, or release some."""
        since = doorways.now() - timedelta(minutes=settings.KAKUTEI_LOCKOUT_MINUTES)
        rows = FailedTry.objects.filter(attempt_time__gte=since).order_by("username", "ip_address")
        if options["release"] is not None:
            caller = commands.caller(options["user"])
            mine = rows.filter(username=names.fold(options["release"])).values_list("pk", flat=True)
            # Without the right nothing is released, whether there is anything or not.
            released = sum([lockouts.release(attempt_id=key, caller=caller) for key in [*mine] or [0]])
            told = f"{options['release']}: {'may try again' if released else 'may try already'}"
            return commands.Outcome({"user": options["release"], "released": released}, (told,))
        found = [
            {
                "user": None if row.username.startswith(lockouts.UNKNOWN) else row.username,
                "address": row.address or None,
                "failures": row.failures_since_start,
                "locked_until": counted.until_of(row),
            }
            for row in rows
        ]
        lines = tuple(
            f"{each['user'] or '(no user)'} {each['address'] or '–'}: {each['failures']} failed, {_said(each['locked_until'])}"
            for each in found
        )
        return commands.Outcome({"lockouts": found}, lines or ("nobody has failed of late",))


def _said(until: datetime | None) -> str:
    return instants.text(until) if until is not None else "not locked out"
