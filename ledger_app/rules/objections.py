"""Why a date, a reversal or an account takes no entry: questions of ``rules.posting``, asked of what is locked. Pure."""

from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors import bounds

if TYPE_CHECKING:
    from ledger_app.rules.posting import Draft, Held, HeldBook

# An entry is read whole where it is proved, sealed or reversed.
ENTRY_LINES_MOST = 500_000

# What a person reads where an account refuses a line.
ACCOUNT_STATES = {"suspended": _("Suspended"), "closed": _("Closed")}


def of_date(book: "HeldBook", on: date, *, by_hand: bool) -> tuple[type[errors.LedgerError], str] | None:
    """Return what a date is refused with, and the name of its period; None where it is free."""
    period = next((period for period in book.periods if period.starts_on <= on <= period.ends_on), None)
    if period is None:
        return errors.PeriodMissing, ""
    if period.state == "frozen":
        return errors.PeriodFrozen, period.name
    if period.state == "provisional" and not by_hand:
        return errors.PeriodProvisional, period.name
    return None


def of_reversal(draft: "Draft", held: "Held") -> list[errors.LedgerError]:
    """Return why the entry that a draft reverses is not reversed."""
    if draft.reverses is None:
        return []
    found: list[errors.LedgerError] = []
    if draft.reverses.id in held.reversed_by:
        found.append(errors.AlreadyReversed(reference=draft.reverses.reference, by=held.reversed_by[draft.reverses.id]))
    if draft.reverses.id in held.reversals:
        found.append(errors.ReversalOfReversal(reference=draft.reverses.reference))
    return found


def of_account(draft: "Draft", account_id: int, held: "Held") -> list[errors.LedgerError]:
    """Why an account takes no line of this draft."""
    account = held.accounts[account_id]
    if account.book_id != draft.book_id:
        book = held.books[draft.book_id].code
        return [errors.AccountInOtherBook(account=account.code, book=book, reference=draft.reference)]
    found: list[errors.LedgerError] = []
    # A suspension stops what is done with the points, not time.
    expires = account.state == "suspended" and draft.lots is not None and draft.lots.expires
    if account.state != "open" and not expires:
        state = ACCOUNT_STATES[account.state]
        found.append(errors.AccountNotOpen(account=account.code, state=state, reference=draft.reference))
    if account.merged_into is not None:
        found.append(errors.HolderMerged(account=account.code, into=account.merged_into, reference=draft.reference))
    return found


def of_count(draft: "Draft") -> errors.LedgerError | None:
    """Return what is wrong with the number of a draft's lines."""
    count = len(draft.lines)
    if count < 2:
        return errors.LinesTooFew(reference=draft.reference, count=count)
    if count > ENTRY_LINES_MOST:
        return bounds.LinesTooMany(reference=draft.reference, count=count, most=ENTRY_LINES_MOST)
    return None
