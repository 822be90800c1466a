"""find_member TEXT: finds members by any identifier."""

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext, gettext_lazy

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ledger_app.errors import Refused
from ledger_app.errors.members import CardNumberInAddress
from ledger_app.members.queries import members
from ledger_app.points.queries import standing
from ledger_app.values import identifiers
from ledger_app.values.amounts import decimal_text


class Command(commands.Command):
    """Finds members."""

    card_remedy = gettext_lazy("Give it on standard input, with - in its place.")
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
        elif identifiers.card_digits(text):  # a card of our own, of no known issuer
            raise Refused([CardNumberInAddress(remedy=self.card_remedy)])
        by = members.By(options["by"]) if options["by"] else None
        found = members.search(text, by=by, after=options["after"], most=options["most"])
        shown = members.shown(match.holder_id for match in found.matches)
        accounts = standing.of_members([match.holder_id for match in found.matches], at=doorways.now())
        matches = []
        for match in found.matches:
            fields = shown[match.holder_id]._asdict()
            matches.append({"member": fields.pop("id"), **fields, "kind": match.kind, "value": match.value})
            matches[-1]["accounts"] = accounts.get(match.holder_id, [])
        lines = []
        for each in matches:
            lines.append(f"{each['member']}  {each['kind'] or 'name'} {each['value']}  {each['name']}")
            lines += [_account_text(account) for account in each["accounts"]]
        return commands.Outcome({"by": found.by.value, "matches": matches, "after": found.after}, tuple(lines))


def _account_text(account: dict[str, Any]) -> str:
    """Say what a member has on an account, and what of it can be spent."""

    def text(name: str) -> str:
        return f"{decimal_text(account[name], account['exponent'])} {account['unit']}"

    said = f"    {account['book']}/{account['account']}: {text('balance')}"
    if account["spendable"] is None:
        return said
    parts = gettext("{spendable} can be spent, {held} held, {overdue} was due and is not expired yet")
    return f"{said}; {parts.format(spendable=text('spendable'), held=text('held'), overdue=text('overdue'))}"
