"""Registers those who work here."""

from django.contrib.auth.models import Group

from ledger_app import errors
from ledger_app.models import User
from ledger_app.operations import history, transactions
from ledger_app.operations.audit import Caller
from ledger_app.rules import openings

NAME_MOST = 150


def register(*, username: str, password: str, group: str, caller: Caller) -> bool:
    """Register a user in a group; return whether the user is new. A user who is there is left as they are.

    :raises errors.Refused: label_invalid, not_found (the group)
    """
    if found := [*openings.name("name of a user", username, NAME_MOST), *openings.name("group", group, NAME_MOST)]:
        raise errors.Refused(found)

    def work() -> bool:
        if User.objects.filter(username=username).exists():
            return False
        found = Group.objects.filter(name=group).first()
        if found is None:
            raise errors.Refused([errors.NotFound(what="group", name=group)])
        user = User(username=username, is_staff=True)
        user.set_password(password)
        history.create(user, caller=caller)
        user.groups.add(found)
        return True

    return transactions.run(work)
