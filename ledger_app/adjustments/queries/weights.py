"""What taking an entry back moves by hand: how much on which account, and by which reason code where it was an adjustment."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from ledger_app.adjustments.queries import decided, limits
from ledger_app.adjustments.rules.limits import Weight
from ledger_app.errors import LedgerError
from ledger_app.models import Adjustment, Entry, Line, Posting, ReasonCode, User

# Return the reason code of an entry that an application above posted as an adjustment; None of any other.
Asked = Callable[[Entry], str | None]
_others: list[Asked] = []


def register(asked: Asked) -> None:
    """Have the reason codes of entries asked of ``asked`` too. Called by applications above the ledger when they start."""
    if asked not in _others:
        _others.append(asked)


def of_entry(entry: Entry) -> list[Weight]:
    """Return what an entry moved: of an adjustment the account and reason code; of any other the accounts that members hold."""
    amounts: Counter[tuple[int, int | None]] = Counter()
    for account_id, holder_id, amount in Line.objects.filter(entry=entry).values_list("account", "account__holder", "amount"):
        amounts[account_id, holder_id] += amount
    if entry.posting.origin_kind == Posting.Origin.ADJUSTMENT:
        row = Adjustment.objects.filter(pk=entry.posting.origin_id).first()
        if row is not None:
            return [Weight(row.account_id, row.reason_code_id, abs(row.amount))]
    code = next((found for asked in _others if (found := asked(entry)) is not None), None)
    reason = ReasonCode.objects.filter(code=code).values_list("id", flat=True).first() if code is not None else None
    moved = sorted((key, abs(amount)) for (key, holder_id), amount in amounts.items() if holder_id is not None and amount)
    return [Weight(key, reason, amount) for key, amount in moved]


def beyond(entry: Entry, user: User, *, at: datetime) -> list[LedgerError]:
    """Return why a user may not decide to take an entry back.

    What was adjusted is compared with all limits of the person who decides alone; what was not, against those of a day: its amount is nobody's choice.
    """
    if not (weights := of_entry(entry)):
        return []
    scope = decided.Scope(book=entry.book, user=user, at=at)
    return limits.beyond_of_many(scope, weights, days_only=all(each.reason_id is None for each in weights))
