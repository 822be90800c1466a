"""What a user may do."""

from ledger_app.models import User
from ledger_app.rules import rights


def rights_of(user: User) -> frozenset[str]:
    """Return a user's rights as ``app.codename``. The system has an engineer's: it receives, validates and applies, and decides nothing."""
    if user.username == User.SYSTEM:
        return frozenset(rights.ACTIONS["engineer"]) - {"ingestion_app.withdraw_batch", "ingestion_app.reverse_batch"}
    return frozenset(user.get_all_permissions())
