"""Why a date, a reversal, an account or a reference takes no entry: questions of ``posting.rules.posting``, asked of what is locked. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors.words import Amount, Word, Words, differing, phrase
from ledger_app.posting.rules.drafts import Basis, Draft, LockedBook
from ledger_app.values import dates

# What a person reads where an account refuses a line.
ACCOUNT_STATES = {"suspended": _("Suspended"), "closed": _("Closed")}

# What is compared where two entries claim one reference, beside their lines.
FIELDS: Mapping[str, Word] = {"date": _("date"), "description": _("description"), "reverses": _("reverses")}
LINES_NAMED = 10


def of_date(book: LockedBook, on: date, *, by_hand: bool) -> tuple[type[errors.LedgerError], str] | None:
    """Return what a date is refused with, and the name of its period; None where it is free."""
    period = dates.taking(book.periods, on)
    if period is None:
        return errors.PeriodMissing, ""
    if period.state == "frozen":
        return errors.PeriodFrozen, period.name
    if period.state == "provisional" and not by_hand:
        return errors.PeriodProvisional, period.name
    return None


def of_reversal(draft: Draft, basis: Basis) -> list[errors.LedgerError]:
    """Return why the entry that a draft reverses is not reversed."""
    if draft.reverses is None:
        return []
    found: list[errors.LedgerError] = []
    if draft.reverses.id in basis.reversed_by:
        found.append(errors.AlreadyReversed(reference=draft.reverses.reference, by=basis.reversed_by[draft.reverses.id]))
    if draft.reverses.id in basis.reversals:
        found.append(errors.ReversalOfReversal(reference=draft.reverses.reference))
    return found


def of_account(draft: Draft, account_id: int, basis: Basis) -> list[errors.LedgerError]:
    """Why an account takes no line of this draft."""
    account = basis.accounts[account_id]
    if account.book_id != draft.book_id:
        book = basis.books[draft.book_id].code
        return [errors.AccountInOtherBook(account=account.code, book=book, reference=draft.reference)]
    found: list[errors.LedgerError] = []
    # A suspension stops what is done with the points, not time: of the account that has them, not of that which takes what has expired.
    expires = account.state == "suspended" and account.keeps_lots and draft.lots is not None and draft.lots.expires
    if account.state != "open" and not expires:
        state = ACCOUNT_STATES[account.state]
        found.append(errors.AccountNotOpen(account=account.code, state=state, reference=draft.reference))
    if account.merged_into is not None:
        found.append(errors.HolderMerged(account=account.code, into=account.merged_into, reference=draft.reference))
    return found


def content(draft: Draft, basis: Basis) -> Mapping[str, Any]:
    """Return what is compared when two entries claim one reference."""
    return {
        "date": draft.effective_on.isoformat(),
        "description": draft.description,
        "reverses": draft.reverses.reference if draft.reverses else "",
        "lines": [[basis.accounts[account_id].code, amount] for account_id, amount in draft.lines],
    }


def conflict(draft: Draft, there: Mapping[str, Any], basis: Basis) -> errors.LedgerError:
    """Say that the reference stands for something else, and name each field and each account that differs."""
    mine = content(draft, basis)
    fields = differing((name, there[key], mine[key]) for key, name in FIELDS.items())
    differs = Words([*fields, *_lines_differing(there["lines"], mine["lines"])])
    refusal = errors.ReferenceConflict(reference=draft.reference, differs=differs or _("the digest"))
    refusal.book_id = draft.book_id
    return refusal


def _lines_differing(there: Sequence[Sequence[Any]], given: Sequence[Sequence[Any]]) -> Words:
    """Return the accounts that have another line, each with the amounts; the first of them, where they are many."""
    before, now = _by_account(there), _by_account(given)
    pairs = [
        (code, *pair)
        for code in {**before, **now}
        for pair in zip_longest(before.get(code, ()), now.get(code, ()), fillvalue=_("no line"))
    ]
    found = differing(pairs)
    if not found and there != given:
        return Words([_("the order of the lines")])
    beyond = len(found) - LINES_NAMED
    return Words([*found[:LINES_NAMED], *([phrase(_("{count} more lines"), count=beyond)] if beyond > 0 else [])])


def _by_account(lines: Sequence[Sequence[Any]]) -> dict[str, list[Amount]]:
    """Return the amounts of an entry's lines by account, sorted."""
    found: dict[str, list[Amount]] = {}
    for code, amount in sorted((code, amount) for code, amount in lines):
        found.setdefault(code, []).append(Amount(amount))
    return found
