"""find-member TEXT: finds members by any identifier."""

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext

from config import commands
from ledger_app.errors import Refused
from ledger_app.errors.members import CardNumberInAddress
from ledger_app.queries import members
from ledger_app.rules import identifiers


class Command(commands.Command):
    """Finds members."""

    help = "Find members by any identifier, whole or by its beginning, by a card's last four, or by name."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "text", metavar="TEXT", help="what to look for; - reads it from standard input, as a card number must be"
        )
        parser.add_argument("--by", choices=[each.value for each in members.By])
        parser.add_argument("--after", default="", metavar="A", help="what the page before gave out")
        parser.add_argument("--most", type=commands.positive, default=members.PAGE, metavar="N")

    def run(self, **options: Any) -> commands.Outcome:
        """Look, and write nothing."""
        text = options["text"]
        if text == "-":
            text = sys.stdin.readline()
        elif identifiers.card_digits(text):
            raise Refused([CardNumberInAddress(remedy=gettext("Give it on standard input, with - in its place."))])
        by = members.By(options["by"]) if options["by"] else None
        found = members.search(text, by=by, after=options["after"], most=options["most"])
        shown = members.shown(match.holder_id for match in found.matches)
        matches = []
        for match in found.matches:
            fields = shown[match.holder_id]._asdict()
            matches.append({"member": fields.pop("id"), **fields, "kind": match.kind, "value": match.value})
        lines = [f"{each['member']}\t{each['kind'] or 'name'} {each['value']}\t{each['name']}" for each in matches]
        return commands.Outcome({"by": found.by.value, "matches": matches, "after": found.after}, tuple(lines))
