"""list_tokens: who has which tokens for the API, what for, until when, and when each was last used."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ledger_app.models import Token
from ledger_app.rights.queries import tokens
from ledger_app.values import instants


class Command(commands.Command):
    """Lists tokens."""

    help = "List the tokens for the API that are good: whose, what for, until when, last used when. Keys are told nowhere."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="a user; without, everybody")
        parser.add_argument("--all", action="store_true", help="those that have ended as well")

    def run(self, **options: Any) -> commands.Outcome:
        """List them."""
        at = doorways.now()
        rows = list(tokens.listed(username=options["name"], at=at, is_all=options["all"]))
        return commands.Outcome(
            {"tokens": [_told(row, at) for row in rows]}, tuple(_line(row, at) for row in rows) or ("no token",)
        )


def _told(row: Token, at: datetime) -> dict[str, Any]:
    return {
        "user": row.user.username,
        "called": row.name,
        "prefix": row.prefix,
        "operations": row.operations,
        "books": row.books,
        "issued_by": row.issued_by.username,
        "issued_at": row.issued_at,
        "ends_at": row.ended_at or row.ends_at,
        "last_used_at": row.last_used_at,
        "good": row.ended_at is None and row.ends_at > at,
    }


def _line(row: Token, at: datetime) -> str:
    told = _told(row, at)
    does = "all" if row.operations is None else ", ".join(row.operations) or "reads only"
    books = "all" if row.books is None else ", ".join(row.books)
    until = f"{'until' if told['good'] else 'ended'} {instants.text(told['ends_at'])}"
    used = instants.text(row.last_used_at) if row.last_used_at else "never"
    return f"{row.user.username} {row.prefix} ({row.name}): {does}; books {books}; {until}; last used {used}"
