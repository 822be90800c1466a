"""Why a date, a reversal, an account or a reference takes no entry: questions of ``rules.posting``, asked of what is locked. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from ledger_app import errors

if TYPE_CHECKING:
    from ledger_app.rules.posting import Draft, Held, HeldBook

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


def content(draft: "Draft", held: "Held") -> Mapping[str, object]:
    """Return what is compared when two entries claim one reference."""
    return {
        "date": draft.effective_on.isoformat(),
        "description": draft.description,
        "reverses": draft.reverses.reference if draft.reverses else "",
        "lines": [[held.accounts[account_id].code, amount] for account_id, amount in draft.lines],
    }


def conflict(draft: "Draft", there: Mapping[str, object], held: "Held") -> errors.LedgerError:
    """Say that the reference stands for something else, and name each field that differs."""
    mine = content(draft, held)
    differs = ", ".join(f"{name} ({there[name]!s} ≠ {mine[name]!s})" for name in mine if there[name] != mine[name])
    return errors.ReferenceConflict(reference=draft.reference, differs=differs or "digest")
