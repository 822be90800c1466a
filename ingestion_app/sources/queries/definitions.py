"""The definition that a source version holds."""

from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planner
from ingestion_app.models import Batch, Source, SourceVersion
from ledger_app.adjustments.queries import reason_codes
from ledger_app.adjustments.queries.reason_codes import Contra
from ledger_app.errors.units import Unit
from ledger_app.models import Book

Contras = Mapping[tuple[str, str], Contra]  # by book code and reason code


@lru_cache(maxsize=32)
def _parsed(_digest: bytes, text: str) -> Definition:
    return toml.parse(text)


def definition_of(version: SourceVersion) -> Definition:
    """Return the definition of a source version. It was valid when it was loaded, so it is valid now."""
    return _parsed(bytes(version.digest), version.text)


def current_version(source: Source) -> SourceVersion:
    """Return the newest version of a source."""
    return SourceVersion.objects.filter(source=source).select_related("source").latest("number")


def books_of(definition: Definition) -> dict[str, Book]:
    """Return, by code, those of the definition's books that exist."""
    return {book.code: book for book in Book.objects.filter(code__in={rule.book for rule in definition.postings})}


def amount_books(definition: Definition) -> list[str]:
    """Return the codes of the books into which the amount of a record is posted one to one: it is counted in their unit."""
    return [rule.book for rule in definition.postings if rule.amount == definition.roles.amount and rule.per == 1]


def unit_of(definition: Definition, books: dict[str, Book]) -> Unit | None:
    """Return the unit of the amounts of a definition's files; None where they are of no book, and are told as they stand in the file."""
    book = next((books[code] for code in amount_books(definition) if code in books), None)
    return Unit(book.unit, book.exponent) if book else None


def contras_of(definition: Definition, books: dict[str, Book]) -> Contras:
    """Return the accounts that reason codes have now, by (book code, reason code), of the books in which the definition adjusts."""
    adjusted = {books[code].pk: code for code in definition.adjusted_books if code in books}
    found = reason_codes.contra_accounts(adjusted) if adjusted else {}
    return {(adjusted[book], reason): contra for (book, reason), contra in found.items()}


def kept_contras(batch: Batch) -> Contras:
    """Return the accounts that the plan of a batch gave to its reason codes when it was made."""
    return {
        (book, reason): Contra(*kept)
        for book, of_book in (batch.contra_accounts or {}).items()
        for reason, kept in of_book.items()
    }


def planner_of(definition: Definition, books: dict[str, Book], contras: Contras) -> Planner:
    """Return the planner of a definition whose books all exist, under which reason codes have the accounts ``contras``."""
    named = {key: contra.code for key, contra in contras.items()}
    return Planner(definition, {code: ZoneInfo(book.time_zone) for code, book in books.items()}, named)


def newer_version(batch: Batch) -> int | None:
    """Return the number of the source's newest version where the plan of a batch was made under an earlier one."""
    newest = SourceVersion.objects.filter(source=batch.source_id).order_by("-number").values_list("id", "number").first()
    return None if newest is None or newest[0] == batch.source_version_id else newest[1]
