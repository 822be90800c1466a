"""What a user may do."""

from typing import Any

from ledger_app.models import User
from ledger_app.rules import rights
from ledger_app.rules.adjustments import EXPIRE


def rights_of(user: User) -> frozenset[str]:
    """Return a user's rights as ``app.codename``. The system has an engineer's: it receives, validates and applies, and decides nothing.

    And it marks proposals that nobody decided in time, which is nobody's decision.
    """
    if user.username == User.SYSTEM:
        kept_back = {"ingestion_app.withdraw_batch", "ingestion_app.reverse_batch"}
        return (frozenset(rights.ACTIONS["engineer"]) - kept_back) | {EXPIRE}
    return frozenset(user.get_all_permissions())


def of_program(user: User) -> frozenset[str]:
    """Return the rights that a user has as a program: of no group in which people are. A person, superusers included, has none."""
    groups = set(user.groups.values_list("name", flat=True))
    return (
        frozenset(rights.ACTIONS["machine"])
        if groups == {"machine"} and not user.is_superuser and user.is_active
        else frozenset()
    )


def is_program(user: Any) -> bool:
    """Return whether a user stands for a program and for no person: posts entries, or places holds and may not look at what people look at."""
    if user.is_superuser:
        return False
    places = user.has_perm("ledger_app.place_hold") and not user.has_perm(rights.LOOK_AT_ALL)
    return bool(places or user.has_perm("ledger_app.post_entry"))
