"""What a decision on drafts rests on: read under the locks of a posting, or without any for a preview, by the same statements."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from ledger_app import locks
from ledger_app.posting.queries import days, lots, postings
from ledger_app.posting.rules.drafts import Basis, Draft, LockedBook
from ledger_app.posting.rules.lots import Done, LockedLots
from ledger_app.values.balances import balance_id
from ledger_app.values.sides import natural


def wanted(drafts: Sequence[Draft]) -> locks.Wanted:
    """Return what is to be locked for ``drafts``."""
    dates = {draft.effective_on for draft in drafts}
    return locks.Wanted(
        book_ids=frozenset(draft.book_id for draft in drafts),
        first_on=min(dates),
        last_on=max(dates),
        account_ids=frozenset(account_id for draft in drafts for account_id, _ in draft.lines),
        days=frozenset(dates),
    )


def completed(
    ledger: locks.Ledger,
    drafts: Sequence[Draft],
    *,
    of_lots: tuple[Mapping[int, LockedLots], Mapping[int, Sequence[Done]]],
    are_new: bool = False,
) -> Basis:
    """Complete what was read of periods, accounts, balances and lots by what stands under the references, and was reversed before.

    ``are_new``: nothing is looked up under the drafts' references, as each is known to be a new one.
    """
    kept, done = of_lots
    book_ids = {draft.book_id for draft in drafts}
    codes = {**ledger.book_codes, **postings.book_codes(book_ids - ledger.book_codes.keys())}
    reversed_by, reversals = postings.reversals({draft.reverses.id for draft in drafts if draft.reverses})
    return Basis(
        books={key: LockedBook(code, tuple(ledger.periods.get(key, ()))) for key, code in codes.items()},
        accounts=ledger.accounts,
        balances=ledger.balances,
        known={} if are_new else postings.known_entries((draft.book_id, draft.reference) for draft in drafts),
        reversed_by=reversed_by,
        reversals=reversals,
        lots=kept,
        done=done,
        last_on=ledger.last_on,
        days=days.after(_back_dated(ledger, drafts)),
    )


def _back_dated(ledger: locks.Ledger, drafts: Sequence[Draft]) -> dict[int, date]:
    """Return the accounts that have a floor and from which a draft takes on a day before the latest of their lines, each with the first such day.

    The ordinary draft is dated on that day or later; then the balance alone decides.
    """
    first_on = min(draft.effective_on for draft in drafts)
    late = {
        account_id: last_on
        for account_id, account in ledger.accounts.items()
        if account.floor is not None and (last_on := ledger.last_on.get(balance_id(account_id, 0), first_on)) > first_on
    }
    found: dict[int, date] = {}
    if late:
        for draft in drafts:
            on = draft.effective_on
            for account_id, amount in draft.lines:
                if account_id in late and on < late[account_id] and natural(ledger.accounts[account_id].category, amount) < 0:
                    found[account_id] = min(on, found.get(account_id, on))
    return found


def unlocked(drafts: Sequence[Draft], *, are_new: bool = False, at: datetime | None = None) -> Basis:
    """Read for a preview, which binds nobody: ``post`` decides anew under its locks. Holds that are over ``at`` an instant are left out, as by ``post``."""
    ledger = locks.unlocked(wanted(drafts))
    kept, done = lots.of_accounts(ledger.accounts, drafts)
    if at is not None:
        kept = lots.without_over(kept, at)
    return completed(ledger, drafts, of_lots=(kept, done), are_new=are_new)
