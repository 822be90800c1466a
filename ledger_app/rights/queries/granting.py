"""Who has which right now, and who decides on rights."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from ledger_app.models import User
from ledger_app.rights.rules.granting import DECIDE, FLAGS

# An operation that changes a right locks this row, so that no rights move between reading and writing. It is the row of no user: every audit row
# refers to a user's.
STANDS_FOR_RIGHTS = "auditor"


def stands() -> QuerySet[Group]:
    """Return the row whose lock stands for all rights."""
    return Group.objects.filter(name=STANDS_FOR_RIGHTS)


def current(user: User) -> dict[str, Any]:
    """Return which rights a user has, as they are proposed and compared."""
    groups = sorted(user.groups.values_list("name", flat=True))
    return {"groups": groups, **{flag: getattr(user, flag) for flag in FLAGS}}


def deciders() -> frozenset[str]:
    """Return the names of the active people who decide on rights."""
    app, _dot, codename = DECIDE.partition(".")
    given = {"content_type__app_label": app, "codename": codename}
    has_it = Q(is_superuser=True) | Q(
        pk__in=User.objects.filter(
            Q(**{f"user_permissions__{name}": value for name, value in given.items()})
            | Q(**{f"groups__permissions__{name}": value for name, value in given.items()})
        ).values("pk")
    )
    found = User.objects.filter(has_it, is_active=True).exclude(username=User.SYSTEM)
    return frozenset(found.values_list("username", flat=True))


def ended_by(user: User) -> str:
    """Return the name of somebody from whom a user took the right to decide on rights, and who has not got it again; nothing where there is none."""
    names = User.objects.filter(decider_ended_by=user).order_by("username").values_list("username", flat=True)
    return names.first() or ""
