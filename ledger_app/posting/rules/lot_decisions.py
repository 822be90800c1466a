"""What drafts do to lots: decided line by line, each in the light of those before it. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger_app.errors import LedgerError
from ledger_app.errors import lots as lot_errors
from ledger_app.posting.rules import floors
from ledger_app.posting.rules.floors import Days
from ledger_app.posting.rules.lots import (
    DEFICIT,
    FREE,
    PAID,
    Done,
    Grant,
    LockedLots,
    Named,
    PlannedLot,
    PlannedUse,
    Remainder,
    Taking,
    WorkingLot,
    debts_first_owed,
    expires_on,
    take_in_order,
)


class _Account:
    """The lots of one account while drafts are decided."""

    def __init__(self, locked: LockedLots) -> None:
        self.locked = locked
        self.lots = {
            lot.id: WorkingLot(lot.id, *lot[1:6], before=(lot.remaining, lot.held) if lot.is_open else None)
            for lot in locked.lots
        }

    def deficit(self) -> int:
        """What the account is below zero by, in deficits: as a positive number."""
        return -sum(lot.remaining for lot in self.lots.values() if lot.kind == DEFICIT)

    def may_owe(self, more: int, *, waives_floor: bool) -> bool:
        """Whether its deficits may grow: as far as the floor lets the balance fall when all that is due or held has gone."""
        return waives_floor or floors.may_owe(self.locked.floor, self.deficit() + more)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is asked about: its place in the plan, and the account's amount in its natural direction.

    Of an account that has a floor: what it has after the line, signed, and what its lines add by date.
    """

    place: int
    account_id: int
    amount: int
    on: date
    reference: str
    waives_floor: bool = False
    after: int = 0
    days: Days | None = None


class KeptLots(NamedTuple):
    """How the lots of some accounts stood: by account and lot what is due when, left and held; and how many lots and uses were planned.

    ``done`` is what is still to be undone of entries that are reversed.
    """

    lots: dict[int, dict[int, tuple[date | None, int, int]]]
    made: int
    used: int
    done: dict[int, tuple[Done, ...]]


class LotDecision:
    """What has been decided of lots so far."""

    def __init__(self, locked: Mapping[int, LockedLots], done: Mapping[int, Sequence[Done]]) -> None:
        """Begin with the lots as they are locked. ``done`` is by id of an entry that is to be reversed."""
        self._accounts = {account_id: _Account(lots) for account_id, lots in locked.items()}
        self._done = {entry_id: deque(lines) for entry_id, lines in done.items()}
        self.lots: list[PlannedLot] = []
        self.uses: list[PlannedUse] = []

    def keeps(self, account_id: int) -> bool:
        """Whether the account keeps lots."""
        return account_id in self._accounts

    def sign(self, account_id: int) -> int:
        """Return what makes an amount of a line natural."""
        return self._accounts[account_id].locked.sign

    def remainders(self) -> dict[int, Remainder]:
        """Return what each lot that was touched is to have left."""
        found = {}
        for account_id, account in self._accounts.items():
            for lot in account.lots.values():
                if (lot.remaining, lot.held) != (lot.before or (0, 0)):
                    book_id = account.locked.book_id
                    found[lot.ref] = Remainder(account_id, book_id, lot.due_on, lot.remaining, lot.held, lot.before)
        return found

    def keep(self, account_ids: Iterable[int], reverses: Iterable[int] = ()) -> KeptLots:
        """Return how the lots of accounts stand, to be put back where what is asked next, which ``reverses`` these entries, is left out."""
        found = {
            account_id: {ref: (lot.due_on, lot.remaining, lot.held) for ref, lot in self._accounts[account_id].lots.items()}
            for account_id in account_ids
        }
        done = {entry_id: tuple(self._done[entry_id]) for entry_id in reverses if entry_id in self._done}
        return KeptLots(found, len(self.lots), len(self.uses), done)

    def put_back(self, kept: KeptLots) -> None:
        """Have the lots stand as they did."""
        for account_id, before in kept.lots.items():
            account = self._accounts[account_id]
            account.lots = {ref: lot for ref, lot in account.lots.items() if ref in before}
            for ref, lot in account.lots.items():
                lot.due_on, lot.remaining, lot.held = before[ref]
        del self.lots[kept.made :]
        del self.uses[kept.used :]
        self._done.update((entry_id, deque(lines)) for entry_id, lines in kept.done.items())

    def ask(self, lines: Sequence[Line], *, named: Named | None, moves_lots: bool, reverses: int | None) -> list[LedgerError]:
        """Decide the lots of one draft's ``lines``, those on accounts that keep lots."""
        if moves_lots:
            found = self._move(lines, named.takings if named else ())
            return found or [each for line in lines for each in self._left_of_days(self._accounts[line.account_id], line)]
        found = []
        for line in lines:
            account = self._accounts[line.account_id]
            done = self._undone(reverses, line)
            if done is not None:
                found += self._undo(account, line, done)
            elif line.amount > 0:
                found += self._grant(account, line, named.grants if named else ())
            elif named is not None and named.takings:
                found += self._take_named(account, line, named)
            else:
                found += self._spend(account, line, -line.amount)
            # What expires is read for many days at once, before it is posted: it takes what is due, and nothing else moves.
            if not (named and named.expires):
                self._net(account, line)
                found += [] if found else self._left_of_days(account, line)
        return found

    def _left_of_days(self, account: _Account, line: Line) -> list[LedgerError]:
        """Return the day from a back-dated line's on that would close below the floor once what is due by it has expired.

        So what expires never meets a floor, whatever was dated before it and posted after.
        """
        floor = account.locked.floor
        if line.amount > 0 or line.waives_floor or floor is None or line.days is None or not line.days.is_late(line.on):
            return []
        due: dict[date, int] = {}
        for lot in account.lots.values():
            if lot.kind != DEFICIT and lot.due_on is not None:
                due[lot.due_on] = due.get(lot.due_on, 0) + lot.remaining
        lowest = line.days.lowest_left(line.on, after=line.after, sign=account.locked.sign, due=due)
        refusal = floors.day_refusal(lowest, floor, account=account.locked.code, reference=line.reference)
        return [] if refusal is None else [refusal]

    def _undone(self, reverses: int | None, line: Line) -> Done | None:
        """Return, once, the line that ``line`` reverses."""
        lines = self._done.get(reverses, deque()) if reverses is not None else deque()
        for done in lines:
            if (done.account_id, done.amount) == (line.account_id, -line.amount):
                lines.remove(done)
                return done
        return None

    def _make(self, account: _Account, line: Line, wanted: Grant) -> None:
        ref = -1 - len(self.lots)
        kind, amount, last, granted_on = wanted
        granted_on = granted_on or line.on
        self.lots.append(PlannedLot(line.place, line.account_id, kind, granted_on, last, amount))
        account.lots[ref] = WorkingLot(ref, kind, granted_on, last, amount, 0, None)

    def _use(self, lot: WorkingLot, line: Line, amount: int) -> None:
        lot.remaining -= amount
        self.uses.append(PlannedUse(lot.ref, line.place, amount))

    def _grant(self, account: _Account, line: Line, grants: Sequence[Grant]) -> list[LedgerError]:
        """Make the lots that a line grants: as the draft says, else one by the book's rule."""
        if grants and (total := sum(grant.amount for grant in grants)) != line.amount:
            return [_unequal(account, line, total)]
        rule = account.locked.rule
        wanted = grants or (Grant(rule.kind, line.amount, expires_on(rule, line.on)),)
        found: list[LedgerError] = []
        for each in wanted:
            kind, amount, last, _granted_on = each
            if kind not in {PAID, FREE} or amount < 1 or (last is not None and last < line.on):
                facts = {"kind": kind, "amount": amount, "expires": last, "granted": line.on.isoformat()}
                found.append(lot_errors.LotInvalid(reference=line.reference, **facts))
            else:
                self._make(account, line, each)
        return found

    def _spend(self, account: _Account, line: Line, amount: int) -> list[LedgerError]:
        """Take ``amount`` in the book's order; what is short becomes a deficit where the floor lets it."""
        for lot, part in take_in_order(account.lots.values(), account.locked.rule.order, line.on, amount):
            self._use(lot, line, part)
            amount -= part
        if amount == 0:
            return []
        if not account.may_owe(amount, waives_floor=line.waives_floor):
            return [_short(account, line, amount)]
        self._make(account, line, Grant(DEFICIT, -amount, None))
        return []

    def _take_named(self, account: _Account, line: Line, named: Named) -> list[LedgerError]:
        """Take what the draft names, out of what is free or out of what is held."""
        if (total := sum(taking.amount for taking in named.takings)) != -line.amount:
            return [_unequal(account, line, -total)]
        found: list[LedgerError] = []
        for lot_id, amount in named.takings:
            lot = account.lots.get(lot_id)
            there = 0 if lot is None or lot.kind == DEFICIT else lot.held if named.of_held else lot.remaining - lot.held
            if lot is None or not 1 <= amount <= there:
                code = account.locked.code
                found.append(lot_errors.LotsDiffer(lot=lot_id, account=code, found=there, asked=amount, reference=line.reference))
                continue
            if not lot.is_of(line.on):
                found.append(_out_of_days(account, lot, line))
                continue
            self._use(lot, line, amount)
            if named.of_held:
                lot.held -= amount
        return found

    def _undo(self, account: _Account, line: Line, done: Done) -> list[LedgerError]:
        """Give back what a line took, to the same lots, and take back what it made, out of the lots it made first."""
        touched = [account.lots[lot_id] for lot_id, _amount in (*done.uses, *done.made)]
        if found := [_out_of_days(account, lot, line) for lot in touched if line.on < lot.granted_on]:
            return found
        return self._give_back(account, line, done) or self._take_back(account, line, done)

    def _give_back(self, account: _Account, line: Line, done: Done) -> list[LedgerError]:
        """Give back to the same lots. It can be spent on a lot's days as before, and floors look at what the account has on each."""
        for lot_id, amount in done.uses:
            lot = account.lots[lot_id]
            if lot.kind != DEFICIT and amount > 0 and lot.due_on is not None and lot.due_on < line.on:
                if lot.remaining:
                    # One row cannot be due on two days, and what was due before must expire dated before.
                    return [_due(account, lot.due_on, line)]
                lot.due_on = line.on
            self._use(lot, line, amount=-amount)
        return []

    def _take_back(self, account: _Account, line: Line, done: Done) -> list[LedgerError]:
        """Take back what was made: of the lots themselves, then of others."""
        found: list[LedgerError] = []
        for lot_id, amount in done.made:
            lot = account.lots[lot_id]
            if amount < 0:
                # What the deficit still is; for what was paid off since, the points are granted anew.
                owed = min(-amount, -lot.remaining)
                if owed:
                    self._use(lot, line, -owed)
                if -amount > owed:
                    rule = account.locked.rule
                    self._make(account, line, Grant(rule.kind, -amount - owed, expires_on(rule, line.on)))
                continue
            if lot.remaining > lot.held and not lot.is_of(line.on):
                # What was due has to expire on its own day: what is left of it on a later one must not depend on when that was done.
                return [_due(account, lot.due_on, line)]
            part = min(amount, lot.remaining - lot.held)
            if part:
                self._use(lot, line, part)
            if amount > part:
                found += self._spend(account, line, amount - part)
        return found

    def _net(self, account: _Account, line: Line) -> None:
        """Pay deficits off with what can be spent: an account has not both for longer than until its next line."""
        owing = deque(debts_first_owed(account.lots.values(), line.on))
        owed = -sum(lot.remaining for lot in owing)
        for lot, part in list(take_in_order(account.lots.values(), account.locked.rule.order, line.on, owed)) if owing else ():
            self._use(lot, line, part)
            left = part
            while left:
                paid = min(left, -owing[0].remaining)
                self._use(owing[0], line, -paid)
                left -= paid
                if owing[0].remaining == 0:
                    owing.popleft()

    def _move(self, lines: Sequence[Line], takings: Sequence[Taking]) -> list[LedgerError]:
        """Take lots of the account that loses and make them anew on the one that gains: kind, day of granting and expiry stay.

        Those that are named go first, then others in the order of spending.
        """
        if len(lines) != 2:
            return [lot_errors.LotsNotMoved(reference=lines[0].reference if lines else "")]
        loses, gains = sorted(lines, key=lambda line: line.amount)
        source, target = self._accounts[loses.account_id], self._accounts[gains.account_id]
        if loses.amount >= 0 or gains.amount != -loses.amount or source.locked.book_id != target.locked.book_id:
            return [lot_errors.LotsNotMoved(reference=loses.reference)]
        found: list[LedgerError] = []
        left = gains.amount
        for lot_id, part in takings:
            named = source.lots.get(lot_id)
            there = 0 if named is None else named.free_on(loses.on)
            if named is None or not 1 <= part <= min(there, left):
                facts = {"lot": lot_id, "account": source.locked.code, "found": there, "asked": part}
                found.append(lot_errors.LotsDiffer(**facts, reference=loses.reference))
                continue
            self._carry(target, named, part, loses, gains)
            left -= part
        due = [lot.due_on for lot in source.lots.values() if lot.due_on is not None and lot.due_on < loses.on and lot.remaining]
        if due and left:
            found.append(_due(source, min(due), loses))
        if found:
            return found
        for lot, part in list(take_in_order(source.lots.values(), source.locked.rule.order, loses.on, left)):
            self._carry(target, lot, part, loses, gains)
            left -= part
        if left and any(lot.held for lot in source.lots.values()):
            # A hold is a promise to the person who placed it: it is resolved first.
            found.append(_short(source, loses, left))
        elif left:
            # What the one who loses does not have becomes its deficit, where its floor lets it.
            found = self._spend(source, loses, left)
            rule = target.locked.rule
            self._make(target, gains, Grant(rule.kind, left, expires_on(rule, gains.on)))
        self._net(source, loses)
        self._net(target, gains)
        return found

    def _carry(self, target: _Account, lot: WorkingLot, part: int, loses: Line, gains: Line) -> None:
        """Make a part of a lot anew on another account. Uses and new lots stand side by side: so a lot can be followed (queries/merge_lots.py)."""
        self._use(lot, loses, part)
        self._make(target, gains, Grant(lot.kind, part, lot.due_on, lot.granted_on))


def _unequal(account: _Account, line: Line, total: int) -> LedgerError:
    code = account.locked.code
    return lot_errors.LotsUnequal(reference=line.reference, sum=total, account=code, amount=line.amount)


def _short(account: _Account, line: Line, missing: int) -> LedgerError:
    """Say what could be spent, and why the rest cannot: after all that could be taken has been."""
    lots = [lot for lot in account.lots.values() if lot.kind != DEFICIT]
    held = sum(lot.held for lot in lots)
    due = sum(lot.remaining - lot.held for lot in lots if lot.due_on is not None and lot.due_on < line.on)
    later = sum(lot.remaining - lot.held for lot in lots if lot.granted_on > line.on)
    return lot_errors.LotsShort(
        account=account.locked.code,
        available=max(0, -line.amount - missing),
        date=line.on.isoformat(),
        asked=-line.amount,
        reference=line.reference,
        held=held,
        due=due,
        later=later,
    )


def _due(account: _Account, due_on: date | None, line: Line) -> LedgerError:
    return lot_errors.LotsDue(account=account.locked.code, due=due_on.isoformat() if due_on else "", reference=line.reference)


def _out_of_days(account: _Account, lot: WorkingLot, line: Line) -> LedgerError:
    return lot_errors.LotOutOfDays(
        lot=lot.ref,
        account=account.locked.code,
        granted=lot.granted_on.isoformat(),
        last=lot.due_on.isoformat() if lot.due_on else "–",
        date=line.on.isoformat(),
        reference=line.reference,
    )
