"""Reads instants as they come in through the API and the command line."""

from datetime import UTC, datetime

# What every database keeps, and what has a date in every zone.
YEARS = range(1000, 9999)


def read(text: str) -> datetime:
    """Return an instant in UTC that is written in ISO 8601 with its zone.

    :raises ValueError: it is none, has no zone, or is of no year from 1000 to 9998
    """
    found = datetime.fromisoformat(text) if text.isascii() else None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        raise ValueError(text)
    return found.astimezone(UTC)
