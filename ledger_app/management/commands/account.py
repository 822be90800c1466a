"""account BOOK CODE [suspend|reopen|close --user U --reason T]: says how an account stands, and changes its state."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands import repeating
from ledger_app.books.operations import accounts
from ledger_app.books.rules.accounts import ACCOUNT
from ledger_app.errors import NotFound, Refused
from ledger_app.errors.words import phrase
from ledger_app.explain.queries import explain
from ledger_app.management.standing import standing_text
from ledger_app.models import Account
from ledger_app.points.queries import standing


class Command(commands.Command):
    """Says how an account stands; suspends, reopens or closes it."""

    help = "Say how an account stands: balance, held, overdue, to spend, next to expire; or suspend, reopen or close it, with a reason."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("code", metavar="CODE")
        names = [transition.name for transition in ACCOUNT.transitions]
        parser.add_argument("action", metavar="|".join(names), choices=names, nargs="?")
        parser.add_argument("--user", metavar="U")
        parser.add_argument("--reason", metavar="T")
        commands.add_shown_version(parser)

    def run(self, **options: Any) -> commands.Outcome:
        """Change the state, where that is asked for and this user has not done so, and say how the account stands."""
        action = options["action"]
        if action and not (options["user"] and options["reason"]):
            raise CommandError(_("--user and --reason are needed to change the state of an account"), returncode=commands.USAGE)
        account = explain.find_account(options["book"], options["code"])
        if account is None:
            raise Refused([NotFound(what=phrase(_("account of {book}"), book=options["book"]), name=options["code"])])
        if action:
            account = _changed(account, action, options)
        told = standing.as_dict(account, at=doorways.now())
        data = {"book": options["book"], "account": account.code, "state": account.state, "version": account.version}
        said = f"{options['book']}/{account.code} is {account.state}"
        return commands.Outcome({**data, "standing": told}, (said, standing_text(account, told)))


def _changed(account: Account, action: str, options: dict[str, Any]) -> Account:
    transition = ACCOUNT.transition(action)
    caller = commands.caller(options["user"], deciding=transition.decides)

    def act() -> Account:
        version = options["shown_version"]
        # From another state it is refused all the same, and says more.
        if account.state in transition.sources:
            version = commands.demand_version(ACCOUNT, transition.name, account, version)
        return accounts.change(
            account_id=account.pk, name=transition.name, reason=options["reason"], caller=caller, version=version
        )

    changed = repeating.once(
        repeating.decision(ACCOUNT, action, account.pk, caller, given={"--reason": options["reason"]}),
        standing=Account.objects.filter(pk=account.pk, state=transition.target).first,
        act=act,
    )
    changed.book = account.book
    return changed
