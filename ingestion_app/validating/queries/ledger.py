"""Holds records against the ledger, a block of rows at a time: members and accounts here, what they post by ``post``'s own judge."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from ingestion_app.batches.queries.refusals import RuleSeen, Telling
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import RAW_BYTES, RULES, Seen, Severity
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planned, Planner, reference
from ledger_app import sql
from ledger_app.books.queries import identifiers as ledger_identifiers
from ledger_app.members.queries import merges
from ledger_app.models import Account, Book
from ledger_app.posting.queries import judging, postings
from ledger_app.posting.rules import judging as rules
from ledger_app.posting.rules.drafts import Draft, KnownEntry
from ledger_app.values.identifiers import KINDS, hidden
from ledger_app.values.locked import LockedAccount

REMEMBERED_MOST = 100_000  # holders, and accounts by code: about 600 bytes each
COLUMNS = ("id", "code", "book_id", "category", "floor", "stripes", "state", "keeps_lots")


class FoundAccount(NamedTuple):
    """An account that lines go to. ``when_debited`` and ``when_credited`` say whether a line takes from it what it must have had before."""

    id: int
    role: str
    account: LockedAccount
    is_watched: bool
    when_debited: bool
    when_credited: bool


class FoundHolder(NamedTuple):
    """A holder after merges, its accounts by (book code, role), and the span of the identifier that named it: None where it has no end at all."""

    id: int
    was_merged: bool
    accounts: dict[tuple[str, str], FoundAccount]
    active: tuple[date, date] | None


class Checked(NamedTuple):
    """A row with what it would post: the holder (after merges) and the entries; ``errors`` says that it cannot be applied.

    ``watched`` are the accounts that it touches of which it matters what they have; ``is_open`` says that it takes from one of them, and is to
    be judged in the order of posting (``validating.operations.judging``).
    """

    row: Row
    holder_id: int | None
    planned: list[Planned]
    errors: int
    watched: tuple[int, ...] = ()
    is_open: bool = False


_checked = partial(tuple.__new__, Checked)  # without the keywords that its constructor parses


def card_number_column(definition: Definition) -> int | None:
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
        for part in sql.parts(sorted(accounts)):
            found = Account.objects.filter(holder_id__in=part, book_id__in=self._books, role__in=self._roles)
            rows = list(found.values_list("holder_id", "role", *COLUMNS))
            near = judging.near_the_end([row[2] for row in rows])
            for holder, role, key, code, book, *account, keeps_lots in rows:
                if holder is not None:
                    # The member who remains was not merged.
                    locked = LockedAccount._make((code, book, *account, None, keeps_lots))
                    accounts[holder][self._books[book], role] = _found(key, role, locked, is_near=key in near)
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
            for part in sql.parts(sorted(code for of, code in new if of == book)):
                found = Account.objects.filter(book_id=book_id, code__in=part)
                rows = list(found.values_list("role", "holder__merged_into_id", *COLUMNS))
                near = judging.near_the_end([row[2] for row in rows])
                for role, merged_into, key, *account, keeps_lots in rows:
                    locked = LockedAccount._make((*account, merged_into, keeps_lots))
                    self._by_code[book, locked.code] = _found(key, role, locked, is_near=key in near)
        return self._by_code


class LedgerCheck:
    """Holds the rows of one file against the ledger as it is now: who and what they name, and then, by ``post``'s own judge, what they post."""

    def __init__(self, definition: Definition, books: dict[str, Book], planner: Planner) -> None:
        self._kind = definition.roles.holder_kind
        self._is_secret = card_number_column(definition) is not None
        self._holder_column = definition.layout.data.field_number(definition.roles.holder)
        self._books = {code: book.pk for code, book in books.items()}
        self._codes = {book.pk: code for code, book in books.items()}
        self._planner = planner
        self._directory = Directory(definition, books)
        self._ground = judging.Ground(books.values())
        self._prefix = reference(definition.code, "")
        self.taken: set[int] = set()  # accounts that are taken from, of which it matters what they have

    def check(self, rows: Sequence[Row]) -> Iterator[Checked | Seen]:
        """Yield, for each row of a block, what was seen and then the checked row."""
        holders = self._directory.find_holders([row.holder for row in rows])
        plan = self._planner.plan
        plans = [plan(row.values) for row in rows]
        sides = {(book, side) for planned in plans for book, _, _, debit, credit, _ in planned for side in (debit, credit)}
        accounts = self._directory.find_codes({(book, side.code) for book, side in sides if side.code})
        touched: dict[int, FoundAccount] = {}
        drawn = [
            self._draw(row, planned, holders.get(row.holder), accounts, touched) for row, planned in zip(rows, plans, strict=True)
        ]
        verdicts = self._judge(drawn, touched)
        for row, planned, each in zip(rows, plans, drawn, strict=True):
            holder = holders.get(row.holder)
            seen = each.seen
            if verdicts is not None and each.drafts and not each.takes:
                seen = [*seen, *next(verdicts)]
            errors = 0
            if seen:
                place = (row.line, row.offset, row.raw[:RAW_BYTES])
                yield from (Seen(rule, place[0], column, place[1], place[2], facts) for rule, column, facts in seen)
                errors = sum(1 for rule, *_ in seen if RULES[rule].severity is Severity.ERROR)
            if each.takes and not errors:
                # One that is set aside takes nothing.
                self.taken.update(each.watched)
            yield _checked((row, holder.id if holder else None, planned, errors, each.watched, each.takes))

    def _draw(
        self,
        row: Row,
        plan: Sequence[Planned],
        holder: FoundHolder | None,
        accounts: Mapping[tuple[str, str], FoundAccount | None],
        touched: dict[int, FoundAccount],
    ) -> "_Drawn":
        """Return what a row posts, as far as its accounts are there, and what is wrong with whom and what it names."""
        if holder is None:
            named: dict[str, str | int] = {"kind": self._kind, "identifier": self._said(row)}
            return _drawn(([("ledger.holder_unknown", self._holder_column, named)], [], (), False))
        seen: list[RuleSeen] = []
        if holder.was_merged or holder.active is not None:
            seen += self._seen_of_holder(row, plan, holder)
        drafts: list[Draft] = []
        watched: tuple[int, ...] = ()
        takes = False
        of_holder, books, name = holder.accounts, self._books, self._prefix + row.key
        for book, on, amount, debit, credit, description in plan:
            debited = of_holder.get((book, debit[0])) if debit[0] is not None else accounts.get((book, debit[1] or ""))
            credited = of_holder.get((book, credit[0])) if credit[0] is not None else accounts.get((book, credit[1] or ""))
            if debited is None or credited is None:
                for side, account in ((debit, debited), (credit, credited)):
                    if account is None:
                        missing = side.code or f"{side.role} ({self._said(row)})"
                        seen.append(("ledger.account_unknown", 0, {"account": missing, "book": book}))
                continue
            debited_id, _role, _held, debits_watched, takes_of_debited, _credited = debited
            credited_id, _role, _held, credits_watched, _debited, takes_of_credited = credited
            touched[debited_id], touched[credited_id] = debited, credited
            if debits_watched:
                watched += (debited_id,)
            if credits_watched:
                watched += (credited_id,)
            takes = takes or takes_of_debited or takes_of_credited
            lines = ((debited_id, amount), (credited_id, -amount))
            drafts.append(_draft((books[book], on, name, description, lines, None, False, False, None)))
        return _drawn((seen, drafts, watched, takes))

    def _judge(self, drawn: Sequence["_Drawn"], touched: Mapping[int, FoundAccount]) -> Iterator[list["RuleSeen"]] | None:
        """Return what is seen in each row that takes nothing from where it matters: each is judged by itself. None where nothing is."""
        groups = [each.drafts for each in drawn if each.drafts and not each.takes]
        accounts = {key: found.account for key, found in touched.items()}
        roles = {key: found.role for key, found in touched.items() if found.account.keeps_lots}
        known = self._known(groups)
        verdicts = rules.alone(groups, basis=self._ground.basis(accounts, roles, known))
        if not known and not any(verdict.refusals for verdict in verdicts):
            return None
        telling = Telling(accounts, known, self._codes)
        return (telling.seen_in(group, verdict) for group, verdict in zip(groups, verdicts, strict=True))

    def _known(self, groups: Sequence[Sequence[Draft]]) -> dict[tuple[int, str], KnownEntry]:
        """Return the last entries under the references of these drafts.

        Keys mostly grow from file to file: where nothing stands between the first of a block and the last, none of them is looked up.
        """
        found: dict[tuple[int, str], KnownEntry] = {}
        for book_id in self._books.values():
            of_book = [draft[2] for group in groups for draft in group if draft[0] == book_id]
            if of_book and postings.any_between(book_id, min(of_book), max(of_book)):
                found.update(postings.known_entries((book_id, name) for name in of_book))
        return found

    def _seen_of_holder(self, row: Row, plan: Sequence[Planned], holder: FoundHolder) -> Iterator["RuleSeen"]:
        """Yield what a person has to look at: a holder who was merged, an identifier that was not in use on the day of an entry."""
        named: dict[str, str | int] = {"kind": self._kind, "identifier": self._said(row)}
        if holder.was_merged:
            yield "ledger.holder_merged", self._holder_column, {**named, "holder": holder.id}
        first, last = holder.active or (date.min, date.max)
        outside = sorted({planned.effective_on for planned in plan if not first <= planned.effective_on <= last})
        if outside:
            span = {
                "first": "" if first == date.min else first.isoformat(),
                "last": "" if last == date.max else last.isoformat(),
            }
            yield "ledger.identifier_inactive", self._holder_column, {**named, "date": outside[0].isoformat(), **span}

    def _said(self, row: Row) -> str:
        return hidden(row.holder) if self._is_secret else row.holder


class _Drawn(NamedTuple):
    """What a row posts, and what was seen in drawing that up."""

    seen: list[RuleSeen]
    drafts: list[Draft]
    watched: tuple[int, ...]
    takes: bool


_drawn = partial(tuple.__new__, _Drawn)
_draft = partial(tuple.__new__, Draft)  # without the keywords that its constructor parses


def _found(key: int, role: str, account: LockedAccount, *, is_near: bool) -> FoundAccount:
    """Return an account. Where its balance ``is_near`` the end of its range, the account counts as limited for every record."""
    debited, credited = is_near or rules.takes(account, 1), is_near or rules.takes(account, -1)
    return FoundAccount(key, role, account, is_near or rules.is_watched(account), debited, credited)
