"""changepassword: Django's, which leaves an audit row here: how an operator lets somebody in again whose password nobody else may set."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword

from config.doors.commands import base as commands
from ledger_app.people.operations import people


class Command(changepassword.Command):
    """Sets a password, and tells of it."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Ask for it twice, as Django does."""
        told: str | None = super().handle(*args, **options)
        people.tell_password(username=options["username"] or getpass.getuser(), caller=commands.caller(None))
        return told
