"""createsuperuser: Django's, for the first administrators. Where two decide on rights already, they decide on the next as well."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management.base import CommandError

from config.doors.commands import base as commands
from ledger_app.errors.granting import AdministratorThere
from ledger_app.models import User
from ledger_app.people.operations import people
from ledger_app.rights.queries import granting
from ledger_app.rights.rules.granting import DECIDERS_LEAST


class Command(createsuperuser.Command):
    """Makes one of the first administrators, and leaves an audit row of it."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the user, unless two are there who would have to decide it."""
        if (count := len(granting.deciders())) >= DECIDERS_LEAST:
            raise CommandError(str(AdministratorThere(count=count)), returncode=commands.REFUSED)
        before = set(User.objects.values_list("pk", flat=True))
        super().handle(*args, **options)
        for user in User.objects.exclude(pk__in=before):
            people.tell_administrator(user=user, caller=commands.caller(None))
