"""What may be posted, decided without a database.

``decide`` asks every draft every question, in the order of ``ORDER``, and returns either refusals or a plan that holds each row to be
written. A caller that got a plan must write all of it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from ledger_app import errors
from ledger_app.errors import bounds, units
from ledger_app.errors import lots as lot_errors
from ledger_app.posting.rules import floors, forms, objections
from ledger_app.posting.rules.drafts import Basis, Draft, KnownEntry, LockedBook, Moved, Plan, PlannedEntry, PlannedLine
from ledger_app.posting.rules.lot_decisions import Line as LotLine
from ledger_app.posting.rules.lot_decisions import LotDecision
from ledger_app.values import sides
from ledger_app.values.balances import BALANCE_MOST, balance_id
from ledger_app.values.locked import LockedAccount
from ledger_app.values.most import AMOUNT_MOST

# The order of the refusals of one draft, as docs/errors.md lists it. A draft is asked in three steps, and the next only where the one before it
# found nothing: is there such a book; is the draft well formed and can its accounts be named; may it be posted.
ORDER: tuple[type[errors.LedgerError], ...] = (
    errors.BookUnknown,
    errors.ReferenceInvalid,
    errors.DescriptionInvalid,
    errors.LinesTooFew,
    bounds.LinesTooMany,
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
    lot_errors.FloorBrokenOn,
    lot_errors.LotsUnequal,
    lot_errors.LotInvalid,
    lot_errors.LotsNotMoved,
    lot_errors.LotsDue,
    lot_errors.LotOutOfDays,
    lot_errors.LotsDiffer,
    lot_errors.LotsShort,
)

_REFERENCE, _DESCRIPTION = forms.REFERENCE.fullmatch, forms.DESCRIPTION.fullmatch


def decide(drafts: Sequence[Draft], *, basis: Basis, lane: int, by_hand: bool) -> tuple[list[errors.LedgerError], Plan]:
    """Return the refusals of ``drafts`` in order, and the plan to be written when there are none.

    ``lane`` picks the stripe of striped accounts; ``by_hand`` says that a provisional period may take the entries.
    """
    decision = Decision(basis, lane, by_hand=by_hand)
    for draft in drafts:
        decision.ask(draft)
    return decision.refusals, decision.plan()


class Decision:
    """What has been decided of the drafts so far: each is asked in the light of those before it."""

    def __init__(self, basis: Basis, lane: int, *, by_hand: bool, is_preview: bool = False) -> None:
        """Begin with what is basis. Of a preview no plan is taken, and entries that are new need no digest."""
        self.refusals: list[errors.LedgerError] = []
        self._is_preview = is_preview
        self._basis = basis
        self._by_hand = by_hand
        self._plan = Plan()
        self._running = dict(basis.balances)
        self._last_on = dict(basis.last_on)
        self._days: dict[int, floors.Days] = {}
        self._places = _Places(basis.accounts, lane)
        self._dates: dict[tuple[int, date], tuple[type[errors.LedgerError], str] | None] = {}
        self._seen: dict[tuple[int, str], tuple[bytes, Draft]] = {}
        self._undone: set[int] = set()  # ids of the entries that the drafts so far reverse
        self._lots = LotDecision(basis.lots, basis.done) if basis.lots else None

    def plan(self) -> Plan:
        """Return the plan, with the balances that it comes to."""
        for key, (amount, sequence) in self._running.items():
            before, last = self._basis.balances[key]
            if sequence != last:
                self._plan.balances[key] = Moved(amount, sequence, sequence - last, amount - before)
                self._plan.last_on[key] = self._last_on[key]
        if self._lots is not None:
            self._plan.lots, self._plan.uses, self._plan.remainders = self._lots.lots, self._lots.uses, self._lots.remainders()
        return self._plan

    def ask(self, draft: Draft) -> None:
        """Ask one draft every question; plan its rows, or keep its refusals."""
        book = self._basis.books.get(draft.book_id)
        if book is None:
            self.refusals.append(errors.BookUnknown(book=draft.book_id))
            return
        found = _form_refusals(draft, self._basis)
        if found:
            self.refusals += units.belonging(_ordered(found), draft.book_id)
            return
        name = (draft.book_id, draft.reference)
        known = self._basis.known.get(name)
        fingerprint = b"" if self._is_preview and known is None else self._fingerprint(draft, book)
        if name in self._seen or (known is not None and not self._is_undone(known)):
            self._meet(draft, name, fingerprint)
            return
        if not self._is_preview:
            self._seen[name] = (fingerprint, draft)
        self._ask_date(draft, book, found)
        if draft.reverses is not None:
            found += objections.of_reversal(draft, self._basis)
        self._place_lines(draft, found)
        if not found and (self._lots is not None or draft.moves_lots):
            found += self._place_lots(draft)
        if found:
            self.refusals += units.belonging(_ordered(found), draft.book_id)
        elif not self._is_preview:
            if draft.reverses is not None:
                self._undone.add(draft.reverses.id)
            self._plan.entries.append(_ENTRY((draft, fingerprint, 0 if known is None else known.turn + 1)))

    def _ask_date(self, draft: Draft, book: LockedBook, found: list[errors.LedgerError]) -> None:
        """Add to ``found`` what the draft's date is refused with."""
        when = (draft.book_id, draft.effective_on)
        if when not in self._dates:
            self._dates[when] = objections.of_date(book, draft.effective_on, by_hand=self._by_hand)
        if (shut := self._dates[when]) is not None:
            kind, period = shut
            found.append(kind(book=book.code, period=period, date=draft.effective_on.isoformat(), reference=draft.reference))

    def replays(self) -> list[tuple[int, str]]:
        """Return, once, the drafts of a preview that stand already, as (book id, reference)."""
        found, self._plan.replayed = self._plan.replayed, {}
        return list(found)

    def _fingerprint(self, draft: Draft, book: LockedBook) -> bytes:
        _book_id, on, reference, description, lines, reverses, *_flags = draft
        places = self._places
        text = "".join([f"{places[account_id].code} {amount}\n" for account_id, amount in lines])
        return forms.digest_of(
            (forms.FORM, book.code, forms.iso(on), reference, description, reverses.reference if reverses else "", text)
        )

    def _is_undone(self, known: KnownEntry) -> bool:
        """Whether an entry stands no more, so that its reference is free for the next."""
        return bool(known.reversed_by) or known.id in self._undone

    def _meet(self, draft: Draft, name: tuple[int, str], fingerprint: bytes) -> None:
        """Decide on a draft whose reference stands for an entry already: for this very one, or else for another, which is a conflict."""
        earlier = self._seen.get(name)
        if earlier is not None:
            # The same draft twice in one call is one entry.
            if earlier[0] != fingerprint:
                self.refusals += [objections.conflict(draft, objections.content(earlier[1], self._basis), self._basis)]
                self.refusals += objections.of_reversal(draft, self._basis)
            return
        known = self._basis.known[name]
        if known.digest == fingerprint:
            self._plan.replayed[name] = known.id
        else:
            self.refusals += [objections.conflict(draft, known.content, self._basis), *objections.of_reversal(draft, self._basis)]

    def _place_lines(self, draft: Draft, found: list[errors.LedgerError]) -> None:
        """Give each line its stripe, sequence and balance after; add to ``found`` what its account refuses."""
        entry_place, running, lines, places = len(self._plan.entries), self._running, self._plan.lines, self._places
        on, last_on = draft.effective_on, self._last_on
        # What expires is there to go: what an account owes beyond its floor, somebody decided.
        keeps_floor = not draft.waives_floor and (draft.lots is None or not draft.lots.expires)
        for account_id, amount in draft.lines:
            code, book_id, key, stripe, sign, floor, takes_any = places[account_id]
            if not takes_any or book_id != draft.book_id:
                found += objections.of_account(draft, account_id, self._basis)
            before, sequence = running[key]
            after = before + amount
            latest = last_on.get(key)
            if latest is None or latest < on:
                last_on[key] = on
            if floor is not None:
                if account_id not in self._days:
                    self._days[account_id] = floors.Days(self._basis.days.get(account_id, {}))
                days, is_late = self._days[account_id], latest is not None and on < latest
                if amount * sign < 0 and keeps_floor and (is_late or floors.is_below(floor, after * sign)):
                    found += days.refusals(draft, code, floor=floor, after=after, sign=sign)
                days.add(on, amount)
            if not -BALANCE_MOST <= after <= BALANCE_MOST:
                found.append(errors.AmountOutOfRange(reference=draft.reference, account=code, amount=amount))
            running[key] = (after, sequence + 1)
            lines.append(_LINE((entry_place, account_id, stripe, sequence + 1, amount, after)))

    def _place_lots(self, draft: Draft) -> list[errors.LedgerError]:
        """Decide the lots of a draft's lines, which have just been placed."""
        if self._lots is None:
            return [lot_errors.LotsNotMoved(reference=draft.reference)]
        first = len(self._plan.lines) - len(draft.lines)
        said = (draft.effective_on, draft.reference, draft.waives_floor)
        lines = [
            LotLine(place, account_id, amount * self._lots.sign(account_id), *said, after, self._days.get(account_id))
            for place, (_entry, account_id, _stripe, _sequence, amount, after) in enumerate(self._plan.lines[first:], first)
            if self._lots.keeps(account_id)
        ]
        reverses = draft.reverses.id if draft.reverses else None
        return self._lots.ask(lines, named=draft.lots, moves_lots=draft.moves_lots, reverses=reverses)


class _Place(NamedTuple):
    """Where the lines of an account go, and what it takes: an account as the loop over the drafts wants it."""

    code: str
    book_id: int
    balance_id: int
    stripe: int
    sign: int  # what makes an amount one in the account's natural direction
    floor: int | None
    takes_any: bool


class _Places(dict[int, _Place]):
    """The places of accounts, made as they are asked for."""

    def __init__(self, accounts: Mapping[int, LockedAccount], lane: int) -> None:
        self._accounts, self._lane = accounts, lane

    def __missing__(self, account_id: int) -> _Place:
        code, book_id, category, floor, stripes, state, merged_into, _lots = self._accounts[account_id]
        stripe, sign = self._lane % stripes, sides.sign(category)
        takes_any = state == "open" and merged_into is None
        self[account_id] = _Place(code, book_id, balance_id(account_id, stripe), stripe, sign, floor, takes_any)
        return self[account_id]


# A named tuple from a tuple, without the keywords that its own constructor parses: a hundred thousand of them are made in a call.
_ENTRY = partial(tuple.__new__, PlannedEntry)
_LINE = partial(tuple.__new__, PlannedLine)


def _form_refusals(draft: Draft, basis: Basis) -> list[errors.LedgerError]:
    """What is wrong with a draft by itself, and which of its accounts are not there."""
    accounts, lines, total = basis.accounts, draft.lines, 0
    is_sound = 1 < len(lines) <= forms.ENTRY_LINES_MOST
    for account_id, amount in lines:
        total += amount
        if not (amount and -AMOUNT_MOST <= amount <= AMOUNT_MOST and account_id in accounts):
            is_sound = False
    text = draft.description
    # What is printable ASCII needs no pattern.
    is_fit = len(text) <= forms.DESCRIPTION_MOST if text.isascii() and text.isprintable() else _DESCRIPTION(text)
    return [] if is_sound and total == 0 and is_fit and _REFERENCE(draft.reference) else forms.refusals(draft, basis)


def _ordered(found: list[errors.LedgerError]) -> list[errors.LedgerError]:
    """Return the refusals of one draft in the documented order."""
    return sorted(found, key=lambda refusal: ORDER.index(type(refusal)))
