"""What may be posted, decided without a database.

``decide`` asks every draft every question, in the order of ``ORDER``, and returns either refusals or a plan that holds each row to be
written. A caller that got a plan must write all of it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors

# The order of the refusals of one draft, as docs/errors.md lists it. A draft is asked in three steps, and the next only where the one before it
# found nothing: is there such a book; is the draft well formed and can its accounts be named; may it be posted.
ORDER: tuple[type[errors.LedgerError], ...] = (
    errors.BookUnknown,
    errors.ReferenceInvalid,
    errors.DescriptionInvalid,
    errors.LinesTooFew,
    errors.LineZero,
    errors.AmountOutOfRange,
    errors.Unbalanced,
    errors.AccountUnknown,
    errors.ReferenceConflict,
    errors.AlreadyReversed,
    errors.ReversalOfReversal,
    errors.PeriodMissing,
    errors.PeriodFrozen,
    errors.PeriodProvisional,
    errors.AccountInOtherBook,
    errors.AccountNotOpen,
    errors.HolderMerged,
    errors.FloorBroken,
)

AMOUNT_MOST = 10**15
BALANCE_MOST = 9 * 10**18
STRIPES_MOST = 64
REFERENCE = re.compile(r"[!-~]{1,100}")
# Neither control characters nor line breaks of any kind, nor halves of characters, which have no bytes.
DESCRIPTION = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{0,200}")
DEBIT_CATEGORIES = frozenset({"asset", "expense"})
# What a person reads where an account refuses a line.
ACCOUNT_STATES = {"suspended": _("Suspended"), "closed": _("Closed")}


class Reversed(NamedTuple):
    """The entry that a draft reverses."""

    id: int
    reference: str


class Draft(NamedTuple):
    """An entry to be posted. ``lines`` are (account id, signed amount in minor units), debit positive."""

    book_id: int
    effective_on: date
    reference: str
    description: str
    lines: tuple[tuple[int, int], ...]
    reverses: Reversed | None = None


class HeldPeriod(NamedTuple):
    """A period as it stands under its shared lock."""

    name: str
    starts_on: date
    ends_on: date
    state: str


class HeldBook(NamedTuple):
    """A book and those of its periods that cover the drafts' dates."""

    code: str
    periods: tuple[HeldPeriod, ...]


class HeldAccount(NamedTuple):
    """An account as it stands under the lock of its balances."""

    code: str
    book_id: int
    category: str
    floor: int | None
    stripes: int
    state: str
    merged_into: int | None


class KnownEntry(NamedTuple):
    """An entry that is in the ledger under a draft's reference, with what is compared when its digest differs."""

    id: int
    digest: bytes
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """All that a decision rests on, each row of it locked. ``balances`` is by balance id: (amount, sequence)."""

    books: Mapping[int, HeldBook]
    accounts: Mapping[int, HeldAccount]
    balances: Mapping[int, tuple[int, int]]
    known: Mapping[tuple[int, str], KnownEntry]
    reversed_by: Mapping[int, str] = field(default_factory=dict)  # reversals in the ledger: id of the reversed → reference
    reversals: frozenset[int] = frozenset()  # ids of the entries to be reversed that are reversals themselves


class PlannedLine(NamedTuple):
    """A line to be written, but for the id of its entry."""

    account_id: int
    stripe: int
    sequence: int
    amount: int
    balance_after: int


class PlannedEntry(NamedTuple):
    """An entry to be written, with its lines."""

    draft: Draft
    digest: bytes
    lines: tuple[PlannedLine, ...]


@dataclass(slots=True)
class Plan:
    """Every row that is to be written, and the entries that are in the ledger already."""

    entries: list[PlannedEntry] = field(default_factory=list)
    balances: dict[int, tuple[int, int]] = field(default_factory=dict)
    replayed: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def line_count(self) -> int:
        """How many lines are to be written."""
        return sum(len(entry.lines) for entry in self.entries)


def balance_id(account_id: int, stripe: int) -> int:
    """Return the primary key of a balance: the order of these keys is the order of the locks."""
    return account_id * STRIPES_MOST + stripe


def natural(category: str, amount: int) -> int:
    """Return a signed amount in the natural direction of ``category``: credit positive for liability, equity and income."""
    return amount if category in DEBIT_CATEGORIES else -amount


def digest(
    *, book: str, effective_on: date, reference: str, description: str, reverses: str, lines: Sequence[tuple[str, int]]
) -> bytes:
    """Return the SHA-256 of an entry's canonical form (docs/canonical-form.md). ``lines`` are (account code, signed amount)."""
    head = f"kakutei-entry-1\n{book}\n{effective_on.isoformat()}\n{reference}\n{description}\n{reverses}\n"
    return hashlib.sha256((head + "".join([f"{code} {amount}\n" for code, amount in lines])).encode()).digest()


def decide(drafts: Sequence[Draft], *, held: Held, lane: int, by_hand: bool) -> tuple[list[errors.LedgerError], Plan]:
    """Return the refusals of ``drafts`` in order, and the plan to be written when there are none.

    ``lane`` picks the stripe of striped accounts; ``by_hand`` says that a provisional period may take the entries.
    """
    refusals: list[errors.LedgerError] = []
    plan = Plan()
    running = dict(held.balances)
    dates: dict[tuple[int, date], tuple[type[errors.LedgerError], str] | None] = {}
    seen: dict[tuple[int, str], tuple[bytes, Draft]] = {}
    for draft in drafts:
        book = held.books.get(draft.book_id)
        if book is None:
            refusals.append(errors.BookUnknown(book=draft.book_id))
            continue
        found = _form_refusals(draft, held)
        unknown = [account_id for account_id, _ in draft.lines if account_id not in held.accounts]
        found += [errors.AccountUnknown(account=account_id, reference=draft.reference) for account_id in unknown]
        if found:
            refusals += _ordered(found)
            continue
        fingerprint = digest(
            book=book.code,
            effective_on=draft.effective_on,
            reference=draft.reference,
            description=draft.description,
            reverses=draft.reverses.reference if draft.reverses else "",
            lines=[(held.accounts[account_id].code, amount) for account_id, amount in draft.lines],
        )
        name = (draft.book_id, draft.reference)
        known = held.known.get(name)
        if known is not None and known.digest == fingerprint:
            plan.replayed[name] = known.id
            continue
        there = known.content if known is not None else _content(seen[name][1], held) if name in seen else None
        if there is not None:
            if known is None and seen[name][0] == fingerprint:
                continue  # the same draft twice in one call is one entry
            refusals += [_conflict(draft, there, held), *_reversal_refusals(draft, held)]
            continue
        seen[name] = (fingerprint, draft)
        place = (draft.book_id, draft.effective_on)
        if place not in dates:
            dates[place] = _period_refusal(book, draft.effective_on, by_hand=by_hand)
        if dates[place] is not None:
            kind, period = dates[place]  # type: ignore[misc]
            found.append(kind(book=book.code, period=period, date=draft.effective_on.isoformat(), reference=draft.reference))
        found += _reversal_refusals(draft, held)
        lines = _place_lines(draft, held, running, lane, found)
        if found:
            refusals += _ordered(found)
        else:
            plan.entries.append(PlannedEntry(draft, fingerprint, lines))
    plan.balances = {key: value for key, value in running.items() if value != held.balances.get(key)}
    return refusals, plan


def _form_refusals(draft: Draft, held: Held) -> list[errors.LedgerError]:
    """What is wrong with a draft by itself."""
    found: list[errors.LedgerError] = []
    if REFERENCE.fullmatch(draft.reference) is None:
        found.append(errors.ReferenceInvalid(reference=draft.reference[:120]))
    if DESCRIPTION.fullmatch(draft.description) is None:
        found.append(errors.DescriptionInvalid(reference=draft.reference))
    if len(draft.lines) < 2:
        found.append(errors.LinesTooFew(reference=draft.reference, count=len(draft.lines)))
    total = 0
    for account_id, amount in draft.lines:
        total += amount
        if amount == 0 or not -AMOUNT_MOST <= amount <= AMOUNT_MOST:
            code = held.accounts[account_id].code if account_id in held.accounts else account_id
            kind = errors.AmountOutOfRange if amount else errors.LineZero
            found.append(kind(reference=draft.reference, account=code, amount=amount))
    if total != 0:
        found.append(errors.Unbalanced(reference=draft.reference, sum=total))
    return found


def _ordered(found: list[errors.LedgerError]) -> list[errors.LedgerError]:
    """Return the refusals of one draft in the documented order."""
    return sorted(found, key=lambda refusal: ORDER.index(type(refusal)))


def _content(draft: Draft, held: Held) -> Mapping[str, object]:
    """Return what is compared when two entries claim one reference."""
    return {
        "date": draft.effective_on.isoformat(),
        "description": draft.description,
        "reverses": draft.reverses.reference if draft.reverses else "",
        "lines": [[held.accounts[account_id].code, amount] for account_id, amount in draft.lines],
    }


def _conflict(draft: Draft, there: Mapping[str, object], held: Held) -> errors.LedgerError:
    """The reference stands for something else: name each field that differs."""
    mine = _content(draft, held)
    differs = ", ".join(f"{name} ({there[name]!s} ≠ {mine[name]!s})" for name in mine if there[name] != mine[name])
    return errors.ReferenceConflict(reference=draft.reference, differs=differs or "digest")


def _period_refusal(book: HeldBook, on: date, *, by_hand: bool) -> tuple[type[errors.LedgerError], str] | None:
    period = next((period for period in book.periods if period.starts_on <= on <= period.ends_on), None)
    if period is None:
        return errors.PeriodMissing, ""
    if period.state == "frozen":
        return errors.PeriodFrozen, period.name
    if period.state == "provisional" and not by_hand:
        return errors.PeriodProvisional, period.name
    return None


def _reversal_refusals(draft: Draft, held: Held) -> list[errors.LedgerError]:
    if draft.reverses is None:
        return []
    found: list[errors.LedgerError] = []
    if draft.reverses.id in held.reversed_by:
        found.append(errors.AlreadyReversed(reference=draft.reverses.reference, by=held.reversed_by[draft.reverses.id]))
    if draft.reverses.id in held.reversals:
        found.append(errors.ReversalOfReversal(reference=draft.reverses.reference))
    return found


def _place_lines(
    draft: Draft, held: Held, running: dict[int, tuple[int, int]], lane: int, found: list[errors.LedgerError]
) -> tuple[PlannedLine, ...]:
    """Give each line its stripe, sequence and balance after; add to ``found`` what its account refuses."""
    lines: list[PlannedLine] = []
    for account_id, amount in draft.lines:
        account = held.accounts[account_id]
        if account.book_id != draft.book_id:
            found.append(
                errors.AccountInOtherBook(account=account.code, book=held.books[draft.book_id].code, reference=draft.reference)
            )
            continue
        if account.state != "open":
            state = ACCOUNT_STATES[account.state]
            found.append(errors.AccountNotOpen(account=account.code, state=state, reference=draft.reference))
        if account.merged_into is not None:
            found.append(errors.HolderMerged(account=account.code, into=account.merged_into, reference=draft.reference))
        stripe = lane % account.stripes
        key = account_id * STRIPES_MOST + stripe
        before, sequence = running[key]
        after = before + amount
        if (
            account.floor is not None
            and natural(account.category, amount) < 0
            and natural(account.category, after) < account.floor
        ):
            found.append(
                errors.FloorBroken(
                    account=account.code,
                    balance=natural(account.category, after),
                    floor=account.floor,
                    reference=draft.reference,
                )
            )
        if not -BALANCE_MOST <= after <= BALANCE_MOST:
            found.append(errors.AmountOutOfRange(reference=draft.reference, account=account.code, amount=amount))
        running[key] = (after, sequence + 1)
        lines.append(PlannedLine(account_id, stripe, sequence + 1, amount, after))
    return tuple(lines)
