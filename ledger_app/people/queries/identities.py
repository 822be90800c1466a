"""Which user an identity at a provider is, and whom the provider knows a user as."""

from ledger_app.models import Identity, User


def of(user: User) -> Identity | None:
    """Return the identity of a user; None where none is bound."""
    return Identity.objects.filter(user=user).first()


def user_of(*, issuer: str, subject: str) -> User | None:
    """Return the user that an identity is bound to; None where it is bound to nobody."""
    row = Identity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
    return None if row is None else row.user
