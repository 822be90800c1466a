"""The form of a draft: what must be right in it before anything else is looked up, and the canonical form of its entry. Pure."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from ledger_app import errors
from ledger_app.errors import bounds
from ledger_app.posting.rules.drafts import Basis, Draft
from ledger_app.values.most import AMOUNT_MOST

FORM = "kakutei-entry-1"
# An entry is read whole where it is proved, sealed or reversed.
ENTRY_LINES_MOST = 500_000
REFERENCE = re.compile(r"[!-~]{1,100}")
# Neither control characters nor line breaks of any kind, nor halves of characters, which have no bytes.
DESCRIPTION_MOST = 200
DESCRIPTION = re.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{{0,{DESCRIPTION_MOST}}}")


iso = lru_cache(maxsize=1024)(date.isoformat)  # few days, and many entries of each


def digest(
    *, book: str, effective_on: date, reference: str, description: str, reverses: str, lines: Sequence[tuple[str, int]]
) -> bytes:
    """Return the SHA-256 of an entry's canonical form (docs/canonical-form.md). ``lines`` are (account code, signed amount)."""
    text = "".join([f"{code} {amount}\n" for code, amount in lines])
    return digest_of((FORM, book, effective_on.isoformat(), reference, description, reverses, text))


def digest_of(parts: tuple[str, ...]) -> bytes:
    """Return the SHA-256 of the parts of a canonical form, each of which ends a line."""
    return hashlib.sha256("\n".join(parts).encode()).digest()


def refusals(draft: Draft, basis: Basis) -> list[errors.LedgerError]:
    """Return what is wrong with a draft by itself, and which of its accounts are not there."""
    found: list[errors.LedgerError] = []
    if REFERENCE.fullmatch(draft.reference) is None:
        found.append(errors.ReferenceInvalid(reference=draft.reference[:120]))
    if DESCRIPTION.fullmatch(draft.description) is None:
        found.append(errors.DescriptionInvalid(reference=draft.reference))
    if (wrong := of_count(draft)) is not None:
        found.append(wrong)
    for account_id, amount in draft.lines:
        if amount == 0 or not -AMOUNT_MOST <= amount <= AMOUNT_MOST:
            code = basis.accounts[account_id].code if account_id in basis.accounts else account_id
            kind = errors.AmountOutOfRange if amount else errors.LineZero
            found.append(kind(reference=draft.reference, account=code, amount=amount))
    if (total := sum(amount for _account_id, amount in draft.lines)) != 0:
        found.append(errors.Unbalanced(reference=draft.reference, sum=total))
    unknown = [account_id for account_id, _ in draft.lines if account_id not in basis.accounts]
    return found + [errors.AccountUnknown(account=account_id, reference=draft.reference) for account_id in unknown]


def of_count(draft: Draft) -> errors.LedgerError | None:
    """Return what is wrong with the number of a draft's lines."""
    count = len(draft.lines)
    if count < 2:
        return errors.LinesTooFew(reference=draft.reference, count=count)
    if count > ENTRY_LINES_MOST:
        return bounds.LinesTooMany(reference=draft.reference, count=count, most=ENTRY_LINES_MOST)
    return None
