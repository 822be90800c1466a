"""The definition that a source version holds."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planner
from ingestion_app.models import Source, SourceVersion
from ledger_app.models import Book


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


def planner_of(definition: Definition, books: dict[str, Book]) -> Planner:
    """Return the planner of a definition whose books all exist."""
    return Planner(definition, {code: ZoneInfo(book.time_zone) for code, book in books.items()})
