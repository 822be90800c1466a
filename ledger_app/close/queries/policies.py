"""What the policy of a book's close says of a period: from when it is provisional and may be frozen, and which totals a freeze needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger_app.books.rules.periods import FREEZE_AFTER, PROVISIONAL_AFTER, ended_at
from ledger_app.models import ClosePolicy, Period


@dataclass(frozen=True, slots=True)
class Times:
    """From when a period is to be provisional and may be frozen. ``is_said`` tells whether its book has a policy: the times of the others bind nobody."""

    provisional: datetime
    freeze: datetime
    is_said: bool = False
    controls: tuple[str, ...] = ()


def times(period: Period) -> Times:
    """Return what is said of a period: by its book's policy, else as is usual."""
    policy = ClosePolicy.objects.filter(book=period.book_id).first()
    ended = ended_at(period.ends_on, period.book.time_zone)
    if policy is None:
        return Times(ended + PROVISIONAL_AFTER, ended + FREEZE_AFTER)
    return Times(
        ended + timedelta(hours=policy.provisional_after_hours),
        ended + timedelta(hours=policy.freeze_after_hours),
        is_said=True,
        controls=tuple(policy.controls),
    )
