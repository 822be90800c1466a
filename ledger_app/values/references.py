"""References that the ledger makes itself, and nobody else may give. Pure."""

from typing import Final

WORDS: Final = ("adjustment", "expiry", "hold", "merge", "reversal")
RESERVED: Final = tuple(f"{word}:" for word in WORDS)


def reserved(reference: str) -> str:
    """Return what a reference begins with where only the ledger makes such, else an empty string."""
    return next((prefix for prefix in RESERVED if reference.startswith(prefix)), "")
