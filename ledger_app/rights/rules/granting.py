"""Changes of rights: what a change gives and takes, and why it may be refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger_app import errors
from ledger_app.errors import granting

Rights = Mapping[str, Any]  # groups, sorted by name; is_superuser, is_staff, is_active
FLAGS: Final = ("is_superuser", "is_staff", "is_active")
NAMES: Final = ("groups", *FLAGS)
# Somebody who is registered and has no right yet: may sign in, and finds nothing there.
NOTHING: Final[Rights] = {"groups": [], "is_superuser": False, "is_staff": False, "is_active": True}
DECIDE: Final = "ledger_app.change_user"
# Below so many who decide, nobody could begin: then one gives alone.
DECIDERS_LEAST: Final = 2


def gives(before: Rights, after: Rights) -> bool:
    """Whether ``after`` has what ``before`` has not."""
    return not set(after["groups"]) <= set(before["groups"]) or any(after[flag] and not before[flag] for flag in FLAGS)


def without_gains(before: Rights, after: Rights) -> dict[str, Any]:
    """Return what is left of ``before`` under ``after``, before anything is given."""
    left: dict[str, Any] = {flag: before[flag] and after[flag] for flag in FLAGS}
    return {"groups": sorted(set(before["groups"]) & set(after["groups"])), **left}


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """What a change of somebody's rights is asked with.

    ``deciders`` are the names of the active people who decide on rights; ``ended_by_caller`` is whom the caller took that from; ``is_decided`` says
    that two have a hand in it, one who proposed and one who decides, or that it is tried for a proposal; ``secret_known_to`` is who else set
    the password that the user has, or is given with this.
    """

    user: str
    caller: str
    is_system: bool
    is_decided: bool
    is_new: bool
    before: Rights
    after: Rights
    deciders: frozenset[str]
    ended_by_caller: str = ""
    secret_known_to: str = ""

    @property
    def gives(self) -> bool:
        """Whether it gives anything."""
        return gives(self.before, self.after)

    @property
    def is_alone(self) -> bool:
        """Whether one gives it at once, since there are no two."""
        return self.gives and not self.is_decided and len(self.deciders) < DECIDERS_LEAST

    @property
    def makes_decider(self) -> bool:
        """Whether it gives something to a user who decides on rights from then on. Who decides by another way than this stays so."""
        decides = self.after["is_superuser"] or self.user in self.deciders
        return self.gives and bool(decides and self.after["is_active"])

    @property
    def ends_decider(self) -> bool:
        """Whether it takes from the user the right to decide on rights, which no group gives."""
        keeps = self.after["is_superuser"] or not self.before["is_superuser"]
        return self.user in self.deciders and not (self.after["is_active"] and keeps)


def refusals(facts: GrantFacts) -> list[errors.LedgerError]:
    """Return why the change may not be: own first, then who else there is, then who is left."""
    found: list[errors.LedgerError] = []
    others = len(facts.deciders - {facts.user})
    if facts.gives and facts.user == facts.caller:
        found.append(granting.OwnRights(user=facts.user))
    elif facts.gives and facts.is_system and not facts.is_alone:
        found.append(granting.RightsByTwo(user=facts.user, count=len(facts.deciders)))
    elif facts.is_alone and facts.ended_by_caller:
        found.append(granting.AloneByOwnAct(user=facts.caller, other=facts.ended_by_caller))
    elif facts.gives and not facts.is_alone and others < DECIDERS_LEAST:
        found.append(granting.NobodyElseDecides(user=facts.user, count=others))
    if facts.makes_decider and facts.secret_known_to:
        found.append(granting.SecretOfDecider(user=facts.user, known_to=facts.secret_known_to))
    if facts.ends_decider and not others:
        found.append(granting.LastAdministrator(user=facts.user))
    return found
