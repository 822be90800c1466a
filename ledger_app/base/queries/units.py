"""Finds the unit that the amounts of a refusal are in: by the book it is about, the book it names, or the account it names."""

from collections.abc import Collection

from ledger_app.errors.units import InUnits, Unit
from ledger_app.models import Account, Book


def of_books(book_ids: Collection[int]) -> dict[int, Unit]:
    """Return the units of books, by their ids."""
    rows = Book.objects.filter(pk__in=book_ids).values_list("id", "unit", "exponent")
    return {key: Unit(name, exponent) for key, name, exponent in rows}


def of(error: InUnits) -> Unit | None:
    """Return the unit; None where accounts of that name stand in books of different units."""
    if error.book_id is not None:
        books = Book.objects.filter(pk=error.book_id)
    elif "book" in error.facts:
        books = Book.objects.filter(code=str(error.facts["book"]))
    elif "account" in error.facts:
        books = Book.objects.filter(pk__in=Account.objects.filter(code=str(error.facts["account"])).values("book"))
    else:
        return None
    units = set(books.values_list("unit", "exponent"))
    return Unit(*units.pop()) if len(units) == 1 else None
