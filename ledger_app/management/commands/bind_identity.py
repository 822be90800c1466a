"""bind_identity: says whom the provider of single sign-on knows a user as."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config.doors.commands import base as commands
from ledger_app.people.operations import identities


class Command(commands.Command):
    """Binds a user to an identity."""

    help = "Bind a user to whom the provider of KAKUTEI_OIDC_ISSUER knows them as, so that they can sign in there."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="who is bound")
        parser.add_argument(
            "--subject", metavar="S", required=True, help="what the provider calls them, as its ID tokens say (sub)"
        )
        parser.add_argument("--reason", metavar="T", required=True, help="why, as the audit row tells")

    def run(self, **options: Any) -> commands.Outcome:
        """Bind them, in the name of the system, with the account of the operating system."""
        issuer = settings.KAKUTEI_OIDC_ISSUER
        if not issuer:
            raise CommandError("KAKUTEI_OIDC_ISSUER is not set: there is no provider to be bound at.", returncode=commands.USAGE)
        name, subject, reason = options["name"], options["subject"], options["reason"]
        is_new = identities.bind(username=name, issuer=issuer, subject=subject, reason=reason, caller=commands.caller(None))
        told = f"{name}: {'bound' if is_new else 'was bound so already'}"
        return commands.Outcome({"user": name, "issuer": issuer, "bound": is_new}, (told,))
