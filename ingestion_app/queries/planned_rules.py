"""The rules of lots that a plan was made under, and which of them are others now."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingestion_app.formats.definition import Definition
from ingestion_app.models import Batch
from ingestion_app.queries import definitions
from ledger_app.models import Account, Book, LotRule

Kept = dict[str, dict[str, list[Any]]]  # by book code and role what the rule says


def now(definition: Definition, books: Mapping[str, Book]) -> Kept:
    """Return the rules that there are, of the roles to which records of this definition post."""
    found: Kept = {code: {} for code in books}
    for code, book in books.items():
        rows = LotRule.objects.filter(book=book, role__in=_roles(definition, book)).select_related("breakage").order_by("role")
        for row in rows:
            fixed = row.fixed_on.isoformat() if row.fixed_on else None
            found[code][row.role] = [row.expiry, row.validity, fixed, row.order, row.kind, row.breakage.code]
    return found


def moved(batch: Batch) -> Iterator[tuple[str, str]]:
    """Yield (book code, role) of each rule that is another than that which the plan was made under, or is there and was not."""
    if batch.lot_rules is None:
        return
    definition = definitions.definition_of(batch.source_version)
    there = now(definition, definitions.books_of(definition))
    for book in sorted(batch.lot_rules.keys() | there.keys()):
        kept, is_now = batch.lot_rules.get(book, {}), there.get(book, {})
        yield from ((book, role) for role in sorted(kept.keys() | is_now.keys()) if kept.get(role) != is_now.get(role))


def _roles(definition: Definition, book: Book) -> set[str]:
    """Return the roles of accounts to which the definition posts in a book. Codes that records make are of accounts of their own."""
    sides = [side for rule in definition.postings if rule.book == book.code for side in (rule.debit, rule.credit)]
    codes: Sequence[str] = [side.code for side in sides if side.code and "{" not in side.code]
    named = Account.objects.filter(book=book, code__in=codes).values_list("role", flat=True)
    return {side.role for side in sides if side.role} | set(named)
