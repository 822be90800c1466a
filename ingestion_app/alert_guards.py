"""The guards of alerts: what looks wrong with a file is acknowledged, by what was shown, before its batch is approved."""

from typing import Protocol

from ingestion_app import errors
from ledger_app.errors import LedgerError


class AlertFacts(Protocol):
    """What these guards are asked with."""

    @property
    def state(self) -> str:
        """The state of the batch."""

    @property
    def batch_id(self) -> int:
        """The batch."""

    @property
    def alerts(self) -> int:
        """How many alerts the last validation saw."""

    @property
    def alerts_digest(self) -> str:
        """Their digest, hexadecimal; empty where there is none."""

    @property
    def alerts_shown(self) -> str | None:
        """The digest of what was shown; None where nothing is decided yet."""

    @property
    def alerts_acknowledged_by(self) -> str:
        """Who has acknowledged them since the last validation; empty where nobody has."""


def alerts_are_acknowledged(facts: AlertFacts) -> list[LedgerError]:
    """Somebody of finance has looked at each alert of the last validation, and said why the file is right."""
    if facts.alerts == 0 or facts.alerts_acknowledged_by:
        return []
    return [errors.AlertsOpen(alerts=facts.alerts, batch=facts.batch_id)]


def alerts_are_there(facts: AlertFacts) -> list[LedgerError]:
    """Validation saw something that is to be acknowledged."""
    return [] if facts.alerts or facts.state != "validated" else [errors.NoAlerts()]


def alerts_are_open(facts: AlertFacts) -> list[LedgerError]:
    """Nobody has acknowledged the alerts of the last validation."""
    return [errors.AlertsAcknowledged(by=facts.alerts_acknowledged_by)] if facts.alerts_acknowledged_by else []


def alerts_were_shown(facts: AlertFacts) -> list[LedgerError]:
    """The acknowledgement names the alerts that the batch has."""
    if facts.alerts_shown is None or facts.alerts_shown == facts.alerts_digest:
        return []
    return [errors.AlertsNotShown(shown=facts.alerts_shown[:12] or "–", current=facts.alerts_digest[:12] or "–")]
