"""The time of the doors, as tests let it pass."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Stands until it is told how much time passes by."""

    def __init__(self) -> None:
        """Begin on a morning."""
        self.at = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.at

    def pass_by(self, **span: float) -> None:
        """Let time pass, named as ``timedelta`` names it."""
        self.at += timedelta(**span)
