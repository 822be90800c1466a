"""Holds records against the ledger: members, accounts, dates and references, a block of rows at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import RAW_BYTES, Seen
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planned, Planner, reference
from ledger_app.models import Account, Balance, Book, Period
from ledger_app.queries import identifiers as ledger_identifiers
from ledger_app.queries import merges, postings
from ledger_app.rules import posting
from ledger_app.rules.identifiers import KINDS, hidden

REMEMBERED_MOST = 100_000  # holders, and accounts by code: about 600 bytes each


class FoundAccount(NamedTuple):
    """What validation needs to know of an account."""

    id: int
    code: str
    category: str
    floor: int | None
    state: str


Move = tuple[str, FoundAccount, int]  # book code, account, signed amount


class FoundHolder(NamedTuple):
    """A holder after merges, its accounts by (book code, role), and the span of the identifier that named it: None where it has no end at all."""

    id: int
    was_merged: bool
    accounts: dict[tuple[str, str], FoundAccount]
    active: tuple[date, date] | None


class Checked(NamedTuple):
    """A row with what it would post: the holder (after merges) and the entries; ``errors`` says that it cannot be applied."""

    row: Row
    holder_id: int | None
    planned: list[Planned]
    errors: int


_checked = partial(tuple.__new__, Checked)  # without the keywords that its constructor parses


def secret_place(definition: Definition) -> int | None:
    """Return the place of the column that holds card numbers, which no record keeps in the clear; None where there is none."""
    kind = KINDS.get(definition.roles.holder_kind)
    return definition.layout.data.position(definition.roles.holder) if kind is not None and kind.is_secret else None


class Directory:
    """Finds holders and accounts for records, a block at a time. What it remembers is bounded: a file may name every member there is."""

    def __init__(self, definition: Definition, books: dict[str, Book]) -> None:
        self._kind = definition.roles.holder_kind
        self._books = {book.pk: code for code, book in books.items()}
        self._roles = sorted({side.role for rule in definition.postings for side in (rule.debit, rule.credit) if side.role})
        self._holders: dict[str, FoundHolder | None] = {}
        self._by_code: dict[tuple[str, str], FoundAccount | None] = {}

    def find_holders(self, identifiers: Collection[str]) -> Mapping[str, FoundHolder | None]:
        """Return the holders of these identifiers, and perhaps of others; None for one that nobody has."""
        wanted = set(identifiers)
        if len(self._holders) > REMEMBERED_MOST:
            self._holders.clear()
        new = sorted(wanted - self._holders.keys())
        named = ledger_identifiers.find(self._kind, new)
        survivors = merges.survivors({known.holder_id for known in named.values()})
        accounts: dict[int, dict[tuple[str, str], FoundAccount]] = {holder: {} for holder in survivors.values()}
        for part in postings.parts(sorted(accounts)):
            rows = Account.objects.filter(holder_id__in=part, book_id__in=self._books, role__in=self._roles)
            columns = ("holder_id", "book_id", "role", "id", "code", "category", "floor", "state")
            for holder, book, role, *account in rows.values_list(*columns):
                if holder is not None:
                    accounts[holder][self._books[book], role] = FoundAccount(*account)
        self._holders.update(dict.fromkeys(new))
        for value, (_key, holder, _is_old, first, last) in named.items():
            survivor = survivors[holder]
            active = (first or date.min, last or date.max) if first or last else None
            self._holders[value] = FoundHolder(survivor, survivor != holder, accounts[survivor], active)
        return self._holders

    def find_codes(self, wanted: set[tuple[str, str]]) -> Mapping[tuple[str, str], FoundAccount | None]:
        """Return the accounts by (book code, account code), and perhaps others; None where there is none."""
        if len(self._by_code) > REMEMBERED_MOST:
            self._by_code.clear()
        new = wanted - self._by_code.keys()
        self._by_code.update(dict.fromkeys(new))
        for book_id, book in self._books.items():
            for part in postings.parts(sorted(code for of, code in new if of == book)):
                rows = Account.objects.filter(book_id=book_id, code__in=part)
                for row in rows.values_list("id", "code", "category", "floor", "state"):
                    self._by_code[book, row[1]] = FoundAccount(*row)
        return self._by_code


class LedgerCheck:
    """Holds the rows of one file against the ledger as it is now."""

    def __init__(self, definition: Definition, books: dict[str, Book], planner: Planner) -> None:
        self._source = definition.code
        self._kind = definition.roles.holder_kind
        self._is_secret = secret_place(definition) is not None
        self._holder_column = definition.layout.data.position(definition.roles.holder) + 2
        self._books = books
        self._planner = planner
        self._directory = Directory(definition, books)
        self._dates: dict[tuple[str, date], tuple[str, str] | None] = {}
        self._periods = {code: list(Period.objects.filter(book=book)) for code, book in books.items()}
        self.floors = Floors()

    def check(self, rows: Sequence[Row]) -> Iterator[Checked | Seen]:
        """Yield, for each row of a block, what was seen and then the checked row."""
        holders = self._directory.find_holders([row.holder for row in rows])
        plan = self._planner.plan
        plans = [plan(row.values) for row in rows]
        sides = {(book, side) for planned in plans for book, _, _, debit, credit, _ in planned for side in (debit, credit)}
        accounts = self._directory.find_codes({(book, side.code) for book, side in sides if side.code})
        posted = self._posted(rows, plans)
        for row, planned in zip(rows, plans, strict=True):
            holder = holders.get(row.holder)
            seen, moves = self._check_row(row, planned, holder, accounts)
            if posted and planned:
                seen += self._seen_posted(row, planned, posted)
            errors = 0
            if seen:
                yield from seen
                errors = sum(1 for each in seen if each.severity == "error")
            if moves and not errors:
                # One that is set aside moves nothing.
                self.floors.add(moves, row)
            yield _checked((row, holder.id if holder else None, planned, errors))

    def conclude(self) -> Iterator[Seen]:
        """Yield what only the whole file shows: floors that its records together would break."""
        falling = self.floors.falling
        balances: dict[int, int] = {}
        for part in postings.parts(sorted(falling)):
            # An account that has a floor is not striped: it has this one balance.
            balances.update(Balance.objects.filter(account_id__in=part).values_list("account_id", "amount"))
        for account_id, (book, account, fall, row) in falling.items():
            lowest = posting.natural(account.category, balances.get(account_id, 0)) + fall
            if account.floor is not None and lowest < account.floor:
                facts: dict[str, str | int] = {"book": book, "account": account.code, "balance": lowest, "floor": account.floor}
                yield _seen("ledger.floor_broken", row, 0, facts)

    def _check_row(
        self,
        row: Row,
        plan: Sequence[Planned],
        holder: FoundHolder | None,
        accounts: Mapping[tuple[str, str], FoundAccount | None],
    ) -> tuple[list[Seen], list[Move]]:
        """Return what is wrong with a row, and what it moves on accounts that have a floor."""
        if holder is None:
            named: dict[str, str | int] = {"kind": self._kind, "identifier": self._said(row)}
            return [_seen("ledger.holder_unknown", row, self._holder_column, named)], []
        seen: list[Seen] = []
        moves: list[Move] = []
        if holder.was_merged or holder.active is not None:
            seen += self._seen_of_holder(row, plan, holder)
        dates, of_holder = self._dates, holder.accounts
        for book, on, amount, debit, credit, _ in plan:
            when = (book, on)
            if when not in dates:
                dates[when] = self._judge(book, on)
            if (judged := dates[when]) is not None:
                rule, period = judged
                seen.append(_seen(rule, row, 0, {"book": book, "date": on.isoformat(), "period": period}))
            for side, moved in ((debit, amount), (credit, -amount)):
                role, code = side
                account = of_holder.get((book, role)) if role is not None else accounts.get((book, code or ""))
                if account is None:
                    name = code or f"{role} ({self._said(row)})"
                    seen.append(_seen("ledger.account_unknown", row, 0, {"account": name, "book": book}))
                    continue
                if account.state != "open":
                    facts: dict[str, str | int] = {"account": account.code, "book": book, "state": account.state}
                    seen.append(_seen("ledger.account_not_open", row, 0, facts))
                if account.floor is not None:
                    moves.append((book, account, moved))
        return seen, moves

    def _seen_of_holder(self, row: Row, plan: Sequence[Planned], holder: FoundHolder) -> Iterator[Seen]:
        """Yield what a person has to look at: a holder who was merged, an identifier that was not in use on the day of an entry."""
        named: dict[str, str | int] = {"kind": self._kind, "identifier": self._said(row)}
        if holder.was_merged:
            yield _seen("ledger.holder_merged", row, self._holder_column, {**named, "holder": holder.id})
        first, last = holder.active or (date.min, date.max)
        outside = sorted({planned.effective_on for planned in plan if not first <= planned.effective_on <= last})
        if outside:
            span = {
                "first": "" if first == date.min else first.isoformat(),
                "last": "" if last == date.max else last.isoformat(),
            }
            yield _seen("ledger.identifier_inactive", row, self._holder_column, {**named, "date": outside[0].isoformat(), **span})

    def _said(self, row: Row) -> str:
        return hidden(row.holder) if self._is_secret else row.holder

    def _seen_posted(
        self, row: Row, plan: Sequence[Planned], posted: dict[tuple[str, str], posting.KnownEntry]
    ) -> Iterator[Seen]:
        """Yield what stands under the row's reference already."""
        name = reference(self._source, row.key)
        for planned in plan:
            known = posted.get((planned.book, name))
            if known is not None:
                rule = "ledger.reference_exists_same" if self._is_same(planned, known) else "ledger.reference_exists_differs"
                yield _seen(rule, row, 0, {"reference": name, "book": planned.book})

    def _judge(self, book: str, on: date) -> tuple[str, str] | None:
        period = next((each for each in self._periods[book] if each.starts_on <= on <= each.ends_on), None)
        if period is None:
            return "ledger.period_missing", ""
        return None if period.state == "open" else (f"ledger.period_{period.state}", period.name)

    def _posted(self, rows: Sequence[Row], plans: Sequence[list[Planned]]) -> dict[tuple[str, str], posting.KnownEntry]:
        """Return the entries that stand under the rows' references already.

        Keys mostly grow from file to file: where nothing stands between the first of a block and the last, none of them is looked up.
        """
        names: dict[str, list[str]] = {}
        for row, plan in zip(rows, plans, strict=True):
            for planned in plan:
                names.setdefault(planned[0], []).append(row.key)
        found: dict[tuple[str, str], posting.KnownEntry] = {}
        for code, keys in names.items():
            book_id = self._books[code].pk
            if postings.any_between(book_id, reference(self._source, min(keys)), reference(self._source, max(keys))):
                wanted = ((book_id, reference(self._source, key)) for key in keys)
                found.update(((code, name), known) for (_, name), known in postings.known_entries(wanted).items())
        return found

    def _is_same(self, planned: Planned, known: posting.KnownEntry) -> bool:
        sides = known.content["lines"]
        amounts = sorted(amount for _, amount in sides)
        return known.content["date"] == planned.effective_on.isoformat() and amounts == [-planned.amount, planned.amount]


class Floors:
    """What a file's records together do to accounts that have a floor: the sum of each, and of those that fall the lowest point.

    Both are relative to the balance now. An account that never falls keeps a number and no more: nearly all of a file's members are of that kind.
    """

    def __init__(self) -> None:
        self.sums: dict[int, int] = {}
        self.falling: dict[
            int, tuple[str, FoundAccount, int, Row]
        ] = {}  # account → book, account, how far it falls, the row that does it

    def add(self, moves: Sequence[Move], row: Row) -> None:
        """Add the lines of a row."""
        for book, account, amount in moves:
            after = self.sums.get(account.id, 0) + posting.natural(account.category, amount)
            self.sums[account.id] = after
            if after < 0 and (account.id not in self.falling or after < self.falling[account.id][2]):
                self.falling[account.id] = (book, account, after, row)

    def merge(self, later: "Floors") -> None:
        """Take in what the rows after these do, which another process has counted from nothing."""
        for account_id, (book, account, fall, row) in later.falling.items():
            lowest = self.sums.get(account_id, 0) + fall
            if lowest < 0 and (account_id not in self.falling or lowest < self.falling[account_id][2]):
                self.falling[account_id] = (book, account, lowest, row)
        for account_id, total in later.sums.items():
            self.sums[account_id] = self.sums.get(account_id, 0) + total


def _seen(rule: str, row: Row, column: int, facts: dict[str, str | int]) -> Seen:
    return Seen(rule, row.line, column, row.offset, row.raw[:RAW_BYTES], facts)
