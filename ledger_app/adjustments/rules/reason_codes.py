"""What a reason code lets an adjustment do: asked when it is proposed, and again when it is decided."""

from dataclasses import dataclass

from ledger_app import errors
from ledger_app.errors import adjusting


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What a reason code says, and what an adjustment with it asks of it."""

    code: str
    book: str
    is_active: bool
    has_contra_account: bool  # in the book
    may_waive_floor: bool
    waives_floor: bool  # the adjustment does


def reason_refusals(facts: ReasonFacts) -> list[errors.LedgerError]:
    """Return why the reason code does not allow the adjustment."""
    found: list[errors.LedgerError] = []
    if not facts.is_active:
        found.append(adjusting.ReasonCodeInactive(reason=facts.code))
    if not facts.has_contra_account:
        found.append(adjusting.ReasonCodeOfOtherBook(reason=facts.code, book=facts.book))
    if facts.waives_floor and not facts.may_waive_floor:
        found.append(adjusting.FloorNotWaivable(reason=facts.code))
    return found
