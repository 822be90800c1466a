"""A book of points in memory: balances, lots, holds, and what can be taken back. It knows no database, and nothing of the code that it is held against."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


class No(Exception):
    """The model does not take it."""


def agree(*conditions: bool) -> None:
    """Refuse unless all conditions hold."""
    if not all(conditions):
        raise No


@dataclass(eq=False)
class Lot:
    """Points that were granted together; of kind “deficit”, what the account owes, as a negative remainder."""

    kind: str
    granted_on: date
    last_on: date | None
    remaining: int
    due_on: date | None = None
    held: int = 0
    came_from: "Lot | None" = None  # the lot of a merged member that it was

    def __post_init__(self) -> None:
        self.due_on = self.last_on

    def free_on(self, on: date) -> int:
        """What can be spent on a day."""
        return self.remaining - self.held if self.kind != "deficit" and self.is_of(on) else 0

    def is_of(self, on: date) -> bool:
        """Whether a day is one of its days."""
        return self.granted_on <= on <= (self.due_on or on)

    def is_of_merge(self, made: list["Lot"]) -> bool:
        """Whether it is one of these, or was carried on from one of them."""
        return any(self is lot for lot in made) or (self.came_from is not None and self.came_from.is_of_merge(made))


@dataclass(eq=False)
class Account:
    """A member's points, with the lots in the order of granting."""

    code: str
    floor: int | None
    state: str = "open"
    is_merged: bool = False
    balance: int = 0
    lots: list[Lot] = field(default_factory=list)

    @property
    def deficits(self) -> list[Lot]:
        """What it owes."""
        return [lot for lot in self.lots if lot.kind == "deficit" and lot.remaining]

    @property
    def open_lots(self) -> list[tuple[str, date, date | None, int, int]]:
        """(kind, day of granting, due day, remaining, held) of each lot that has something left."""
        found = [(lot.kind, lot.granted_on, lot.due_on, lot.remaining, lot.held) for lot in self.lots if lot.remaining]
        return sorted(found, key=lambda row: (row[1], row[2] or date.max, row))


@dataclass(eq=False)
class Line:
    """What one line did: the lots that it made, and what it took of lots (negative: gave back)."""

    account: Account
    amount: int
    on: date
    made: list[tuple[Lot, int]] = field(default_factory=list)
    uses: list[tuple[Lot, int]] = field(default_factory=list)

    def make(
        self, kind: str, amount: int, last_on: date | None, granted_on: date | None = None, came_from: Lot | None = None
    ) -> None:
        """Make a lot."""
        lot = Lot(kind, granted_on or self.on, last_on, amount, came_from=came_from)
        self.account.lots.append(lot)
        self.made.append((lot, amount))

    def use(self, lot: Lot, amount: int) -> None:
        """Take of a lot, or give back."""
        lot.remaining -= amount
        self.uses.append((lot, amount))


@dataclass(eq=False)
class Entry:
    """What was posted: when, its lines on members' accounts, whether it takes another back, and whether it was taken back."""

    on: date
    lines: list[Line]
    is_reversal: bool = False
    is_reversed: bool = False


@dataclass(eq=False)
class Hold:
    """What is promised, out of which lots, until when."""

    account: Account
    placed_on: date
    ends_at: datetime
    parts: list[tuple[Lot, int]]
    state: str = "open"

    def end(self, state: str) -> None:
        """Let go what is held."""
        for lot, part in self.parts:
            lot.held -= part
        self.state = state


@dataclass(eq=False)
class Model:
    """The book. Where something is not to be, it raises ``No`` and is left half done: anyone who asks asks a copy."""

    accounts: dict[int, Account]
    validity_days: int
    frozen_through: date
    entries: dict[str, Entry] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    merges: dict[int, list[Lot]] = field(default_factory=dict)  # the lots that each made

    def last_on(self, granted_on: date) -> date:
        """The last day of what is granted on a day and says nothing else."""
        return granted_on + timedelta(days=self.validity_days)

    def post(self, name: str, on: date, now: datetime, *changes: tuple[int, int], takes_any: bool = False) -> Entry:
        """Begin an entry of (account, amount): all that is asked of it but its lots."""
        agree(on > self.frozen_through, name not in self.entries)
        lines = [Line(self.accounts[key], amount, on) for key, amount in changes]
        for line in lines:
            agree(takes_any or (line.account.state == "open" and not line.account.is_merged))
            line.account.balance += line.amount
        self.end_holds(now, {id(line.account) for line in lines})
        self.entries[name] = entry = Entry(on, lines)
        return entry

    def closing(self, account: Account, on: date) -> int:
        """What an account closes a day with."""
        dated = (line for entry in self.entries.values() if entry.on <= on for line in entry.lines)
        return sum(line.amount for line in dated if line.account is account)

    def days(self, account: Account, on: date) -> list[date]:
        """A day and all later ones on which the account has lines."""
        found = {entry.on for entry in self.entries.values() if any(line.account is account for line in entry.lines)}
        return [on, *sorted(day for day in found if day > on)]

    def floors_hold(self, entry: Entry) -> None:
        """No day from the entry's on closes below the floor of an account that it takes from."""
        for line in entry.lines:
            account = line.account
            if line.amount < 0 and account.floor is not None:
                agree(*(self.closing(account, day) >= account.floor for day in self.days(account, entry.on)))

    def leaves_days(self, entry: Entry) -> None:
        """Of what is dated before others, no day closes below the floor once all has gone that is due by then."""
        for line in entry.lines:
            account, days = line.account, self.days(line.account, entry.on)
            if line.amount > 0 or account.floor is None or len(days) == 1:
                continue
            for day, after in zip(days, [*days[1:], date.max], strict=True):
                due = sum(lot.remaining for lot in account.lots if lot.kind != "deficit" and lot.due_on and lot.due_on < after)
                agree(self.closing(account, day) - due >= account.floor)

    def end_holds(self, now: datetime, accounts: set[int] | None = None) -> None:
        """End the holds whose time is over: of those who are posted to, or all."""
        for hold in self.holds.values():
            if hold.state == "open" and hold.ends_at <= now and (accounts is None or id(hold.account) in accounts):
                hold.end("expired")

    def change(self, name: str, on: date, now: datetime, key: int, amount: int, *, waives: bool = False) -> None:
        """Grant by the book's rule, or spend in its order."""
        entry = self.post(name, on, now, (key, amount))
        if not waives:
            self.floors_hold(entry)
        (line,) = entry.lines
        if amount > 0:
            line.make("free", amount, self.last_on(on))
        else:
            spend(line, -amount, waives=waives)
        net(line)
        if not waives:
            self.leaves_days(entry)

    def grant(self, name: str, on: date, now: datetime, key: int, amount: int, last_on: date) -> None:
        """Grant paid points with a last day of their own."""
        (line,) = self.post(name, on, now, (key, amount)).lines
        line.make("paid", amount, last_on)
        net(line)

    def place(self, key: int, now: datetime, on: date, amount: int, ends_at: datetime) -> Hold:
        """Hold points in the order in which they would be spent; all of them or none."""
        account = self.accounts[key]
        agree(account.state == "open", not account.is_merged)
        self.end_holds(now, {id(account)})
        parts = list(in_order(account, on, amount))
        agree(sum(part for _lot, part in parts) == amount)
        for lot, part in parts:
            lot.held += part
        if account.floor is not None and len(days := self.days(account, on)) > 1:
            held = sum(lot.held for lot in account.lots)
            agree(*(self.closing(account, day) - held >= account.floor for day in days))
        return Hold(account, on, ends_at, parts)

    def settle(self, number: int, now: datetime, today: date, key: int, amount: int, asked_on: date | None = None) -> None:
        """Take a part of what is held, out of what is held, and let the rest go: today, or on the last day of what is held."""
        hold = self.holds[number]
        agree(now < hold.ends_at, amount <= sum(part for _lot, part in hold.parts))
        taken, left = [], amount
        for lot, part in hold.parts:
            if taking := min(part, left):
                left -= taking
                taken.append((lot, taking))
        last = min([today, *(lot.due_on for lot, _part in taken if lot.due_on)])
        on = asked_on or last
        agree(hold.placed_on <= on <= last)
        entry = self.post(f"hold:{number}", on, now, (key, -amount))
        self.floors_hold(entry)
        for lot, part in taken:
            entry.lines[0].use(lot, part)
            lot.held -= part
        # The rest is let go when all is posted.
        net(entry.lines[0])
        self.leaves_days(entry)
        for lot, part in taken:
            lot.held += part
        hold.end("settled")

    def expire(self, through: date, now: datetime) -> None:
        """Let everything go that is due through a day and not held: one entry for each account and day."""
        self.end_holds(now)
        for key, account in self.accounts.items():
            for on in sorted({lot.due_on for lot in account.lots if lot.due_on and lot.due_on <= through}):
                due = [lot for lot in account.lots if lot.due_on == on and lot.kind != "deficit" and lot.remaining > lot.held]
                if not due:
                    continue
                name = f"expiry:{account.code}:{on}"
                count = sum(there == name or there.startswith(f"{name}:") for there in self.entries)
                whole = sum(lot.remaining - lot.held for lot in due)
                entry = self.post(
                    f"{name}:{count + 1}" if count else name, on, now, (key, -whole), takes_any=account.state != "closed"
                )
                for lot in due:
                    entry.lines[0].use(lot, lot.remaining - lot.held)

    def move_all(self, name: str, on: date, now: datetime, source: int, target: int) -> None:
        """Move a balance with its lots: what is granted from a later day on that day."""
        account = self.accounts[source]
        later = [lot for lot in account.lots if lot.kind != "deficit" and lot.remaining and lot.granted_on > on]
        first = account.balance - sum(lot.remaining for lot in later)
        if account.balance:
            self.move_lots(name, on, now, source, target, later, first)

    def move_lots(
        self, name: str, on: date, now: datetime, source: int, target: int, lots: list[Lot], first: int | None = None
    ) -> None:
        """Move lots, each on the day or on that from which it is granted; ``first`` on the day in order, where it is said."""
        there = [lot for lot in lots if lot.is_of(on)]
        if first is None:
            self.move(name, on, now, source, target, sum(lot.remaining for lot in there), there)
        else:
            self.move(name, on, now, source, target, first)
        for day in sorted({lot.granted_on for lot in lots if lot.granted_on > on}):
            part = [lot for lot in lots if lot.granted_on == day]
            self.move(f"{name}:{day}", day, now, source, target, sum(lot.remaining for lot in part), part)

    def move(
        self, name: str, on: date, now: datetime, source: int, target: int, amount: int, named: list[Lot] | None = None
    ) -> None:
        """Move points with their lots, named ones or in order; a negative amount goes the other way."""
        if not amount:
            return
        entry = self.post(name, on, now, (source, -amount), (target, amount))
        self.floors_hold(entry)
        loses, gains = sorted(entry.lines, key=lambda line: line.amount)
        if named is None:
            agree(not any(lot.due_on and lot.due_on < on for lot in loses.account.lots if lot.remaining))
        left = gains.amount
        takes = list(in_order(loses.account, on, left)) if named is None else [(lot, lot.remaining) for lot in named]
        for lot, part in takes:
            loses.use(lot, part)
            gains.make(lot.kind, part, lot.due_on, lot.granted_on, came_from=lot)
            left -= part
        if left:
            agree(not any(lot.held for lot in loses.account.lots))
            spend(loses, left)
            gains.make("free", left, self.last_on(on))
        net(loses)
        net(gains)
        self.leaves_days(entry)

    def reverse(self, name: str, of: str, on: date, now: datetime) -> None:
        """Take an entry back: to the same lots, out of the lots that it made."""
        there = self.entries[of]
        agree(not there.is_reversal, not there.is_reversed)
        keys = {id(account): key for key, account in self.accounts.items()}
        entry = self.post(name, on, now, *((keys[id(line.account)], -line.amount) for line in there.lines))
        self.floors_hold(entry)
        entry.is_reversal = there.is_reversed = True
        for line, done in zip(entry.lines, there.lines, strict=True):
            give_back(line, done)
            for lot, amount in done.made:
                if amount < 0:
                    owed = min(-amount, -lot.remaining)
                    if owed:
                        line.use(lot, -owed)
                    if -amount > owed:
                        line.make("free", -amount - owed, self.last_on(on))
                    continue
                agree(lot.remaining == lot.held or lot.is_of(on))
                part = min(amount, lot.remaining - lot.held)
                if part:
                    line.use(lot, part)
                spend(line, amount - part)
            net(line)
        self.leaves_days(entry)


def in_order(account: Account, on: date, amount: int):
    """Yield what is taken of which lots: what is due first, free before paid, granted first."""
    for lot in sorted(account.lots, key=lambda lot: (lot.due_on or date.max, lot.kind == "paid", lot.granted_on)):
        if part := min(amount, lot.free_on(on)):
            amount -= part
            yield lot, part


def spend(line: Line, amount: int, *, waives: bool = False) -> None:
    """Take in order; what is short is owed, as far as the floor lets it."""
    account = line.account
    for lot, part in list(in_order(account, line.on, amount)):
        line.use(lot, part)
        amount -= part
    if amount:
        owed = amount - sum(lot.remaining for lot in account.deficits)
        agree(waives or account.floor is None or owed <= max(0, -account.floor))
        line.make("deficit", -amount, None)


def net(line: Line) -> None:
    """Pay off what is owed with what can be spent: what is owed longest first, and of one day what was written first."""
    owing = sorted((lot for lot in line.account.deficits if lot.granted_on <= line.on), key=lambda lot: lot.granted_on)
    for lot, part in list(in_order(line.account, line.on, -sum(lot.remaining for lot in owing))):
        line.use(lot, part)
        for deficit in owing:
            paid = min(part, -deficit.remaining)
            part -= paid  # noqa: PLW2901 - what is left of it
            if paid:
                line.use(deficit, -paid)


def give_back(line: Line, done: Line) -> None:
    """Give back to the lots that were taken from; what is past its day is due on the day on which it comes back. No lot is there before its day."""
    agree(*(lot.granted_on <= line.on for lot, _amount in (*done.uses, *done.made)))
    for lot, amount in done.uses:
        if lot.kind != "deficit" and amount > 0 and lot.due_on and lot.due_on < line.on:
            agree(not lot.remaining)
            lot.due_on = line.on
        line.use(lot, -amount)
