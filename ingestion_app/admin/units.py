"""The unit of a file's amounts: that of the book into which they are posted one to one."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from ingestion_app.models import SourceVersion
from ingestion_app.sources.queries import definitions
from ledger_app.models import Book


class Unit(NamedTuple):
    """A unit and its decimals."""

    unit: str
    exponent: int


UNKNOWN = Unit("", 0)


def unit_of(version: SourceVersion) -> Unit:
    """Return the unit of the amounts of the files that are read by a version of a source."""
    return units_of([version])[version.pk]


def units_of(versions: Iterable[SourceVersion]) -> dict[int, Unit]:
    """Return the unit of each version by its id, in one statement."""
    codes = {version.pk: definitions.amount_books(definitions.definition_of(version)) for version in versions}
    books = Book.objects.in_bulk(sorted(set().union(*codes.values())), field_name="code") if codes else {}
    found = {}
    for key, wanted in codes.items():
        book = next((books[code] for code in wanted if code in books), None)
        found[key] = Unit(book.unit, book.exponent) if book else UNKNOWN
    return found


def books_of(version: SourceVersion) -> list[Book]:
    """Return the books into which a version of a source posts, in the order of its rules."""
    codes = list(dict.fromkeys(rule.book for rule in definitions.definition_of(version).postings))
    books = Book.objects.in_bulk(codes, field_name="code")
    return [books[code] for code in codes if code in books]


class UnitChangeList(ChangeList):
    """A list whose rows bring the unit of their amounts as ``unit``, found for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page of rows and their units."""
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        versions = [_version_of(row) for row in rows]
        units = units_of({version.pk: version for version in versions}.values())
        for row, version in zip(rows, versions, strict=True):
            row.unit = units[version.pk]
        self.result_list = rows


def _version_of(row: Any) -> SourceVersion:
    version: SourceVersion = row.source_version if hasattr(row, "source_version") else row.batch.source_version
    return version
