"""People and programs with tokens, and who acts: for tests of what is signed in with."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group

from ledger_app.base.operations.audit import Caller
from ledger_app.models import User

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
HOLDS = ["ledger_app.place_hold", "ledger_app.settle_hold"]


def person(name: str, *groups: str, **flags: Any) -> User:
    """Return a new user of these groups."""
    made = User.objects.create(username=name, **flags)
    made.groups.set(Group.objects.filter(name__in=groups))
    return made


def by(user: User, at: datetime = AT) -> Caller:
    """Return a user who acts on a page, with what they may do now."""
    return Caller(User.objects.get(pk=user.pk), at, "admin")
