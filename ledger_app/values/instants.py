"""How an instant is written, everywhere: for people ``2017-02-01 09:00:00+09:00``, for programs ``2017-02-01T00:00:00Z``.

It never stands without its zone.
"""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

# What nothing is after.
LAST_DAY = date.max
LAST_INSTANT = datetime(9999, 12, 31, tzinfo=UTC)


def text(at: datetime, zone: tzinfo | str = UTC) -> str:
    """Return an instant to the second as a zone reads it, with its distance from UTC."""
    return at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).isoformat(sep=" ", timespec="seconds")


def stamp(at: datetime) -> str:
    """Return an instant as files, the API and the JSON of commands have it: in UTC, whole."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(value: object) -> str:
    """Return, for ``json.dumps``, what JSON has no form for: an instant as programs have it, everything else as its text."""
    return stamp(value) if isinstance(value, datetime) else str(value)
