"""The rules of lots that a plan was made under, and which of them are others now."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from ingestion_app.formats.definition import AccountRule, Definition
from ingestion_app.models import Batch
from ingestion_app.sources.queries import definitions
from ledger_app.models import Account, Book, LotRule

Kept = dict[str, dict[str, list[Any]]]  # by book code and role what the rule says


class KeptRule(NamedTuple):
    """What a rule says, as a plan keeps it: ``breakage`` is the code of the account, ``fixed_on`` a date as text."""

    expiry: str
    validity: int | None
    fixed_on: str | None
    order: str
    kind: str
    breakage: str


def now(definition: Definition, books: Mapping[str, Book]) -> Kept:
    """Return the rules that there are, of the roles to which records of this definition may post."""
    found: Kept = {code: {} for code in books}
    rows = LotRule.objects.filter(book__in=books.values()).select_related("book", "breakage").order_by("book__code", "role")
    there = list(rows)
    roles = _roles(definition, [row.book for row in there])
    for row in there:
        code = row.book.code
        if code not in roles or row.role in roles[code]:
            fixed = row.fixed_on.isoformat() if row.fixed_on else None
            found[code][row.role] = list(KeptRule(row.expiry, row.validity, fixed, row.order, row.kind, row.breakage.code))
    return found


def kept_of(batch: Batch) -> Iterator[tuple[str, str, KeptRule]]:
    """Yield (book code, role, what the rule says) of each rule that the plan was made under."""
    for book, rules in sorted((batch.lot_rules or {}).items()):
        yield from ((book, role, KeptRule(*said)) for role, said in sorted(rules.items()))


def moved(batch: Batch) -> Iterator[tuple[str, str]]:
    """Yield (book code, role) of each rule that is another than that which the plan was made under, or is there and was not.

    A plan from before plans kept them says nothing of them here: ``are_unknown``.
    """
    if batch.lot_rules is None:
        return
    there = _now(batch)
    for book in sorted(batch.lot_rules.keys() | there.keys()):
        kept, is_now = batch.lot_rules.get(book, {}), there.get(book, {})
        yield from ((book, role) for role in sorted(kept.keys() | is_now.keys()) if kept.get(role) != is_now.get(role))


def are_unknown(batch: Batch) -> bool:
    """Whether there are rules that concern a plan, and it does not say under which it was made."""
    return batch.lot_rules is None and any(_now(batch).values())


def _now(batch: Batch) -> Kept:
    definition = definitions.definition_of(batch.source_version)
    return now(definition, definitions.books_of(definition))


def _roles(definition: Definition, books: Collection[Book]) -> dict[str, set[str]]:
    """Return the roles of accounts to which the definition posts, by book code; a book in which records may name any account is left out."""
    sides: dict[str, list[AccountRule]] = {book.code: [] for book in books}
    for rule in definition.postings:
        if rule.book in sides:
            sides[rule.book] += [rule.debit, rule.credit]
    known = {code: of_book for code, of_book in sides.items() if not any(map(_is_named_by_records, of_book))}
    roles = {code: {side.role for side in of_book if side.role} for code, of_book in known.items()}
    codes = {code: {side.code for side in of_book if side.code} for code, of_book in known.items()}
    every = set().union(*codes.values())
    if every:
        named = Account.objects.filter(book__code__in=known, code__in=every).values_list("book__code", "code", "role")
        for book, code, role in named:
            if code in codes[book]:
                roles[book].add(role)
    return roles


def _is_named_by_records(side: AccountRule) -> bool:
    """Whether what a record says decides which account this is: by a code that is made of it, or by a reason code."""
    return bool(side.reason) or "{" in (side.code or "")
