"""Registers those who work here."""

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from ledger_app import errors
from ledger_app.models import User
from ledger_app.operations import history, transactions
from ledger_app.operations.audit import Caller


def register(*, username: str, password: str, group: str, caller: Caller) -> bool:
    """Register a user in a group; return whether the user is new. A user who is there in that group is left as they are.

    :raises errors.Refused: not_found (the group); definition_conflict, where the user is in other groups
    """

    def work() -> bool:
        there = User.objects.filter(username=username).first()
        if there is not None:
            groups = sorted(there.groups.values_list("name", flat=True))
            if groups != [group]:
                differs = f"{_('group')} ({', '.join(groups) or '–'} ≠ {group})"
                raise errors.Refused([errors.DefinitionConflict(what=_("User"), name=username, differs=differs)])
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
