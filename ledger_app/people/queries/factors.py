"""Which second factors users have."""

from ledger_app.models import RecoveryCode, SecondFactor, User
from ledger_app.people.rules import factors as rules
from ledger_app.rights.queries.rights import rights_of


def has(user: User) -> bool:
    """Return whether a user signs in with a second factor."""
    return SecondFactor.objects.filter(user=user).exists()


def of(user: User, kind: str | None = None) -> list[SecondFactor]:
    """Return the second factors of a user, the oldest first."""
    rows = SecondFactor.objects.filter(user=user).order_by("added_at", "pk")
    return list(rows if kind is None else rows.filter(kind=kind))


def codes_left(user: User) -> int:
    """Return how many recovery codes a user has."""
    return RecoveryCode.objects.filter(user=user).count()


def is_missing(user: User, policy: str) -> bool:
    """Return whether a user needs a second factor by the policy and has none."""
    return (
        policy != "voluntary" and rules.is_needed(policy, has=rights_of(user), is_superuser=user.is_superuser) and not has(user)
    )
