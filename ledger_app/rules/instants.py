"""How an instant is written for people, everywhere: ``2017-02-01 09:00:00+09:00``. It never stands without its zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def text(at: datetime, zone: tzinfo | str = UTC) -> str:
    """Return an instant to the second as a zone reads it, with its distance from UTC."""
    return at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).isoformat(sep=" ", timespec="seconds")
