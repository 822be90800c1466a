"""The definition that a source version holds."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planner
from ingestion_app.models import Batch, Source, SourceVersion
from ledger_app.models import AuditRow, Book
from ledger_app.queries import reason_codes


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


def planner_of(definition: Definition, books: dict[str, Book], at: datetime | None = None) -> Planner:
    """Return the planner of a definition whose books all exist. Reason codes have the accounts that they had ``at`` a time, or have now."""
    adjusted = {books[code].pk: code for code in definition.adjusted_books}
    contras = reason_codes.contra_accounts(adjusted, at) if adjusted else {}
    named = {(adjusted[book], reason): account for (book, reason), account in contras.items()}
    return Planner(definition, {code: ZoneInfo(book.time_zone) for code, book in books.items()}, named)


def planned_at(batch: Batch) -> datetime | None:
    """Return when the plan of a batch was made; None where it has none."""
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, action="validate", outcome=AuditRow.Outcome.DONE)
    return rows.order_by("-id").values_list("at", flat=True).first()
