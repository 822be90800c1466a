"""What every decision by two asks, whichever machine it is of: that the decider is really another. Pure."""

from typing import Protocol

from ledger_app import errors
from ledger_app.errors import granting


class Deciding(Protocol):
    """What the guard is asked with."""

    @property
    def user_name(self) -> str:
        """The user who decides."""

    @property
    def secret_known_to(self) -> tuple[str, ...]:
        """Who set the password of that user, and had a hand in what is decided: proposed it, or gave the first of two approvals."""


def decider_is_really_another(facts: Deciding) -> list[errors.LedgerError]:
    """The proposer cannot sign in as the decider."""
    return [granting.SecretOfProposer(proposer=name, user=facts.user_name) for name in facts.secret_known_to]
