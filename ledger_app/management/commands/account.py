"""account BOOK CODE suspend|reopen|close --user U --reason T: changes the state of an account."""

from typing import Any

from django.core.management.base import CommandParser

from config import commands
from ledger_app.errors import NotFound, Refused
from ledger_app.operations import accounts
from ledger_app.queries import explain
from ledger_app.rules.accounts import ACCOUNT


class Command(commands.Command):
    """Suspends, reopens or closes an account."""

    help = "Suspend, reopen or close an account, with a reason."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("code", metavar="CODE")
        names = [transition.name for transition in ACCOUNT.transitions]
        parser.add_argument("action", metavar="|".join(names), choices=names)
        parser.add_argument("--user", required=True, metavar="U")
        parser.add_argument("--reason", required=True, metavar="T")
        commands.add_shown_version(parser)

    def run(self, **options: Any) -> commands.Outcome:
        """Change the state, unless it is the one that is asked for."""
        transition = ACCOUNT.transition(options["action"])
        caller = commands.caller(options["user"], deciding=transition.decides)
        account = explain.find_account(options["book"], options["code"])
        if account is None:
            raise Refused([NotFound(what=f"account of {options['book']}", name=options["code"])])
        if account.state != transition.target:
            version = commands.demand_version(ACCOUNT, transition.name, account, options["shown_version"])
            account = accounts.change(
                account_id=account.pk, name=transition.name, reason=options["reason"], caller=caller, version=version
            )
        data = {"book": options["book"], "account": account.code, "state": account.state, "version": account.version}
        return commands.Outcome(data, (f"{options['book']}/{account.code} is {account.state}",))
