"""The drafts of a chunk: what its stored records post, under the rules of the batch's source."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from ingestion_app import errors
from ingestion_app.batches.queries import records
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planned, Planner, Side, reference
from ingestion_app.models import Batch, Chunk
from ingestion_app.sources.queries import definitions
from ingestion_app.validating.operations.staging import Staged
from ledger_app import sql
from ledger_app.base.operations import measuring
from ledger_app.errors import LedgerError, Refused
from ledger_app.members.queries import merges
from ledger_app.models import Account, Book
from ledger_app.posting.rules.drafts import Draft

_draft = partial(tuple.__new__, Draft)  # without the keywords that its constructor parses


# What was redirected: (book id, reference) → (the member that the record named, the member who remains).
Redirected = dict[tuple[int, str], tuple[int, int]]


class Drafted(NamedTuple):
    """The drafts of a chunk, and which of them are posted to another member than their record named."""

    drafts: list[Draft]
    redirected: Redirected


def drafts_of(chunk: Chunk, batch: Batch) -> Drafted:
    """Return the drafts of a chunk's records, having counted that they come to what the plan says.

    A record of a member who was merged since goes to the member who remains, unless the source has it stop (``limits.merged``).

    :raises Refused: records_differ; account_away; chunk_differs
    """
    with measuring.phase("read"):
        stored = records.of_chunk(chunk.pk)
        if records.digest(stored) != bytes(chunk.records_digest or b""):
            raise Refused([errors.RecordsDiffer(number=chunk.number)])
    with measuring.phase("plan"):
        return _planned(chunk, batch, stored)


class Drawing(NamedTuple):
    """What drafts are drawn up with: the definition, its books by code, the planner of its rules."""

    definition: Definition
    books: dict[str, Book]
    planner: Planner


def staged_order(definition: Definition) -> Callable[[Staged], tuple[Any, ...]]:
    """Return what gives, of a row that was staged, what comes before its line in the order that the source states."""
    if definition.roles.order is None:
        return lambda _row: ()
    order = records.ordering(definition)
    return lambda row: order(json.loads(row.values))


def draw(rows: Sequence[Staged], drawing: Drawing) -> list[list[Draft]]:
    """Return the drafts of each of these records, whose accounts were found when they were checked."""
    definition, books, planner = drawing
    decode = records.decoder(definition)
    plans = [planner.plan(decode(values)) for values in json.loads(f"[{','.join([row.values for row in rows])}]")]
    accounts = _Accounts(books, {row.holder_id for row in rows if row.holder_id is not None}, plans)
    drawn: list[list[Draft]] = []
    for row, entries in zip(rows, plans, strict=True):
        name = reference(definition.code, row.key)
        drafts: list[Draft] = []
        for book, effective_on, posted, debit, credit, description in entries:
            debited, credited = (accounts.find(book, side, row.holder_id or 0, row.line) for side in (debit, credit))
            sides = (debited, posted), (credited, -posted)
            drafts.append(_draft((books[book].pk, effective_on, name, description, sides, None, False, False, None)))
        drawn.append(drafts)
    return drawn


def _planned(chunk: Chunk, batch: Batch, stored: Sequence[records.Stored]) -> Drafted:
    definition = definitions.definition_of(batch.source_version)
    books = definitions.books_of(definition)
    # The accounts of reason codes are those that the plan keeps: what finance has changed since is not what was approved.
    contras = definitions.kept_contras(batch)
    plan, decode = definitions.planner_of(definition, books, contras).plan, records.decoder(definition)
    if definition.roles.order is not None:
        order = records.ordering(definition)
        stored = sorted(stored, key=lambda each: (order(each.values), each.line))
    plans = [plan(decode(values)) for *_, values in stored]
    named = set(map(itemgetter(2), stored))
    remains = merges.survivors(named) if definition.redirects_merged else {}
    moved = {key: survivor for key, survivor in remains.items() if survivor != key}
    accounts = _Accounts(books, named - moved.keys() | set(moved.values()), plans)
    accounts.fix(contras)
    redirected: Redirected = {}
    keys = {code: book.pk for code, book in books.items()}
    totals = defaultdict(_nothing, {book: _nothing() for book in chunk.totals})
    # Book by book, as they are written.
    drafts: defaultdict[str, list[Draft]] = defaultdict(list)
    record_sum = 0
    find, source = accounts.find, batch.source.code
    for (line, key, holder, amount, _), entries in zip(stored, plans, strict=True):
        name = reference(source, key)
        record_sum += amount
        if holder in moved:
            ways = {(keys[each.book], name): (holder, moved[holder]) for each in entries if each.debit.role or each.credit.role}
            redirected.update(ways)
            holder = moved[holder]  # noqa: PLW2901 - the accounts of who remains are found below
        for book, effective_on, posted, debit, credit, description in entries:
            sides = (find(book, debit, holder, line), posted), (find(book, credit, holder, line), -posted)
            drafts[book].append(_draft((keys[book], effective_on, name, description, sides, None, False, False, None)))
            of_book = totals[book]
            of_book[0] += 1
            of_book[1] += 2
            of_book[2] += posted
    if accounts.missing:
        raise Refused(accounts.missing)
    found: Any = (len(stored), record_sum, totals)
    wanted: Any = (chunk.record_count, chunk.record_sum, chunk.totals)
    if found != wanted:
        raise Refused([errors.ChunkDiffers(number=chunk.number, planned=wanted, found=found)])
    return Drafted(list(chain.from_iterable(drafts.values())), redirected)


def _nothing() -> list[int]:
    return [0, 0, 0]


class _Accounts:
    """The accounts that a chunk's records post to. What they may take is decided by ``post``, under their locks."""

    def __init__(self, books: dict[str, Book], holder_ids: Collection[int], plans: Iterable[Sequence[Planned]]) -> None:
        codes = {book.pk: code for code, book in books.items()}
        sides = {(book, side) for entries in plans for book, _, _, debit, credit, _ in entries for side in (debit, credit)}
        # An account, or for a role the account of each holder.
        self._found: dict[tuple[str, Side], int | dict[int, int]] = {}
        by_role: dict[tuple[str, Side], dict[int, int]] = {place: {} for place in sides if place[1].role}
        roles = sorted({side.role for _, side in by_role if side.role})
        for part in sql.parts(sorted(holder_ids)):
            rows = Account.objects.filter(holder_id__in=part, book_id__in=codes, role__in=roles)
            for key, holder, book_id, role in rows.values_list("id", "holder_id", "book_id", "role"):
                of_role = by_role.get((codes[book_id], Side(role, None)))
                if of_role is not None and holder is not None:
                    of_role[holder] = key
        self._found.update(by_role)
        for code, book in books.items():
            for named in sql.parts(sorted({side.code for of, side in sides if of == code and side.code})):
                found = Account.objects.filter(book=book, code__in=named).values_list("code", "id")
                self._found.update(((code, Side(None, name)), key) for name, key in found)
        self.missing: list[LedgerError] = []

    def fix(self, contras: definitions.Contras) -> None:
        """Have reason codes post to the accounts that the plan keeps for them, by their ids."""
        self._found.update({(book, Side(None, contra.code)): contra.account_id for (book, _), contra in contras.items()})

    def find(self, book: str, side: Side, holder_id: int, line: int) -> int:
        """Return an account's id; where there is none, note the line that misses it."""
        found = self._found.get((book, side))
        if isinstance(found, dict):
            found = found.get(holder_id)
        if found is None:
            self.missing.append(errors.AccountAway(line=line, account=side.role or side.code, book=book))
            return 0
        return found
