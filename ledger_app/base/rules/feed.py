"""What the feed tells of. Pure."""

from typing import Final

# Subjects of audit rows that are nobody's business but the auditors': who may sign in, what was refused at a door, and where the feed itself is sent.
UNPUBLISHED: Final = frozenset({"accessreview", "login", "request", "token", "user", "webhook"})
POSTING: Final = "posting"


def is_published(subject_type: str) -> bool:
    """Whether the feed tells of such a subject."""
    return subject_type not in UNPUBLISHED
