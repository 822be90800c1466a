"""What a batch of adjustments moves by hand: how much on which account and by which reason code, counted from the records of its plan."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ingestion_app.batches.queries import records
from ingestion_app.errors import BatchOverLimitInSum
from ingestion_app.formats.definition import AccountRule, Definition, PostingRule
from ingestion_app.formats.postings import Planner, Side, Values
from ingestion_app.models import Batch, Chunk, Record
from ingestion_app.sources.queries import definitions
from ledger_app import sql
from ledger_app.adjustments.queries import decided, limits
from ledger_app.adjustments.rules.limits import Weight
from ledger_app.errors import LedgerError
from ledger_app.members.queries import merges
from ledger_app.models import Account, Book, Entry, Posting, ReasonCode

Place = tuple[str, Side, int | None]  # a book, an account that is to be found, and the member where it is one of a member's


class _Rule(NamedTuple):
    """One rule that adjusts: what plans its entry, which side is adjusted, and where amount and reason code stand."""

    planner: Planner
    is_debit: bool
    amount_at: int
    reason_at: int

    def moved(self, values: Values) -> Iterator[tuple[str, Side, str, int]]:
        """Yield book, adjusted side, reason code and amount of a record."""
        for planned in self.planner.plan(values):
            amount: Any = values[self.amount_at]
            # A negative amount has swapped the sides.
            side = planned.debit if self.is_debit == (amount >= 0) else planned.credit
            yield planned.book, side, str(values[self.reason_at]), planned.amount


def of_batch(batch: Batch) -> dict[str, list[Weight]]:
    """Return what the records of a plan move, by book code; of a batch that reverses another, what the other's did. Nothing of any other source."""
    original = batch if batch.reverses_id is None else Batch.objects.get(pk=batch.reverses_id)
    definition = definitions.definition_of(original.source_version)
    books = definitions.books_of(definition)
    if not set(definition.adjusted_books) & books.keys():
        return {}
    rules = _rules(original, definition, books)
    decode = records.decoder(definition)
    amounts: Counter[tuple[Place, str]] = Counter()
    rows = Record.objects.filter(batch=original, status=Record.Status.PLANNED).values_list("holder_id", "values")
    for holder_id, stored in rows.iterator(chunk_size=2000):
        values = decode(stored or [])
        for rule in rules:
            for book, side, reason, amount in rule.moved(values):
                amounts[(book, side, holder_id if side.role else None), reason] += amount
    return _weights(amounts, books)


def beyond(weights: Mapping[str, list[Weight]], scope_of: Callable[[Book], decided.Scope]) -> list[LedgerError]:
    """Return why somebody may not approve what a batch moves, with what was decided lately: member by member, and reason code by reason code."""
    found: list[LedgerError] = []
    for book in Book.objects.filter(code__in=weights).order_by("code"):
        found += limits.beyond_of_many(scope_of(book), weights[book.code])
    return found


def beyond_of_files(batch: Batch, scope_of: Callable[[Book], decided.Scope]) -> list[LedgerError]:
    """Return where the files of adjustments that somebody approved lately come, with this one, to more than that person decides alone."""
    found: list[LedgerError] = []
    codes = definitions.definition_of(batch.source_version).adjusted_books
    for book in Book.objects.filter(code__in=codes).order_by("code"):
        scope = scope_of(book)
        limit = limits.limit_of(scope.user, book.pk)
        total, before = int(batch.totals.get(book.code, [0, 0, 0])[2]), decided.of_files(scope, limit)
        if total <= limit.alone < total + before:
            said = {"user": scope.user.username, "book": book.code, "total": total, "before": before}
            found.append(BatchOverLimitInSum(**said, days=limit.window_days, limit=limit.alone))
    return found


def reason_of(entry: Entry) -> str | None:
    """Return the reason code with which a file of adjustments posted an entry; None where none did."""
    if entry.posting.origin_kind != Posting.Origin.CHUNK:
        return None
    chunk = Chunk.objects.filter(pk=entry.posting.origin_id).select_related("batch__source_version", "batch__source").first()
    if chunk is None or chunk.batch.reverses_id is not None:
        return None
    definition = definitions.definition_of(chunk.batch.source_version)
    rule = next((each for each in definition.postings if each.book == entry.book.code and _contra(each) is not None), None)
    if rule is None:
        return None
    key = entry.reference.removeprefix(f"{chunk.batch.source.code}:")
    row = Record.objects.filter(chunk=chunk, key=key).first()
    contra = _contra(rule)
    assert contra is not None  # noqa: S101 - asked for above
    return None if row is None else str((row.values or [])[definition.layout.data.position(contra.reason or "")])


def _rules(batch: Batch, definition: Definition, books: Mapping[str, Book]) -> list[_Rule]:
    contras, data = definitions.kept_contras(batch), definition.layout.data
    found = []
    for rule in definition.postings:
        contra = _contra(rule)
        if contra is not None and rule.book in books:
            planner = definitions.planner_of(replace(definition, postings=(rule,)), dict(books), contras)
            found.append(_Rule(planner, contra is rule.credit, data.position(rule.amount), data.position(contra.reason or "")))
    return found


def _contra(rule: PostingRule) -> AccountRule | None:
    """Return the side that a reason code names."""
    return next((side for side in (rule.debit, rule.credit) if side.reason), None)


def _weights(amounts: Mapping[tuple[Place, str], int], books: Mapping[str, Book]) -> dict[str, list[Weight]]:
    """Find the accounts, of members who were merged those of who remains; what has no account is applied by nobody."""
    named = {holder_id for (_book, _side, holder_id), _reason in amounts if holder_id is not None}
    remains = merges.survivors(named)
    by_role: dict[tuple[int, str, int], int] = {}
    for part in sql.parts(sorted(set(remains.values()))):
        rows = Account.objects.filter(holder_id__in=part, book__in=books.values())
        by_role |= {
            (book, role, holder or 0): key for key, book, role, holder in rows.values_list("id", "book_id", "role", "holder_id")
        }
    by_code: dict[tuple[int, str], int] = {}
    codes = sorted({side.code for (_book, side, _holder), _reason in amounts if side.code})
    for texts in sql.parts(codes):
        rows = Account.objects.filter(code__in=texts, book__in=books.values())
        by_code |= {(book, code): key for key, book, code in rows.values_list("id", "book_id", "code")}
    reasons = dict(ReasonCode.objects.values_list("code", "id"))
    summed: Counter[tuple[str, int, int | None]] = Counter()
    for ((book, side, holder_id), reason), amount in amounts.items():
        of = books[book].pk
        key = by_code.get((of, side.code or "")) if holder_id is None else by_role.get((of, side.role or "", remains[holder_id]))
        if key is not None:
            summed[book, key, reasons.get(reason)] += amount
    found: dict[str, list[Weight]] = {}
    for (book, key, reason_id), amount in sorted(summed.items(), key=str):
        found.setdefault(book, []).append(Weight(key, reason_id, amount))
    return found
