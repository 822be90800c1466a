"""Holds records against the ledger: members, accounts, dates and references, a block of rows at a time."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import RAW_BYTES, Seen
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planned, Planner, Side, reference
from ledger_app.models import Account, Balance, Book, Holder, Identifier, Period
from ledger_app.queries import postings
from ledger_app.rules import posting
from ledger_app.rules.posting import Draft

MERGES_MOST = 50


class FoundAccount(NamedTuple):
    """What validation needs to know of an account."""

    id: int
    code: str
    category: str
    floor: int | None
    state: str


class Checked(NamedTuple):
    """A row with what it would post: the holder (after merges) and the entries; ``errors`` says that it cannot be applied."""

    row: Row
    holder_id: int | None
    planned: list[Planned]
    errors: int


class Placed(NamedTuple):
    """A row that was checked before, with its holder and whether it posts anything."""

    row: Row
    holder_id: int | None
    has_effect: bool


class Directory:
    """Finds holders and accounts for records, a block at a time, and remembers them."""

    def __init__(self, definition: Definition, books: dict[str, Book]) -> None:
        self._kind = definition.roles.holder_kind
        self._books = {book.pk: code for code, book in books.items()}
        self._roles = sorted({side.role for rule in definition.postings for side in (rule.debit, rule.credit) if side.role})
        self.holders: dict[str, tuple[int, bool]] = {}  # identifier → (holder, was merged)
        self._by_role: dict[tuple[int, str, str], FoundAccount] = {}
        self._by_code: dict[tuple[str, str], FoundAccount] = {}
        self._asked_codes: set[tuple[str, str]] = set()

    def find_holders(self, identifiers: Sequence[str]) -> None:
        """Look up the holders of identifiers that are not known yet, and those holders' accounts."""
        new = sorted(set(identifiers) - self.holders.keys())
        found: dict[str, int] = {}
        for part in postings.parts(new):
            found.update(Identifier.objects.filter(kind=self._kind, value__in=part).values_list("value", "holder_id"))
        survivors = self._survivors(sorted(set(found.values())))
        self.holders.update((value, (survivors[holder], survivors[holder] != holder)) for value, holder in found.items())
        for part in postings.parts(sorted({survivors[holder] for holder in found.values()})):
            rows = Account.objects.filter(holder_id__in=part, book_id__in=self._books, role__in=self._roles)
            for holder, book, role, key, code, category, floor, state in rows.values_list(
                "holder_id", "book_id", "role", "id", "code", "category", "floor", "state"
            ):
                self._by_role[holder, self._books[book], role] = FoundAccount(key, code, category, floor, state)

    def find_codes(self, wanted: set[tuple[str, str]]) -> None:
        """Look up accounts by (book code, account code) that were not asked for yet."""
        new = wanted - self._asked_codes
        self._asked_codes |= new
        for book_id, book in self._books.items():
            for part in postings.parts(sorted(code for of, code in new if of == book)):
                rows = Account.objects.filter(book_id=book_id, code__in=part)
                for row in rows.values_list("id", "code", "category", "floor", "state"):
                    self._by_code[book, row[1]] = FoundAccount(*row)

    def account(self, book: str, side: Side, holder_id: int) -> FoundAccount | None:
        """Return the account on one side of an entry, or None where there is none."""
        if side.role is not None:
            return self._by_role.get((holder_id, book, side.role))
        return self._by_code.get((book, side.code or ""))

    def _survivors(self, holder_ids: Sequence[int]) -> dict[int, int]:
        """Follow merges to the holder that survives; the chain is bounded, as merges never cycle."""
        now = {key: key for key in holder_ids}
        for _ in range(MERGES_MOST):
            merged: dict[int, int] = {}
            for part in postings.parts(sorted(set(now.values()))):
                rows = Holder.objects.filter(id__in=part, merged_into__isnull=False).values_list("id", "merged_into_id")
                merged.update(rows)
            if not merged:
                break
            now = {key: merged.get(value, value) for key, value in now.items()}
        return now


class LedgerCheck:
    """Holds the rows of one file against the ledger as it is now."""

    def __init__(self, definition: Definition, books: dict[str, Book], planner: Planner) -> None:
        self._source = definition.code
        self._kind = definition.roles.holder_kind
        self._holder_column = definition.layout.data.position(definition.roles.holder) + 2
        self._books = books
        self._planner = planner
        self.directory = Directory(definition, books)
        self._dates: dict[tuple[str, date], tuple[str, str] | None] = {}
        self._periods = {code: list(Period.objects.filter(book=book)) for code, book in books.items()}
        self._floors: dict[tuple[str, str], _Running] = {}
        self._moves: list[tuple[str, FoundAccount, int]] = []  # of the row that is being checked, on accounts that have a floor

    def check(self, rows: Sequence[Row]) -> Iterator[Checked | Seen]:
        """Yield, for each row of a block, what was seen and then the checked row."""
        self.directory.find_holders([row.holder for row in rows])
        plans = [self._planner.plan(row.values) for row in rows]
        self.directory.find_codes(
            {
                (planned.book, side.code)
                for plan in plans
                for planned in plan
                for side in (planned.debit, planned.credit)
                if side.code
            }
        )
        posted = self._posted(rows, plans)
        for row, plan in zip(rows, plans, strict=True):
            seen = list(self._check_row(row, plan, posted))
            yield from seen
            holder = self.directory.holders.get(row.holder)
            errors = sum(1 for each in seen if each.severity == "error")
            if self._moves:
                self._add_to_floors(row, is_posted=not errors)
            yield Checked(row, holder[0] if holder else None, plan, errors)

    def place(self, rows: Sequence[Row]) -> Iterator[Placed]:
        """Yield each row with its holder, without holding it against the ledger again."""
        self.directory.find_holders([row.holder for row in rows])
        for row in rows:
            holder = self.directory.holders.get(row.holder)
            yield Placed(row, holder[0] if holder else None, self._planner.has_effect(row.values))

    def conclude(self) -> Iterator[Seen]:
        """Yield what only the whole file shows: floors that its records together would break."""
        falling = [(book, running, running.row) for (book, _), running in self._floors.items() if running.row is not None]
        balances: dict[int, int] = {}
        for part in postings.parts([running.account.id for _, running, _ in falling]):
            # An account that has a floor is not striped: it has this one balance.
            balances.update(Balance.objects.filter(account_id__in=part).values_list("account_id", "amount"))
        for book, running, row in falling:
            lowest = posting.natural(running.account.category, balances.get(running.account.id, 0)) + running.lowest
            if (floor := running.account.floor) is not None and lowest < floor:
                facts: dict[str, str | int] = {"book": book, "account": running.account.code, "balance": lowest, "floor": floor}
                yield _seen("ledger.floor_broken", row, 0, facts)

    def _check_row(self, row: Row, plan: Sequence[Planned], posted: dict[tuple[str, str], posting.KnownEntry]) -> Iterator[Seen]:
        holder = self.directory.holders.get(row.holder)
        if holder is None:
            yield _seen("ledger.holder_unknown", row, self._holder_column, {"kind": self._kind, "identifier": row.holder})
            return
        holder_id, was_merged = holder
        if was_merged:
            facts: dict[str, str | int] = {"kind": self._kind, "identifier": row.holder, "holder": holder_id}
            yield _seen("ledger.holder_merged", row, self._holder_column, facts)
        for planned in plan:
            yield from self._check_date(row, planned)
            for side, sign in ((planned.debit, 1), (planned.credit, -1)):
                account = self.directory.account(planned.book, side, holder_id)
                if account is None:
                    name = side.code or f"{side.role} ({row.holder})"
                    yield _seen("ledger.account_unknown", row, 0, {"account": name, "book": planned.book})
                    continue
                if account.state != "open":
                    facts = {"account": account.code, "book": planned.book, "state": account.state}
                    yield _seen("ledger.account_not_open", row, 0, facts)
                if account.floor is not None:
                    self._moves.append((planned.book, account, sign * planned.amount))
            name = reference(self._source, row.key)
            known = posted.get((planned.book, name))
            if known is not None:
                rule = "ledger.reference_exists_same" if self._is_same(planned, known) else "ledger.reference_exists_differs"
                yield _seen(rule, row, 0, {"reference": name, "book": planned.book})

    def _add_to_floors(self, row: Row, *, is_posted: bool) -> None:
        """Let a row move the accounts that have a floor; one that is set aside moves nothing."""
        for book, account, amount in self._moves if is_posted else ():
            running = self._floors.setdefault((book, account.code), _Running(account))
            running.add(posting.natural(account.category, amount), row)
        self._moves.clear()

    def _check_date(self, row: Row, planned: Planned) -> Iterator[Seen]:
        place = (planned.book, planned.effective_on)
        if place not in self._dates:
            self._dates[place] = self._judge(*place)
        if (judged := self._dates[place]) is not None:
            rule, period = judged
            yield _seen(rule, row, 0, {"book": planned.book, "date": planned.effective_on.isoformat(), "period": period})

    def _judge(self, book: str, on: date) -> tuple[str, str] | None:
        period = next((each for each in self._periods[book] if each.starts_on <= on <= each.ends_on), None)
        if period is None:
            return "ledger.period_missing", ""
        return None if period.state == "open" else (f"ledger.period_{period.state}", period.name)

    def _posted(self, rows: Sequence[Row], plans: Sequence[list[Planned]]) -> dict[tuple[str, str], posting.KnownEntry]:
        """Return the entries that stand under the rows' references already."""
        codes = {book.pk: code for code, book in self._books.items()}
        drafts = (
            Draft(self._books[planned.book].pk, planned.effective_on, reference(self._source, row.key), "", ())
            for row, plan in zip(rows, plans, strict=True)
            for planned in plan
        )
        return {(codes[book_id], name): known for (book_id, name), known in postings.known_entries(drafts).items()}

    def _is_same(self, planned: Planned, known: posting.KnownEntry) -> bool:
        sides = known.content["lines"]
        amounts = sorted(amount for _, amount in sides)
        return known.content["date"] == planned.effective_on.isoformat() and amounts == [-planned.amount, planned.amount]


class _Running:
    """The lowest point that a file's records together bring an account to, relative to its balance now, and the row that does it.

    An account that never falls below what it has now keeps no row: nearly all of a file's members are of that kind.
    """

    def __init__(self, account: FoundAccount) -> None:
        self.account = account
        self.row: Row | None = None
        self._sum = 0
        self.lowest = 0

    def add(self, amount: int, row: Row) -> None:
        """Add one line, in the account's natural direction."""
        self._sum += amount
        if self._sum < self.lowest:
            self.lowest, self.row = self._sum, row


def _seen(rule: str, row: Row, column: int, facts: dict[str, str | int]) -> Seen:
    return Seen(rule, row.line, column, row.offset, row.raw[:RAW_BYTES], facts)
